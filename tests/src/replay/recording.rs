//! Reading a recorded session (`tests/corpus/README.md` tells the format).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::RECORDED_HOME;

/// A session: its hooks in order of arrival and its rollouts.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) hooks: Vec<Hook>,
    pub(super) rollouts: Vec<Rollout>,
}

/// A hook call.
#[derive(Debug, Clone)]
pub(super) struct Hook {
    pub(super) event: String,
    pub(super) at: Timestamp,
    pub(super) stdin: Value,
    pub(super) transcript: Option<PathBuf>,
    /// Whole lines its transcript had.
    pub(super) lines: usize,
}

/// A rollout, line by line.
#[derive(Debug)]
pub(super) struct Rollout {
    /// Where it lies in the home it is replayed in.
    pub(super) path: PathBuf,
    /// Lines with their ends.
    pub(super) lines: Vec<String>,
    /// Times of the lines, never falling.
    pub(super) times: Vec<Timestamp>,
}

#[derive(Deserialize)]
struct WireHook {
    event: String,
    t: f64,
    stdin: Value,
    lines: Option<usize>,
}

#[derive(Deserialize)]
struct WireRecord {
    timestamp: Timestamp,
}

impl Recording {
    /// Reads the recording in `folder`, its paths moved to `home`.
    pub(super) fn read(folder: &Path, home: &Path) -> anyhow::Result<Self> {
        let moved = |text: &str| text.replace(RECORDED_HOME, &home.display().to_string());
        let hooks = folder.join("hooks.jsonl");
        let text = fs::read_to_string(&hooks)
            .with_context(|| format!("cannot read {}", hooks.display()))?;
        let hooks = moved(&text)
            .lines()
            .map(hook)
            .collect::<anyhow::Result<Vec<_>>>()
            .with_context(|| format!("{} is broken", hooks.display()))?;
        let mut rollouts = Vec::new();
        for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy();
            if name.starts_with("rollout-") && name.ends_with(".jsonl") {
                let text = moved(&fs::read_to_string(entry.path())?);
                rollouts.push(rollout(&name, &text, home));
            }
        }
        Ok(Self { hooks, rollouts })
    }
}

impl Rollout {
    /// How many lines were written before `at`.
    pub(super) fn lines_before(&self, at: Timestamp) -> usize {
        self.times.partition_point(|time| *time <= at)
    }
}

fn hook(line: &str) -> anyhow::Result<Hook> {
    let wire: WireHook = serde_json::from_str(line)?;
    let transcript = wire.stdin.get("transcript_path").and_then(Value::as_str);
    // Seconds of this age keep their microseconds in a double.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an instant of this age fits"
    )]
    let at = Timestamp::from_microsecond((wire.t * 1e6) as i64)?;
    Ok(Hook {
        event: wire.event,
        at,
        transcript: transcript.map(PathBuf::from),
        lines: wire.lines.unwrap_or(0),
        stdin: wire.stdin,
    })
}

fn rollout(name: &str, text: &str, home: &Path) -> Rollout {
    let date = name.trim_start_matches("rollout-");
    let day: Vec<_> = date.get(..10).unwrap_or_default().split('-').collect();
    let folder = home.join(".codex/sessions").join(day.join("/"));
    let lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let mut latest = Timestamp::MIN;
    let times = lines.iter().map(|line| {
        let record = serde_json::from_str::<WireRecord>(line);
        latest = record.map_or(latest, |record| latest.max(record.timestamp));
        latest
    });
    let times = times.collect();
    Rollout {
        path: folder.join(name),
        lines,
        times,
    }
}
