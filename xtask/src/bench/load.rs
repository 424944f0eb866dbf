//! A hundred sessions at once, and one session of 200 MB, delivered by the whole program.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use codex_tracing_tests::{Load, Product, deliver_large};
use tempfile::TempDir;

use super::measured::Measured;
use crate::dist::Dist;

/// A hundred sessions of twenty turns.
const CROWD: Load = Load {
    sessions: 100,
    turns: 20,
    pause: Duration::from_millis(1500),
    patience: Duration::from_mins(5),
};
/// Size of the large session.
const LARGE: u64 = 200 << 20;

/// Many sessions at once, as a table.
pub(super) fn crowd(bin: Option<&Path>) -> anyhow::Result<Measured> {
    let (_folder, bundles) = bundles(bin)?;
    let report = CROWD.run(&bundles)?;
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    let mut out = format!(
        "{} sessions at once, {} turns each, up to {:.1} s between two hooks, into a LangSmith that \
         takes 150 ms for each answer. Everything arrived, each run once. Times of hooks include \
         the shell that Codex starts them with.\n\n",
        CROWD.sessions,
        CROWD.turns,
        CROWD.pause.as_secs_f64(),
    );
    let rows = [
        ("hooks", report.hooks.to_string()),
        ("median", format!("{:.1} ms", milliseconds(report.median))),
        (
            "99th percentile (limit 50 ms)",
            format!("{:.1} ms", milliseconds(report.p99)),
        ),
        ("longest", format!("{:.1} ms", milliseconds(report.longest))),
        ("most workers at once", report.workers.to_string()),
        (
            "their resident memory together",
            format!("{:.0} MB", megabytes(report.resident_bytes)),
        ),
        (
            "without pages of the executable, which they share",
            format!("{:.0} MB", megabytes(report.own_bytes)),
        ),
        ("runs delivered", report.items.to_string()),
        ("all took", format!("{:.0} s", report.took.as_secs_f64())),
    ];
    out.push_str("| | |\n|---|---|\n");
    for (name, value) in rows {
        writeln!(out, "| {name} | {value} |")?;
    }
    let mut measured = Measured::from(out);
    measured.at_most("99th percentile in ms", milliseconds(report.p99), 50.0);
    Ok(measured)
}

/// One very large session, as a table.
pub(super) fn large(bin: Option<&Path>) -> anyhow::Result<Measured> {
    let (_folder, bundles) = bundles(bin)?;
    let mut out = String::from(
        "| | rollout | peak resident (limit 128 MB) | items | on the wire | time |\n\
         |---|---|---|---|---|---|\n",
    );
    let mut measured = Measured::default();
    for product in [Product::LangSmith, Product::Braintrust] {
        let report = deliver_large(product, &bundles, LARGE)?;
        writeln!(
            out,
            "| {product:?} | {:.0} MB | {:.0} MB | {} | {:.0} MB | {:.0} s |",
            megabytes(report.rollout_bytes),
            megabytes(report.peak_bytes),
            report.items,
            megabytes(report.wire_bytes as u64),
            report.took.as_secs_f64(),
        )?;
        let peak = megabytes(report.peak_bytes);
        measured.at_most(&format!("peak in MB, {product:?}"), peak, 128.0);
    }
    measured.text = out;
    Ok(measured)
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

/// Bundles of `bin`, else of a release build, as long as the folder lives.
pub(super) fn bundles(bin: Option<&Path>) -> anyhow::Result<(TempDir, PathBuf)> {
    let folder = tempfile::Builder::new().prefix("bench").tempdir()?;
    let bundles = Dist {
        out: folder.path().join("dist"),
        binaries: bin.iter().map(|bin| bin.display().to_string()).collect(),
        folders_only: true,
        ..Dist::default()
    };
    let bundles = bundles.write()?;
    Ok((folder, bundles))
}
