//! Threads that a turn began without any record naming them: the working thread of a review.
//!
//! Its rollout lies beside its parent's and began while the review's turn ran: thread ids are
//! version 7 UUIDs, so a file's name tells when. From Codex 0.140 on its header names the parent.
//! Before, it is taken only where no other session can have asked for it: same working directory,
//! same program, and nobody else of that kind at work at the time. A review left out is a gap; one
//! taken from another session is somebody else's conversation.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use codex_tracing_transcript::{Delegation, Origin, Scrub, Session, Subagent, Turn};
use jiff::{SignedDuration, Timestamp};

use super::thread::read_header;
use crate::Spawned;

/// The threads that the records of `turn` name.
pub(super) fn children(turn: &Turn) -> Vec<Child> {
    let child = |subagent: &Subagent| Child {
        thread_id: subagent.thread_id.clone(),
        spawned: spawned(turn, subagent.spawned_by.clone()),
    };
    turn.subagents.iter().map(child).collect()
}

/// The working thread of the review that `turn` is. `asking` is the header of the turn's thread,
/// `rollout` the file it was read from.
pub(super) fn reviews(
    turn: &Turn,
    asking: Option<&Session>,
    rollout: Option<&Path>,
    headers: &mut Headers,
) -> Vec<Child> {
    let Some(folder) = rollout.and_then(Path::parent) else {
        return Vec::new();
    };
    let (mut ours, mut unnamed): (Vec<_>, Vec<_>) = review_threads(turn, folder, headers)
        .into_iter()
        .partition(|review| review.parent_thread_id.as_ref() == Some(&turn.thread_id));
    unnamed.retain(|review| {
        review.parent_thread_id.is_none()
            && asking.is_some_and(|asking| is_only_claimant(asking, review, folder, headers))
    });
    // A turn has one review: of several, one at least is somebody else's.
    if unnamed.len() == 1 {
        ours.append(&mut unnamed);
    }
    let child = |review: Session| Child {
        thread_id: review.thread_id,
        spawned: spawned(turn, None),
    };
    ours.into_iter().map(child).collect()
}

/// The headers of rollouts, each read once: a running turn is looked at again and again, and what
/// lies beside its rollout may be all sessions of a busy day.
pub(super) struct Headers {
    scrub: Arc<dyn Scrub>,
    known: BTreeMap<PathBuf, Session>,
}

impl Headers {
    pub(super) fn new(scrub: Arc<dyn Scrub>) -> Self {
        Self {
            scrub,
            known: BTreeMap::new(),
        }
    }

    /// The header of a rollout, without its instructions; `None` as long as it is not whole.
    fn of(&mut self, rollout: PathBuf) -> Option<&Session> {
        match self.known.entry(rollout) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(place) => {
                let mut header = read_header(place.key(), &self.scrub)?;
                header.base_instructions = None;
                Some(place.insert(header))
            }
        }
    }
}

/// The threads that got more to do.
pub(super) fn follow_ups(delegation: Delegation) -> impl Iterator<Item = Child> {
    let asked = Spawned {
        thread_id: delegation.thread_id,
        turn_id: delegation.turn_id,
        turn_number: delegation.turn_number,
        turn_started_at: delegation.turn_started_at,
        parent_turn_id: delegation.parent_turn_id,
        call_id: None,
        call: None,
        led_to: None,
    };
    delegation
        .calls
        .into_iter()
        .map(move |(asking, call)| Child {
            thread_id: asking.thread_id,
            spawned: Spawned {
                call_id: Some(asking.call_id),
                call,
                led_to: asking.led_to,
                ..asked.clone()
            },
        })
}

/// A thread and the turn that spawned it or gave it more to do.
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
        parent_turn_id: turn.parent_turn_id.clone(),
        call: call_id.as_deref().and_then(|id| turn.agent_call(id)),
        call_id,
        led_to: None,
    }
}

/// The working threads of reviews that began while `turn` ran, whoever asked for them.
fn review_threads(turn: &Turn, folder: &Path, headers: &mut Headers) -> Vec<Session> {
    rollouts(folder)
        .filter(|(id, _)| *id != turn.thread_id)
        .filter(|(id, _)| began_at(id).is_some_and(|began| is_within(turn, began)))
        .filter_map(|(_, path)| headers.of(path).cloned())
        .filter(|header| header.origin == Origin::Review)
        .collect()
}

/// Whether of all sessions of that day only `asking` can have asked for `review`.
fn is_only_claimant(
    asking: &Session,
    review: &Session,
    folder: &Path,
    headers: &mut Headers,
) -> bool {
    let is_other = |id: &str| id != asking.thread_id && id != review.thread_id;
    may_have_asked(asking, review)
        && !rollouts(folder)
            .filter(|(id, path)| is_other(id) && was_written_after(path, review.started_at))
            .any(|(_, path)| {
                let other = headers.of(path);
                other.is_some_and(|other| may_have_asked(other, review))
            })
}

/// Whether `session` is of the kind that could have asked for `review`. A header
/// that does not say where it ran has asked for nothing.
fn may_have_asked(session: &Session, review: &Session) -> bool {
    let place = |header: &Session| Some((header.cwd.clone()?, header.originator.clone()?));
    !matches!(session.origin, Origin::Review | Origin::Spawned { .. })
        && session.started_at <= review.started_at
        && place(review).is_some_and(|wanted| place(session) == Some(wanted))
}

/// Whether a session was still at work then, by the time its rollout last grew.
fn was_written_after(rollout: &Path, at: Timestamp) -> bool {
    let changed = std::fs::metadata(rollout).and_then(|meta| meta.modified());
    changed.is_ok_and(|changed| Timestamp::try_from(changed).is_ok_and(|changed| changed >= at))
}

/// The rollouts of a folder with the thread ids of their names.
fn rollouts(folder: &Path) -> impl Iterator<Item = (String, PathBuf)> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|file| {
            let name = file.file_name().into_string().ok()?;
            let stem = name.strip_prefix("rollout-")?.strip_suffix(".jsonl")?;
            let id = stem.get(stem.len().checked_sub(36)?..)?;
            Some((id.to_owned(), file.path()))
        })
}

/// The first 48 bits of a version 7 UUID are milliseconds since 1970.
fn began_at(id: &str) -> Option<Timestamp> {
    let digits: String = id.chars().filter(|digit| *digit != '-').take(12).collect();
    Timestamp::from_millisecond(i64::from_str_radix(&digits, 16).ok()?).ok()
}

fn is_within(turn: &Turn, at: Timestamp) -> bool {
    // The turn's start is a record's time, which may be a little later than the turn itself.
    let slack = SignedDuration::from_secs(2);
    let earliest = turn.window.started_at.saturating_sub(slack);
    earliest.is_ok_and(|earliest| at >= earliest)
        && turn.window.ended_at.is_none_or(|end| at <= end)
}

#[cfg(test)]
mod tests;
