//! The log file: JSON lines, for the owner only, of bounded size. Never the terminal.
//!
//! Only what this project says is logged; libraries below it are left out, for their debug output
//! may quote requests. Hooks and workers of many sessions write the same file at once: each line
//! is one append, and carries the `pid` of its writer. At 5 MB the file becomes `<name>.1`.
//!
//! Whatever goes wrong with the log stays without effect on the rest.

mod file;

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use file::LogFile;

/// Crates that are logged begin like this.
const OWN_TARGETS: &str = "codex_tracing";

/// The file becomes `<name>.1` when it has grown past this many bytes.
const LARGEST_FILE: u64 = 5 * 1024 * 1024;

/// Whether a log is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogState {
    /// Lines go to the file.
    On,
    /// Switched off by its level.
    Off,
    /// It could not be opened, for this reason; nothing is logged.
    Failed(String),
}

/// Starts logging to `path` for this process; the folder must exist.
///
/// `level` is `off`, `error`, `warn`, `info` or `debug` in any case; nothing or anything else
/// means `info`. Symlinks and special files are refused. Cheap enough for a hook: one `open`.
pub fn init(path: &Path, level: Option<&str>) -> LogState {
    let level = parse_level(level);
    if level == LevelFilter::OFF {
        return LogState::Off;
    }
    let started = LogFile::open(path, LARGEST_FILE)
        .map_err(|error| format!("cannot open {}: {error}", path.display()))
        .and_then(|file| {
            let registry = tracing_subscriber::registry().with(layer(file, level));
            registry.try_init().map_err(|error| error.to_string())
        });
    match started {
        Ok(()) => LogState::On,
        Err(why) => LogState::Failed(why),
    }
}

fn parse_level(level: Option<&str>) -> LevelFilter {
    let level = level.unwrap_or_default().trim();
    LevelFilter::from_str(level)
        .ok()
        .filter(|_| !level.is_empty() && !level.starts_with(|c: char| c.is_ascii_digit()))
        .unwrap_or(LevelFilter::INFO)
        .min(LevelFilter::DEBUG)
}

fn layer<S>(file: LogFile, level: LevelFilter) -> impl Layer<S>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(true)
        // Its complaints about a full disk would go to the terminal.
        .log_internal_errors(false)
        .with_writer(file)
        .with_filter(Targets::new().with_target(OWN_TARGETS, level))
}

impl fmt::Display for LogState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On => f.write_str("on"),
            Self::Off => f.write_str("off"),
            Self::Failed(why) => write!(f, "off: {why}"),
        }
    }
}

#[cfg(test)]
mod tests;
