//! What one destination has acknowledged of one session, on disk.
//!
//! One JSON object per (session, destination) in `cursor-<destination id>.json`: versioned,
//! replaced atomically, not rewritten when equal. It holds no content: the header inside a
//! [`Carry`] is kept without base instructions. One that cannot be understood costs a second sending
//! of the same ids, nothing else. One that is absent belongs to a destination that joins: it begins
//! behind what the session's other destinations have, if any has got something. One that is there and
//! cannot be read now is left alone, and its destination waits. A file of a newer version is read as
//! far as it is understood and never written.

mod file;
mod joining;
mod thrift;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use codex_tracing_transcript::{Carry, FileIdentity, Skipped};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::loss::{Loss, Losses};
use crate::session_reader::Spawned;
use crate::{Eligibility, SessionDir, StateError};

pub(crate) use file::CursorFile;
use file::{find, places};
pub use joining::has_arrived;
pub(crate) use joining::note_absence;

/// Version of the format.
pub const CURSOR_VERSION: u32 = 1;
/// A larger file is not ours, and none is written: as many threads as a session may have, each with
/// as many calls that led to its turns as are remembered, take less.
const LIMIT: u64 = 64 << 20;
/// Rejected turns kept with the server's words; older ones are only counted.
const REJECTED_KEPT: usize = 20;
/// Turns per thread whose digest is kept, to notice a late record.
const DIGESTS_KEPT: usize = 8;

/// What one destination has acknowledged of one session.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// [`CURSOR_VERSION`] of the writer.
    #[serde(rename = "v")]
    pub version: u32,
    /// The destination, for people.
    #[serde(default)]
    pub label: String,
    /// Bytes of the journal whose turns are all settled.
    #[serde(default)]
    pub journal_seen: u64,
    /// Bytes of the journal as of which nothing was left but turns still running, as the worker
    /// that holds the lock last saw it. Says nothing once that worker is gone.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub caught_up: u64,
    /// The latest end of any turn of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_ended_at: Option<Timestamp>,
    /// By thread id.
    #[serde(default)]
    pub threads: BTreeMap<String, ThreadCursor>,
    /// By thread id: the last turn that other destinations had dealt with when this one was first
    /// met. Up to there the session is theirs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub joined_after: BTreeMap<String, u32>,
    /// It had got nothing when the session went on with other destinations.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub absent: bool,
    /// Turns delivered.
    #[serde(default)]
    pub delivered: u64,
    /// Turns that are not to be sent: see [`DestinationStatus`](crate::DestinationStatus).
    #[serde(default)]
    pub left_alone: u64,
    /// Turns that were ready when delivery was last given up.
    #[serde(default)]
    pub pending: u64,
    /// A rollout that could not be read past some place when that was last tried: which, why, and
    /// when that was noticed. Nobody knows how many turns stand behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<LastError>,
    /// Turns the server will never take, latest last.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub rejected: VecDeque<RejectedTurn>,
    /// How many there were.
    #[serde(default)]
    pub rejected_count: u64,
    /// The latest failure, cleared by success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastError>,
    /// The destination refuses (key, permission, address) until somebody changes something.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// When a batch was last acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
    /// What did not arrive or not whole, by reason.
    #[serde(default)]
    pub losses: Losses,
}

/// Where one thread stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ThreadCursor {
    /// Its rollout when last seen.
    #[serde(default)]
    pub path: PathBuf,
    /// Which file that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<FileIdentity>,
    /// Where to go on reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry: Option<Carry>,
    /// Number of the last turn that needs nothing more; all before it are settled too.
    #[serde(default)]
    pub settled: u32,
    /// The turn that spawned the thread; `None` for the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spawned: Option<Spawned>,
    /// Later turns that gave the thread more to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follow_ups: Vec<Spawned>,
    /// What was decided over the turn that spawned the thread; `None` for the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inherited: Option<Eligibility>,
    /// The rollout up to here is dealt with, and no turn is running: set for children only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_to: Option<u64>,
    /// Lines and records left out, by reason; the most that one run met.
    #[serde(default, skip_serializing_if = "Skipped::is_empty")]
    pub skipped: Skipped,
    /// The rollout was never found, or of the root is gone with turns that were not delivered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
    /// The latest delivered turns.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub turns: BTreeMap<u32, DeliveredTurn>,
}

