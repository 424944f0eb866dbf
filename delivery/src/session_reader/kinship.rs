//! Threads that a turn began without any record naming them: the working thread of a review.
//!
//! Its rollout lies beside its parent's, names the parent in its header (Codex 0.140 and later),
//! and began while the review's turn ran: thread ids are version 7 UUIDs, so a file's name tells when.

use std::path::Path;
use std::sync::Arc;

use codex_tracing_transcript::{Origin, Scrub, Subagent, Turn, TurnKind};
use jiff::{SignedDuration, Timestamp};

use super::thread::read_header;
use crate::Spawned;

/// The threads that `turn` spawned: those its records name and, for a review, its working thread.
/// `rollout` is the file the turn was read from.
pub(super) fn children(turn: &Turn, rollout: Option<&Path>, scrub: &Arc<dyn Scrub>) -> Vec<Child> {
    let mut children: Vec<Child> = turn
        .subagents
        .iter()
        .map(|subagent: &Subagent| Child {
            thread_id: subagent.thread_id.clone(),
            spawned: spawned(turn, subagent.spawned_by.clone()),
        })
        .collect();
    if turn.kind == TurnKind::Review && children.is_empty() {
        let folder = rollout.and_then(Path::parent);
        let found = folder.map(|folder| review_threads(turn, folder, scrub));
        children.extend(found.into_iter().flatten().map(|thread_id| Child {
            thread_id,
            spawned: spawned(turn, None),
        }));
    }
    children
}

/// A thread and the turn that spawned it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Child {
    pub(crate) thread_id: String,
    pub(crate) spawned: Spawned,
}

fn spawned(turn: &Turn, call_id: Option<String>) -> Spawned {
    Spawned {
        thread_id: turn.thread_id.clone(),
        turn_id: turn.id.clone(),
        turn_number: turn.number,
        turn_started_at: turn.window.started_at,
        call_id,
    }
}

fn review_threads(turn: &Turn, folder: &Path, scrub: &Arc<dyn Scrub>) -> Vec<String> {
    let Ok(files) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    files
        .flatten()
        .filter_map(|file| {
            let name = file.file_name().into_string().ok()?;
            let stem = name.strip_prefix("rollout-")?.strip_suffix(".jsonl")?;
            let id = stem.get(stem.len().checked_sub(36)?..)?;
            let began = began_at(id)?;
            if id == turn.thread_id || !is_within(turn, began) {
                return None;
            }
            let header = read_header(&file.path(), scrub)?;
            let of_this = header
                .parent_thread_id
                .is_none_or(|parent| parent == turn.thread_id);
            (header.origin == Origin::Review && of_this).then_some(header.thread_id)
        })
        .collect()
}

/// The first 48 bits of a version 7 UUID are milliseconds since 1970.
fn began_at(id: &str) -> Option<Timestamp> {
    let digits: String = id.chars().filter(|digit| *digit != '-').take(12).collect();
    Timestamp::from_millisecond(i64::from_str_radix(&digits, 16).ok()?).ok()
}

fn is_within(turn: &Turn, at: Timestamp) -> bool {
    // The turn's start is a record's time, which may be a little later than the turn itself.
    let slack = SignedDuration::from_secs(2);
    at >= turn.window.started_at - slack && turn.window.ended_at.is_none_or(|end| at <= end)
}
