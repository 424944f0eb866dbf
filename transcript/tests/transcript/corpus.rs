//! The recorded sessions of `tests/corpus`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use codex_tracing_transcript::{Assembler, Lines, Rollout, Turn, Verbatim, read_rollout};

pub(crate) const VERSIONS: [&str; 5] = ["0.128.0", "0.140.0", "0.147.0", "0.155.0", "0.169.0"];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus")
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

/// Names of the scenarios of a version.
pub(crate) fn scenarios(version: &str) -> Vec<String> {
    let folders = sorted(&root().join(version)).into_iter();
    folders
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect()
}

/// Rollouts of a scenario, by time.
pub(crate) fn rollouts(version: &str, scenario: &str) -> Vec<PathBuf> {
    let files = sorted(&root().join(version).join(scenario)).into_iter();
    files
        .filter(|path| path.extension().is_some_and(|kind| kind == "jsonl"))
        .filter(|path| !path.ends_with("hooks.jsonl"))
        .collect()
}

/// Every rollout with a name for messages.
pub(crate) fn all() -> Vec<(String, PathBuf)> {
    let mut all = Vec::new();
    for version in VERSIONS {
        for scenario in scenarios(version) {
            for (number, path) in rollouts(version, &scenario).into_iter().enumerate() {
                all.push((format!("{version} {scenario} {number}"), path));
            }
        }
    }
    assert!(all.len() > 100, "the corpus is incomplete: {}", all.len());
    all
}

pub(crate) fn read(path: &Path) -> Rollout {
    read_rollout(path, Arc::new(Verbatim)).unwrap()
}

/// The turns of a rollout given as bytes, in pieces of the given lengths and then the rest.
pub(crate) fn assemble(bytes: &[u8], cuts: &[usize]) -> (Assembler, Vec<Turn>) {
    let mut assembler = Assembler::new(Arc::new(Verbatim));
    let mut lines = Lines::new(0);
    let mut rest = bytes;
    for cut in cuts {
        let (piece, after) = rest.split_at((*cut).min(rest.len()));
        lines.push(piece, &mut |offset, line| assembler.push(offset, line));
        rest = after;
    }
    lines.push(rest, &mut |offset, line| assembler.push(offset, line));
    let turns = assembler.take_turns();
    (assembler, turns)
}
