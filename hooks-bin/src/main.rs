//! `codex-tracing`: native tracing plugins for the Codex CLI.
//!
//! Two ways in: `hook`, which Codex runs on its own path and which must be quick, silent and always
//! succeed; and everything else, which people run.

mod backends;
mod cli;
mod command;
mod crash;
mod doctor;
mod hook;
mod view;

use std::ffi::OsStr;
use std::process::ExitCode;

fn main() -> ExitCode {
    crash::tell_only_where();
    let mut args = std::env::args_os().skip(1);
    // Before any argument parser: Codex waits for this.
    if args.next().is_some_and(|first| first == "hook")
        && let backend = args.next().unwrap_or_default()
        && !is_help(&backend)
    {
        hook::run(&backend.to_string_lossy());
        return ExitCode::SUCCESS;
    }
    cli::run()
}

/// Whether somebody asks what `hook` is, which Codex never does.
fn is_help(argument: &OsStr) -> bool {
    argument == "--help" || argument == "-h"
}
