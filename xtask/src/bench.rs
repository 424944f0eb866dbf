//! `cargo xtask bench`: measurements, written into BENCHMARKS.md between markers.

mod hook;
mod load;
mod measured;
mod report;
mod turn;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use crate::command;
use measured::Measured;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// The hook's time, as a ratio to `/bin/true` started the same way.
    Hook,
    /// A whole turn of the real Codex, with and without the plugin.
    Turn,
    /// Reading a large session.
    Transcript,
    /// Looking for secrets.
    Redact,
    /// Bytes on the wire.
    Wire,
    /// A hundred sessions at once.
    Load,
    /// The memory that a very large session takes.
    Memory,
}

/// Measures and writes BENCHMARKS.md.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    what: What,
    /// Runs of each case of the hook, or of the turn.
    #[arg(long, default_value_t = 200)]
    runs: usize,
    /// Measure this executable instead of building one.
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
    /// Only print; leave BENCHMARKS.md as it is.
    #[arg(long)]
    dry_run: bool,
}

impl Bench {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let (name, measured) = match self.what {
            What::Hook => ("hook", hook::measure(self.runs, self.bin.as_deref())?),
            What::Turn => ("turn", turn::measure(self.runs, self.bin.as_deref())?),
            What::Transcript => ("transcript", transcript()?),
            What::Redact => ("redact", redact()?),
            What::Load => ("load", load::crowd(self.bin.as_deref())?),
            What::Memory => ("memory", load::large(self.bin.as_deref())?),
            What::Wire => {
                let rollout = rollout("long")?.display().to_string();
                (
                    "wire",
                    example("codex-tracing-langsmith", "weigh", &[&rollout])?,
                )
            }
        };
        say!("{}", measured.text);
        if self.dry_run {
            return measured.check();
        }
        let command = format!("cargo xtask bench {name}");
        report::write(
            &command::repository().join("BENCHMARKS.md"),
            name,
            &command,
            &measured.text,
        )?;
        measured.check()
    }
}

/// The median in milliseconds.
fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    let middle = times.get(times.len() / 2).copied().unwrap_or_default();
    middle.as_secs_f64() * 1000.0
}

fn transcript() -> anyhow::Result<Measured> {
    let mut measured = example("codex-tracing-transcript", "bench_transcript", &[])?;
    let (ratio, peak) = (measured.number("ratio")?, measured.number("peak memory")?);
    let resume = measured.number("resume / whole")?;
    measured.at_least("throughput, as a ratio to the baseline", ratio, 0.4);
    measured.at_most("peak memory in MiB", peak, 64.0);
    measured.at_most("resuming, as a ratio to reading it whole", resume, 0.05);
    Ok(measured)
}

fn redact() -> anyhow::Result<Measured> {
    let mut measured = example("codex-tracing-redact", "bench_redact", &[])?;
    for kind in ["ordinary output, mixed", "code", "log", "listing", "JSON"] {
        let rate = measured.number(kind)?;
        measured.at_least(&format!("MB/s of {kind}"), rate, 100.0);
    }
    Ok(measured)
}

/// A crate's own measurement: what its example prints, as it stands.
fn example(package: &str, name: &str, arguments: &[&str]) -> anyhow::Result<Measured> {
    let mut cargo = command::cargo();
    cargo.args([
        "run",
        "--quiet",
        "--release",
        "--locked",
        "--package",
        package,
    ]);
    cargo.args(["--example", name, "--"]).args(arguments);
    let printed = command::output(&mut cargo)?;
    Ok(format!("```text\n{}\n```", printed.trim_end()).into())
}

/// The rollout of a recorded session of one thread.
fn rollout(scenario: &str) -> anyhow::Result<PathBuf> {
    let folder = codex_tracing_tests::corpus("0.169.0", scenario);
    let mut files = fs::read_dir(&folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    files
        .find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("rollout-")
        })
        .with_context(|| format!("no rollout in {}", folder.display()))
}