/// A delivered turn, as far as needed to notice that it changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveredTurn {
    /// Codex's id.
    pub id: String,
    /// Digest of the turn's model.
    pub digest: String,
    /// Delivered on a hook's word, before its end record.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
    /// Delivered as cut off, once: Codex seemed gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut_off: bool,
}

/// A turn the server will never take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedTurn {
    /// Its thread.
    pub thread_id: String,
    /// Its id.
    pub turn_id: String,
    /// What the server said.
    pub words: String,
}

/// A failure worth telling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub message: String,
}

impl LastError {
    /// The first 500 characters of `words`.
    pub(crate) fn new(at: Timestamp, words: &str) -> Self {
        let message = words.chars().take(500).collect();
        Self { at, message }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde asks for"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Cursor {
    /// The cursor of `destination`, for looking only; `None` if there is none to be understood.
    pub fn look(session: &SessionDir, destination: &str) -> Option<Self> {
        find(&session.cursor_file(destination)?).ok()?.cursor()
    }

    /// Every cursor of a session, by destination id.
    pub fn look_all(session: &SessionDir) -> Vec<(String, Self)> {
        let places = places(session).unwrap_or_default().into_iter();
        places
            .filter_map(|(id, path)| Some((id, find(&path).ok()?.cursor()?)))
            .collect()
    }

    /// Destinations whose cursor is there and cannot be read now, with what is to be said of it.
    pub(crate) fn unreadable(session: &SessionDir) -> Vec<(String, StateError)> {
        let places = places(session).unwrap_or_default().into_iter();
        places
            .filter_map(|(id, path)| Some((id, find(&path).err()?)))
            .collect()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes)
            .ok()
            .or_else(|| Self::parse_leniently(bytes))
    }

    /// A newer format: every field that still reads is taken, the others are left at nothing.
    fn parse_leniently(bytes: &[u8]) -> Option<Self> {
        let serde_json::Value::Object(fields) = serde_json::from_slice(bytes).ok()? else {
            return None;
        };
        let version = fields.get("v").and_then(serde_json::Value::as_u64)?;
        if version <= u64::from(CURSOR_VERSION) {
            return None;
        }
        let mut kept = serde_json::Map::new();
        kept.insert("v".to_owned(), version.into());
        for (name, value) in fields {
            let mut attempt = kept.clone();
            attempt.insert(name.clone(), value.clone());
            if serde_json::from_value::<Self>(attempt.into()).is_ok() {
                kept.insert(name, value);
            }
        }
        serde_json::from_value(kept.into()).ok()
    }

    /// Notes that a turn was rejected, and `items` of it. One that is known as rejected, because it
    /// was sent on a hook's word or as cut off before, is counted once; the latest words stay.
    pub fn reject(&mut self, turn: RejectedTurn, items: u64) {
        let known = self.rejected.len();
        self.rejected.retain(|known| known.turn_id != turn.turn_id);
        if self.rejected.len() == known {
            self.rejected_count += 1;
            self.losses.add(Loss::ItemRejected, items);
        }
        self.rejected.push_back(turn);
        while self.rejected.len() > REJECTED_KEPT {
            self.rejected.pop_front();
        }
    }

    /// Everything that did not arrive or not whole, by reason: what the destination did not take,
    /// and what was left out of the rollouts.
    pub fn all_losses(&self) -> Losses {
        let mut sum = self.losses.clone();
        for thread in self.threads.values() {
            sum.add_skipped(&thread.skipped);
            sum.add(Loss::RolloutMissing, u64::from(thread.missing));
        }
        sum
    }

    /// Turns known to wait: those that were ready, and at least one where a rollout could not be read.
    pub(crate) fn waiting(&self) -> u64 {
        self.pending.max(u64::from(self.unread.is_some()))
    }

    /// Whether turns of a thread are lost with its rollout.
    pub(crate) fn lacks_rollout(&self, thread_id: &str) -> bool {
        let thread = self.threads.get(thread_id);
        thread.is_some_and(|thread| thread.missing)
    }

    /// Whether `turn_id` was delivered, on a hook's word or for good, as far as remembered.
    pub fn has_delivered(&self, turn_id: &str) -> bool {
        self.threads
            .values()
            .any(|thread| thread.turns.values().any(|turn| turn.id == turn_id))
    }
}

impl ThreadCursor {
    /// Remembers a delivered turn.
    pub fn remember(&mut self, number: u32, turn: DeliveredTurn) {
        self.turns.insert(number, turn);
        while self.turns.len() > DIGESTS_KEPT {
            self.turns.pop_first();
        }
    }
}
