//! `cargo xtask demo`: the main job, shown with nothing else installed.
//!
//! Starts a collector on loopback, feeds a recorded session to the real hook binary event by event
//! as Codex would (or, with `--codex`, runs a turn of the real Codex CLI against a scripted model),
//! and prints the trace that arrived.

mod tree;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use codex_tracing_tests::{
    CodexCli, CodexHome, Collector, ModelServer, Output, Replay, Scenario, corpus,
};

use crate::dist::Dist;

/// The Codex that the recordings shown here were made with.
const CODEX: &str = "0.169.0";
/// Which bundle and plugin is shown.
const BUNDLE: &str = "langsmith-codex-plugins";
const PLUGIN: &str = "tracing";
/// How long a trace may take to arrive before `flush` is asked.
const PATIENCE: Duration = Duration::from_secs(10);

/// Shows a traced session.
#[derive(Debug, Args)]
#[command(after_help = format!("Scenarios: {}", scenarios().join(", ")))]
pub(crate) struct Demo {
    /// Run the real Codex CLI (from npm) instead of a recording.
    #[arg(long)]
    codex: bool,
    /// Which recorded session of Codex 0.169.0, or scenario for `--codex`.
    #[arg(long, default_value = "failing-tool")]
    scenario: String,
    /// Use this executable instead of building one.
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
}

impl Demo {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let recording = corpus(CODEX, &self.scenario);
        if !recording.join("scenario.json").is_file() {
            bail!(
                "there is no recorded session `{}`; there are: {}",
                self.scenario,
                scenarios().join(", ")
            );
        }
        let dist = Dist {
            out: codex_tracing_tests::target_dir().join("demo"),
            binaries: self
                .bin
                .iter()
                .map(|bin| bin.display().to_string())
                .collect(),
            folders_only: true,
            ..Dist::default()
        };
        let bundle = dist.write()?.join(BUNDLE);
        let collector = Collector::start()?;
        if self.codex {
            real(&collector, &bundle, &recording)?;
        } else {
            recorded(&collector, &bundle, &recording)?;
        }
        let runs = collector.runs();
        say!("\n{}", tree::render(&runs));
        let problems = runs.problems();
        if runs.all().is_empty() {
            bail!("no trace arrived");
        }
        if !problems.is_empty() {
            bail!("the trace is not sound:\n{}", problems.join("\n"));
        }
        Ok(())
    }
}

/// The names of the recorded sessions.
fn scenarios() -> Vec<String> {
    let folders = walkdir::WalkDir::new(corpus(CODEX, ""))
        .min_depth(1)
        .max_depth(1)
        .sort_by_file_name();
    let found = folders.into_iter().filter_map(Result::ok);
    found
        .filter(|entry| entry.path().join("scenario.json").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// What switches tracing on and points it at the collector.
fn settings(collector: &Collector) -> [(&'static str, String); 4] {
    [
        ("TRACE_TO_LANGSMITH", "true".to_owned()),
        ("LANGSMITH_CODEX_API_KEY", "demo-key".to_owned()),
        ("LANGSMITH_CODEX_ENDPOINT", collector.url()),
        ("LANGSMITH_CODEX_PROJECT", "demo".to_owned()),
    ]
}

fn recorded(collector: &Collector, bundle: &Path, recording: &Path) -> anyhow::Result<()> {
    say!("A recorded session of Codex {CODEX}, fed to the hook event by event:\n");
    let mut replay = Replay::new(recording, bundle, PLUGIN)?;
    for (name, value) in settings(collector) {
        replay.set_env(name, &value);
    }
    let mut loud = Vec::new();
    while let Some(run) = replay.step()? {
        let millis = run.output.took.as_secs_f64() * 1000.0;
        say!("  {:<18} hook took {millis:6.1} ms", run.event);
        if run.output.code != Some(0) || !run.output.stdout.is_empty() {
            loud.push(format!("{}: {:?}", run.event, run.output));
        }
    }
    replay.finish()?;
    if !loud.is_empty() {
        bail!("a hook must exit 0 and print nothing:\n{}", loud.join("\n"));
    }
    collector.wait_until(PATIENCE, complete);
    flushed(&replay.call(&["flush"])?)?;
    say!(
        "\nstate (deleted when this ends): {}",
        replay.plugin_data().display()
    );
    for file in state_files(&replay.plugin_data()) {
        say!("  {file}");
    }
    Ok(())
}

fn real(collector: &Collector, bundle: &Path, recording: &Path) -> anyhow::Result<()> {
    let Some(cli) = CodexCli::get(CODEX)? else {
        bail!("Codex {CODEX} could not be installed from npm (the reason is above)");
    };
    let scenario = Scenario::read(&recording.join("scenario.json"))?;
    let model = ModelServer::start(&scenario.script())?;
    let mut sandbox = CodexHome::new(&cli, &model, &scenario)?;
    let plugin = sandbox.install_bundle(bundle, PLUGIN)?;
    for (name, value) in settings(collector) {
        sandbox.set_env(name, &value);
    }
    say!(
        "A turn of the real Codex {} with a scripted model:\n",
        cli.version()
    );
    let bare = untraced(&cli, &scenario)?;
    say!("  codex took {bare:.2} s without the plugin");
    for output in sandbox.run_scenario(&scenario, &model, &[])? {
        let seconds = output.took.as_secs_f64();
        let code = output.code.map_or_else(
            || "ended by a signal".to_owned(),
            |code| format!("exit code {code}"),
        );
        say!("  codex took {seconds:.2} s with it, {code}");
        for line in output
            .stderr
            .lines()
            .filter(|line| line.starts_with("hook: "))
        {
            say!("    {line}");
        }
    }
    collector.wait_until(PATIENCE, complete);
    let cache = plugin.cache(&sandbox.codex_home());
    let mut flush = Command::new(cache.join("bin/codex-tracing"));
    flush.arg("flush");
    flushed(&sandbox.run(flush, &[])?)?;
    let state = plugin.data(&sandbox.codex_home());
    say!("\nstate (deleted when this ends): {}", state.display());
    for file in state_files(&state) {
        say!("  {file}");
    }
    Ok(())
}

/// Seconds that the same takes in a sandbox without the plugin.
fn untraced(cli: &CodexCli, scenario: &Scenario) -> anyhow::Result<f64> {
    let model = ModelServer::start(&scenario.script())?;
    let sandbox = CodexHome::new(cli, &model, scenario)?;
    let outputs = sandbox.run_scenario(scenario, &model, &[])?;
    let seconds = outputs.iter().map(|output| output.took.as_secs_f64());
    Ok(seconds.sum())
}

/// Whether there is a root run that has ended, with everything below it sound.
fn complete(collector: &Collector) -> bool {
    let runs = collector.runs();
    !runs.all().is_empty() && runs.problems().is_empty()
}

fn flushed(output: &Output) -> anyhow::Result<()> {
    if output.code == Some(0) {
        return Ok(());
    }
    bail!(
        "codex-tracing flush failed:\n{}{}",
        output.stdout,
        output.stderr
    );
}

/// Every file below the state folder with its size.
fn state_files(folder: &Path) -> Vec<String> {
    walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| {
            let name = entry
                .path()
                .strip_prefix(folder)
                .ok()?
                .display()
                .to_string();
            Some(format!("{name} ({} bytes)", entry.metadata().ok()?.len()))
        })
        .collect()
}
