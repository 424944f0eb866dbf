//! The command line for people.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use codex_tracing_config::{Context, Product};

use crate::{backends, command, doctor};

/// Native tracing for the Codex CLI: sessions to LangSmith and Braintrust.
#[derive(Debug, Parser)]
#[command(name = "codex-tracing", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run by Codex: one hook event as JSON on stdin; always exits 0
    Hook {
        /// Which backend's plugin runs it
        #[arg(value_parser = backends::names())]
        backend: String,
    },
    /// Internal: delivers one session in the background
    #[command(hide = true)]
    Worker(command::worker::Args),
    /// Deliver everything that is pending, now
    Flush {
        /// Give up after this time, such as `30s` or `2m`
        #[arg(long, default_value = "30s", value_parser = parse_duration)]
        timeout: Duration,
        /// Only this backend
        #[arg(long, value_name = "BACKEND", value_parser = backends::names())]
        backend: Option<String>,
    },
    /// What was delivered, what is pending, what was rejected and why
    Status {
        /// Only this backend
        #[arg(long, value_name = "BACKEND", value_parser = backends::names())]
        backend: Option<String>,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Find every reason why no trace would arrive, each with its cure
    Doctor(doctor::Args),
    /// Effective settings and their JSON Schema
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// What would be sent for a session, as JSON lines; no network
    Export(command::export::Args),
    /// A session as a tree in the terminal
    View(command::view::Args),
    /// Run recorded hook events again
    Replay {
        /// A file written by `recordFile`
        events: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Effective values, each with the file or variable it came from; secrets masked
    Show {
        /// Only this backend
        #[arg(long, value_name = "BACKEND", value_parser = backends::names())]
        backend: Option<String>,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// JSON Schema of a backend's settings file
    Schema {
        /// Whose file
        #[arg(value_parser = backends::names())]
        backend: String,
    },
}

/// Parses the command line, runs the command, and turns an error into words and an exit code.
pub(crate) fn run() -> ExitCode {
    match dispatch(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            command::complain(&error);
            ExitCode::from(2)
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        // `main` takes this before the parser; it stands here for `--help`.
        Command::Hook { backend } => {
            crate::hook::run(&backend);
            Ok(ExitCode::SUCCESS)
        }
        Command::Worker(args) => command::worker::run(&args),
        Command::Flush { timeout, backend } => command::flush::run(timeout, backend.as_deref()),
        Command::Status { backend, json } => command::status::run(json, backend.as_deref()),
        Command::Doctor(args) => doctor::run(&args),
        Command::Config {
            command: ConfigCommand::Show { backend, json },
        } => {
            let product = backend.map(|name| name.parse::<Product>()).transpose()?;
            let context = Context::from_process(None);
            let text = command::config::show(&context, product, json);
            if json {
                command::print_json(&text)?;
            } else {
                command::print(&text)?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Config {
            command: ConfigCommand::Schema { backend },
        } => {
            command::print_json(&command::config::schema(backend.parse()?))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Export(args) => command::export::run(&args),
        Command::View(args) => command::view::run(&args),
        Command::Replay { events } => command::replay::run(&events),
    }
}

/// `90`, `30s`, `500ms`, `2m`, `1h`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number
        .parse()
        .map_err(|_| format!("`{text}` is not a duration; try `30s` or `2m`"))?;
    // Longer than anybody waits, and far from what a clock can hold.
    let number = number.min(24 * 60 * 60 * 1000);
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "" | "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        "h" => Ok(Duration::from_secs(number.saturating_mul(3600))),
        _ => Err(format!("`{unit}` is not a unit of time; use ms, s, m or h")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_that_takes_a_backend_lists_them_and_refuses_others_in_the_same_words() {
        let cases: [&[&str]; 6] = [
            &["hook"],
            &["flush", "--backend"],
            &["doctor", "--backend"],
            &["config", "show", "--backend"],
            &["config", "schema"],
            &["export", "01a1f886", "--backend"],
        ];
        for case in cases {
            let line = ["codex-tracing"].iter().chain(case).chain(&["nothing"]);
            let words = Cli::try_parse_from(line).unwrap_err().to_string();
            assert!(words.contains("invalid value 'nothing'"), "{words}");
            let listed = "[possible values: langsmith, braintrust]";
            assert!(words.contains(listed), "{words}");
        }
    }

    #[test]
    fn durations_take_the_usual_units() {
        assert_eq!(parse_duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_mins(2)));
        for bad in ["", "s", "3x", "-1s", "1.5s"] {
            assert!(parse_duration(bad).is_err(), "{bad:?}");
        }
    }
}
