//! `cargo xtask matrix`: the end-to-end suites on every supported Codex, and COMPATIBILITY.md.

mod measure;
mod report;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use clap::Args;
use codex_tracing_tests::{CodexCli, CodexVersion};

use crate::command;
use measure::Measured;

/// The versions that were measured in full; the newest on npm joins them.
const VERSIONS: [&str; 5] = ["0.128.0", "0.140.0", "0.147.0", "0.155.0", "0.169.0"];

/// Runs the end-to-end suites over many versions of Codex and writes COMPATIBILITY.md.
#[derive(Debug, Args)]
pub(crate) struct Matrix {
    /// These versions only, separated by commas, such as `0.128.0,0.169.0`; COMPATIBILITY.md is
    /// then printed instead of written.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    versions: Vec<String>,
    /// Leave out the suites: measure only.
    #[arg(long)]
    measure_only: bool,
}

/// One column of the report.
#[derive(Debug)]
struct Column {
    version: CodexVersion,
    measured: Measured,
    suites: Option<Suites>,
}

/// What the end-to-end suites said on one version.
#[derive(Debug, Default)]
struct Suites {
    passed: usize,
    failed: Vec<String>,
}

impl Matrix {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let partial = !self.versions.is_empty() || self.measure_only;
        let versions = if self.versions.is_empty() {
            with_newest()?
        } else {
            self.versions
        };
        let mut columns = BTreeMap::new();
        for version in versions {
            println!("── Codex {version}");
            let Some(cli) = CodexCli::get(&version)? else {
                bail!("Codex {version} cannot be installed here");
            };
            let measured = measure::measure(&version)?;
            let suites = (!self.measure_only).then(|| suites(&version)).transpose()?;
            let column = Column {
                version: cli.version(),
                measured,
                suites,
            };
            columns.insert(cli.version(), column);
        }
        let columns: Vec<Column> = columns.into_values().collect();
        let text = report::markdown(&columns);
        if partial {
            println!("{text}");
        } else {
            std::fs::write(command::repository().join("COMPATIBILITY.md"), text)?;
        }
        let failed: Vec<String> = columns
            .iter()
            .flat_map(|column| {
                let failed = column.suites.iter().flat_map(|suites| &suites.failed);
                failed.map(|name| format!("{} on {}", name, column.version))
            })
            .collect();
        if !failed.is_empty() {
            bail!("failed: {}", failed.join(", "));
        }
        Ok(())
    }
}

/// The supported versions and what npm calls the latest.
fn with_newest() -> anyhow::Result<Vec<String>> {
    let npm = codex_tracing_tests::program("npm").context("npm is not installed")?;
    let told = command::output(Command::new(npm).args(["view", "@openai/codex", "version"]))?;
    let mut versions = VERSIONS.map(str::to_owned).to_vec();
    let newest = told.trim().to_owned();
    if !versions.contains(&newest) {
        versions.push(newest);
    }
    Ok(versions)
}

/// Runs every end-to-end suite on one version.
fn suites(version: &str) -> anyhow::Result<Suites> {
    let mut cargo = command::cargo();
    cargo
        .args(["test", "--quiet", "--package", "codex-tracing-tests"])
        .args(["--no-fail-fast", "--test", "e2e*", "--"])
        // One line per test, whatever the terminal.
        .args(["--format", "pretty", "--test-threads", "2"])
        .env("CODEX_TRACING_TEST_VERSIONS", version)
        .env("CODEX_TRACING_REQUIRE_CODEX", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = cargo.spawn().context("cannot run cargo test")?;
    let stdout = child.stdout.take().context("cargo test has no output")?;
    let mut suites = Suites::default();
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        println!("{line}");
        suites.add(&line);
    }
    let status = child.wait()?;
    if suites.passed == 0 || (!status.success() && suites.failed.is_empty()) {
        bail!("the suites did not run on Codex {version} ({status})");
    }
    Ok(suites)
}

impl Suites {
    /// Takes a line of the test harness: `test e2e::name ... ok`.
    fn add(&mut self, line: &str) {
        let Some((name, outcome)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.rsplit_once(" ... "))
        else {
            return;
        };
        match outcome {
            "ok" => self.passed += 1,
            "FAILED" => self.failed.push(name.to_owned()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Suites;

    #[test]
    fn results_of_the_harness_are_counted_by_outcome() {
        let mut suites = Suites::default();
        for line in [
            "running 3 tests",
            "test e2e::a::one ... ok",
            "test e2e::a::two ... FAILED",
            "test e2e::a::three ... ignored",
            "test result: FAILED. 1 passed; 1 failed; 1 ignored",
        ] {
            suites.add(line);
        }
        assert_eq!(
            (suites.passed, suites.failed),
            (1, vec!["e2e::a::two".to_owned()])
        );
    }
}
