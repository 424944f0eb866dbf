//! What was delivered, what waits and what was lost, read from journals and cursors alone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cursor_file::{Cursor, LastError, RejectedTurn};
use crate::journal::JournalReader;
use crate::lock::SessionLock;
use crate::loss::Losses;
use crate::told::turns_after;
use crate::{Destination, JournalEntry, SessionDir, StateDir, StateError};

/// Where one session stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionStatus {
    /// The session's id.
    pub session_id: String,
    /// When its latest hook ran.
    pub last_event_at: Option<Timestamp>,
    /// Name of that hook.
    pub last_event: Option<String>,
    /// Working directory of the session.
    pub cwd: Option<String>,
    /// Whether a worker is at it.
    pub worker: bool,
    /// Lines of the journal that could not be read.
    pub journal_skipped: u64,
    /// Turns that hooks told of, where no destination was ever tried.
    pub untried: u64,
    /// By destination.
    pub destinations: Vec<DestinationStatus>,
}

/// Where one session stands with one destination.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DestinationStatus {
    /// Id of the destination.
    pub id: String,
    /// The destination, for people.
    pub label: String,
    /// Whether it is among those of today's settings: see [`SessionStatus::note_present`].
    pub configured: bool,
    /// Turns delivered.
    pub delivered: u64,
    /// Turns not delivered yet, as far as journal and cursor know.
    pub pending: u64,
    /// Turns that are not to be sent: they ran while tracing was off, were nothing but a command to
    /// us or another product, were sent before, or have gone to another destination.
    pub left_alone: u64,
    /// Number of turns the server will never take.
    pub rejected_count: u64,
    /// The latest of them, with the server's words.
    pub rejected: Vec<RejectedTurn>,
    /// The latest failure that no success followed, else why a rollout cannot be read on.
    pub last_error: Option<LastError>,
    /// It refuses (key, permission, address) until somebody changes something.
    pub refused: bool,
    /// When something was last acknowledged.
    pub acknowledged_at: Option<Timestamp>,
    /// What did not arrive or not whole, by reason.
    pub losses: Losses,
}

impl SessionStatus {
    /// Notes which destinations are among `present`, those of today's settings. One of these that is
    /// new to the session is added if something waits for it.
    pub fn note_present(&mut self, present: &[Destination]) {
        let is_present = |id: &str| present.iter().any(|destination| destination.id == id);
        for place in &mut self.destinations {
            place.configured = is_present(&place.id);
        }
        let pending = self.pending_of_new();
        for destination in present {
            let is_known = |place: &DestinationStatus| place.id == destination.id;
            if pending > 0 && !self.destinations.iter().any(is_known) {
                let cursor = Cursor {
                    label: destination.label.clone(),
                    pending,
                    ..Cursor::default()
                };
                let place = destination_status(destination.id.clone(), cursor, &[]);
                self.destinations.push(place);
            }
        }
    }

    /// Turns that wait for a destination that joins now: it begins behind what others have.
    fn pending_of_new(&self) -> u64 {
        let with_turns = self.destinations.iter().filter(|place| place.delivered > 0);
        let behind = with_turns.map(|place| place.pending).min();
        let all = self.destinations.iter().map(|place| place.pending).max();
        behind.or(all).unwrap_or_default()
    }

    /// Where turns wait that can be delivered.
    pub fn waiting(&self) -> impl Iterator<Item = &DestinationStatus> {
        let places = self.destinations.iter();
        places.filter(|place| place.configured && place.pending > 0)
    }

    /// Turns that wait, counted once for each destination.
    pub fn pending(&self) -> u64 {
        self.untried + self.waiting().map(|place| place.pending).sum::<u64>()
    }
}

/// All sessions of a state folder, the latest first. Every destination counts as configured.
pub fn status(state: &StateDir) -> Vec<SessionStatus> {
    let mut sessions: Vec<SessionStatus> = state.sessions().iter().map(session_status).collect();
    sessions.sort_by_key(|session| std::cmp::Reverse(session.last_event_at));
    sessions
}

/// One session. A journal that cannot be read counts as absent; of a cursor that cannot be, it is said.
pub fn session_status(session: &SessionDir) -> SessionStatus {
    let mut reader = JournalReader::new(session);
    let entries = reader.read_with_offsets().unwrap_or_default();
    let cursors = Cursor::look_all(session);
    let last = entries.last().map(|(_, entry)| entry);
    let at = last.map(|entry| entry.at).unwrap_or_default();
    let unreadable = Cursor::unreadable(session)
        .into_iter()
        .map(|(id, error)| (id.clone(), unknown(id, at, &error)));
    SessionStatus {
        session_id: session.id().to_owned(),
        last_event_at: last.map(|entry| entry.at),
        last_event: last.map(|entry| entry.event.clone()),
        cwd: last
            .and_then(|entry| entry.cwd.as_ref())
            .map(|cwd| cwd.to_string_lossy().into_owned()),
        worker: session.path().is_dir() && SessionLock::is_held(session).unwrap_or(false),
        journal_skipped: reader.skipped(),
        untried: if cursors.is_empty() && unreadable.len() == 0 {
            turns_after(&entries, 0, None)
        } else {
            0
        },
        destinations: cursors
            .into_iter()
            .chain(unreadable)
            .map(|(id, cursor)| destination_status(id, cursor, &entries))
            .collect(),
    }
}

/// What stands for a cursor that is there and cannot be read: nothing is known but why.
fn unknown(id: String, at: Timestamp, error: &StateError) -> Cursor {
    Cursor {
        label: id,
        last_error: Some(LastError {
            at,
            message: error.to_string(),
        }),
        ..Cursor::default()
    }
}

fn destination_status(
    id: String,
    cursor: Cursor,
    entries: &[(u64, JournalEntry)],
) -> DestinationStatus {
    let unseen = turns_after(entries, cursor.journal_seen, Some(&cursor));
    let pending = unseen.max(cursor.waiting());
    let losses = cursor.all_losses();
    DestinationStatus {
        id,
        label: cursor.label,
        configured: true,
        delivered: cursor.delivered,
        pending,
        left_alone: cursor.left_alone,
        rejected_count: cursor.rejected_count,
        rejected: cursor.rejected.into_iter().collect(),
        last_error: cursor.last_error.or(cursor.unread),
        refused: cursor.refused,
        acknowledged_at: cursor.acknowledged_at,
        losses,
    }
}
