//! Weighs the runs of one rollout:
//! `cargo run -p codex-tracing-langsmith --example weigh -- <rollout>`.
//!
//! Prints the bytes of the runs as plain JSON and of the requests that carry them, plain and
//! compressed, with the time that mapping and compressing took.

#![expect(clippy::print_stdout, reason = "an example that prints its result")]

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use codex_tracing_config::LangSmithSettings;
use codex_tracing_delivery::{Backend, Destination, Facts, HookFacts, Item, Mode, View};
use codex_tracing_langsmith::LangSmith;
use codex_tracing_redact::{Images, Redactor};
use codex_tracing_transcript::{Git, read_rollout};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("name a rollout")?;
    let (redactor, _) = Redactor::new(true, &[], None, Images::Keep);
    let begin = Instant::now();
    let rollout = read_rollout(&PathBuf::from(path), Arc::new(redactor.clone()))?;
    println!("read and redact: {:?}", begin.elapsed());
    let session = rollout.session.ok_or("the rollout has no header")?;
    let backend = LangSmith::new(&LangSmithSettings::default(), redactor, "0.0.0");
    let destination = backend.destinations().first().ok_or("no destination")?;
    let (hooks, no_git) = (HookFacts::default(), Git::default());
    let begin = Instant::now();
    let mut items = Vec::new();
    for turn in &rollout.turns {
        let view = View {
            root: &session,
            session: &session,
            turn,
            lineage: &[],
            hooks: &hooks,
            git: session.git.as_ref().unwrap_or(&no_git),
            mode: Mode::Full,
            session_ended_at: None,
            was_cut_off: false,
        };
        items.extend(backend.map(destination, &view));
    }
    let plain: usize = items.iter().map(|item| item.body.len()).sum();
    println!(
        "map: {:?}, {} runs, {plain} bytes of JSON",
        begin.elapsed(),
        items.len()
    );
    for zstd in [false, true] {
        weigh(&backend, destination, &items, zstd);
    }
    Ok(())
}

/// Prints what the requests for `items` weigh.
fn weigh(backend: &LangSmith, destination: &Destination, items: &[Item], zstd: bool) {
    let mut facts = Facts::default();
    facts.values.insert("zstd".to_owned(), zstd.to_string());
    let limits = backend.limits(destination, &facts);
    let (begin, mut bytes, mut requests) = (Instant::now(), 0, 0);
    let mut batch: Vec<&Item> = Vec::new();
    let mut flush = |batch: &mut Vec<&Item>| {
        if !batch.is_empty() {
            bytes += backend.request(destination, &facts, batch).body.len();
            requests += 1;
            batch.clear();
        }
    };
    for item in items {
        let size: usize = batch.iter().map(|item| item.body.len()).sum();
        if batch.len() == limits.items || size + item.body.len() > limits.bytes {
            flush(&mut batch);
        }
        batch.push(item);
    }
    flush(&mut batch);
    println!(
        "zstd {zstd}: {bytes} bytes in {requests} requests, {:?}",
        begin.elapsed()
    );
}
