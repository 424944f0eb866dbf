//! `cargo xtask matrix`: the end-to-end suites on every supported Codex, and COMPATIBILITY.md.

mod measure;
mod report;
mod suites;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use codex_tracing_tests::{CodexCli, CodexVersion};
use serde::{Deserialize, Serialize};

use crate::command;
use measure::Measured;
use suites::Suites;

/// The versions that were measured in full; the newest on npm joins them.
const VERSIONS: [&str; 5] = ["0.128.0", "0.140.0", "0.147.0", "0.155.0", "0.169.0"];

/// Runs the end-to-end suites over many versions of Codex and writes COMPATIBILITY.md.
#[derive(Debug, Args)]
pub(crate) struct Matrix {
    /// These versions only, separated by commas, such as `0.128.0,0.169.0`. What others showed when
    /// they were last run (kept below `target/matrix`) stays in COMPATIBILITY.md.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    versions: Vec<String>,
    /// Leave out the suites: measure only.
    #[arg(long)]
    measure_only: bool,
    /// How long the suites may take on one version.
    #[arg(long, value_name = "MINUTES", default_value_t = 30)]
    patience: u64,
    /// Run nothing: only write the report from what was kept.
    #[arg(long, conflicts_with_all = ["versions", "measure_only"])]
    report_only: bool,
}

/// One column of the report.
#[derive(Debug, Serialize, Deserialize)]
struct Column {
    version: String,
    measured: Measured,
    suites: Option<Suites>,
}

impl Matrix {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let versions = match (self.report_only, self.versions.is_empty()) {
            (true, _) => Vec::new(),
            (false, true) => with_newest()?,
            (false, false) => self.versions.clone(),
        };
        let place = codex_tracing_tests::target_dir().join("matrix");
        std::fs::create_dir_all(&place)?;
        let programs = if versions.is_empty() || self.measure_only {
            Vec::new()
        } else {
            suites::build()?
        };
        let mut broken = Vec::new();
        for version in versions {
            say!("── Codex {version}");
            // One version that cannot be had, or whose suites break off, hides no other.
            if let Err(error) = self.one(&version, &programs, &place) {
                eprintln!("Codex {version}: {error:#}");
                broken.push(version);
            }
        }
        let columns = kept(&place)?;
        let text = report::markdown(&columns);
        std::fs::write(command::repository().join("COMPATIBILITY.md"), text)?;
        let failed = columns.iter().flat_map(|column| {
            let failed = column.suites.iter().flat_map(|suites| &suites.failed);
            failed.map(|name| format!("{} on {}", name, column.version))
        });
        let failed: Vec<String> = failed.chain(broken).collect();
        if !failed.is_empty() {
            bail!("failed: {}", failed.join(", "));
        }
        Ok(())
    }

    /// Measures one version, runs the suites on it, and keeps what both showed.
    fn one(&self, version: &str, programs: &[PathBuf], place: &Path) -> anyhow::Result<()> {
        let Some(cli) = CodexCli::get(version)? else {
            bail!("it cannot be installed here");
        };
        let version = cli.version().to_string();
        let file = place.join(format!("{version}.json"));
        let before = std::fs::read(&file).ok();
        let before = before.and_then(|bytes| serde_json::from_slice::<Column>(&bytes).ok());
        let mut column = Column {
            measured: measure::measure(&version)?,
            suites: before.and_then(|column| column.suites),
            version,
        };
        // Twice: suites that break off cost nothing of what was measured.
        std::fs::write(&file, serde_json::to_vec_pretty(&column)?)?;
        if !self.measure_only {
            let patience = Duration::from_secs(self.patience * 60);
            column.suites = Some(suites::run(programs, &column.version, patience)?);
            std::fs::write(&file, serde_json::to_vec_pretty(&column)?)?;
        }
        Ok(())
    }
}

/// What every version showed when it was last run, the oldest version first.
fn kept(place: &Path) -> anyhow::Result<Vec<Column>> {
    let mut columns = BTreeMap::new();
    for entry in std::fs::read_dir(place)? {
        let column: Column = serde_json::from_slice(&std::fs::read(entry?.path())?)?;
        columns.insert(column.version.parse::<CodexVersion>()?, column);
    }
    Ok(columns.into_values().collect())
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
