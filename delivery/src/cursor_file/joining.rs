//! Where a destination begins that joins a session, or comes back to one.
//!
//! What was sent stays where it was sent: such a destination begins behind what others have. One that
//! never got anything and then was not among a session's destinations any more comes back as if it
//! joined: its address may have been a mistake, and what waited for it has gone elsewhere since.

use std::collections::BTreeMap;

use super::{Cursor, CursorFile, find, places};
use crate::lock::SessionLock;
use crate::{Destination, SessionDir, StateError};

/// Whether a destination has ever taken anything of the session, as far as cursors can be read: one
/// that cannot may have it.
pub fn has_arrived(session: &SessionDir) -> bool {
    let cursors = Cursor::look_all(session);
    let has_any = cursors.iter().any(|(_, cursor)| cursor.has_arrived());
    has_any || !Cursor::unreadable(session).is_empty()
}

impl Cursor {
    /// Where a destination begins that joins the session now: behind what others have, so that
    /// changed settings never send elsewhere what was already sent. Destinations that never got
    /// anything do not count: a wrong address loses nothing once it is corrected. Fails where it
    /// cannot be told now what others have.
    pub(super) fn joining(session: &SessionDir) -> Result<Self, StateError> {
        let mut joined_after = BTreeMap::new();
        for (_, path) in places(session)? {
            let Some(other) = find(&path)?.cursor().filter(|other| other.delivered > 0) else {
                continue;
            };
            for (id, thread) in other.threads {
                let last: &mut u32 = joined_after.entry(id).or_default();
                *last = thread.settled.max(*last);
            }
        }
        Ok(Self {
            joined_after,
            ..Self::default()
        })
    }

    /// Whether a turn was dealt with before this destination joined.
    pub(crate) fn joined_later(&self, thread_id: &str, number: u32) -> bool {
        let last = self.joined_after.get(thread_id);
        last.is_some_and(|last| number <= *last)
    }

    /// Whether the destination has ever taken anything, or said that it never will.
    pub(crate) fn has_arrived(&self) -> bool {
        self.delivered > 0 || self.rejected_count > 0 || self.acknowledged_at.is_some()
    }

    /// Whether the destination is to begin anew: it comes back, and had nothing.
    pub(super) fn comes_back(&self) -> bool {
        self.absent && !self.has_arrived()
    }
}

/// Notes at each destination of the session that is not among `present` and never got anything that the
/// session goes on without it. To be called before cursors of new destinations are made: where one of
/// `present` was there before, the other may only be missing in this shell's settings.
pub(crate) fn note_absence(session: &SessionDir, present: &[Destination], held: &SessionLock) {
    let known = Cursor::look_all(session);
    let is_present = |id: &str| present.iter().any(|destination| destination.id == id);
    if known.iter().any(|(id, _)| is_present(id)) {
        return;
    }
    for (id, cursor) in known {
        if cursor.absent || cursor.has_arrived() {
            continue;
        }
        let noted = CursorFile::open(session, &id, &cursor.label, held).and_then(|mut file| {
            file.cursor.absent = true;
            file.save()
        });
        if let Err(error) = noted {
            tracing::warn!(%error, "cursor not saved");
        }
    }
}
