//! One file per command.

pub(crate) mod config;
pub(crate) mod course;
pub(crate) mod export;
pub(crate) mod flush;
pub(crate) mod git;
pub(crate) mod locate;
pub(crate) mod muted;
pub(crate) mod progress;
pub(crate) mod replay;
pub(crate) mod status;
pub(crate) mod survey;
pub(crate) mod view;
pub(crate) mod worker;

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use codex_tracing_config::Context;

/// Arms the place of `CODEX_TRACING_FAIL_AT`, where a test has set it. A hook and its worker share
/// the environment: a hook ends only at a place that is a hook's alone, all else only at others.
#[cfg(feature = "failpoints")]
pub(crate) fn arm_fail_point(context: &Context, in_hook: bool) {
    let Some(words) = context.env.get("CODEX_TRACING_FAIL_AT") else {
        return;
    };
    let place = words.split(':').next().unwrap_or_default();
    if codex_tracing_delivery::HOOK_FAIL_POINTS.contains(&place) == in_hook {
        codex_tracing_delivery::arm_process(words);
    }
}

/// Only a build for tests has places to fail at.
#[cfg(not(feature = "failpoints"))]
pub(crate) fn arm_fail_point(_context: &Context, _in_hook: bool) {}

/// Prints words or tables to stdout. Names, paths and what a server said are among them, and a
/// terminal obeys control characters: none but line feeds gets there.
pub(crate) fn print(text: &str) -> io::Result<()> {
    write(&text.replace(steers, "\u{fffd}"))
}

/// Prints JSON to stdout. What JSON leaves as it is and a terminal obeys is escaped, which changes
/// the bytes and not the values.
pub(crate) fn print_json(text: &str) -> io::Result<()> {
    if !text.contains(steers) {
        return write(text);
    }
    let mut escaped = String::with_capacity(text.len() + 64);
    for c in text.chars() {
        if steers(c) {
            // Infallible: a string grows.
            let _ =
                std::fmt::Write::write_fmt(&mut escaped, format_args!("\\u{:04x}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    write(&escaped)
}

/// Prints what is fit for a terminal as it is, colours included.
pub(crate) fn print_painted(text: &str) -> io::Result<()> {
    write(text)
}

/// `1 turn`, `2 turns`.
pub(crate) fn counted(count: impl Copy + Display + PartialEq + From<u8>, what: &str) -> String {
    let plural = if count == 1.into() { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Whether a terminal may obey this character instead of showing it.
fn steers(c: char) -> bool {
    c.is_control() && c != '\n'
}

/// A reader that has gone away (`| head`) is no error.
fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Tells people on stderr what went wrong, causes included.
pub(crate) fn complain(error: &anyhow::Error) {
    let words = format!("{error:#}").replace(steers, "\u{fffd}");
    let _ = writeln!(io::stderr(), "codex-tracing: {words}");
}

/// Tells what is missing from what was shown: a failure, so that no script takes it for the whole.
fn complete(unread: &[String]) -> ExitCode {
    for words in unread {
        complain(&anyhow::anyhow!(
            "{words}; what stands behind is missing here"
        ));
    }
    if unread.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// A runtime on this thread; only where something is delivered.
pub(crate) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}
