//! Word of failures that belong to no delivery, left where `status` and `doctor` look.

use jiff::Timestamp;

use crate::cursor_file::{Cursor, CursorFile, LastError};
use crate::lock::SessionLock;
use crate::{Destination, SessionDir, StateError};

/// Leaves word in the log and with each destination that a worker could not do its work, unless
/// somebody else is at it by now. `destinations` may be empty where the settings are the trouble:
/// then every destination that the session had is told.
pub fn note_failure(
    session: &SessionDir,
    destinations: &[Destination],
    words: &str,
) -> Result<(), StateError> {
    tracing::error!(session = session.id(), words, "worker gives up");
    let Some(held) = SessionLock::try_acquire(session)? else {
        return Ok(());
    };
    for destination in destinations {
        note_error(session, &destination.id, &destination.label, &held, words);
    }
    if destinations.is_empty() {
        for (id, cursor) in Cursor::look_all(session) {
            note_error(session, &id, &cursor.label, &held, words);
        }
    }
    Ok(())
}

/// Leaves word with one destination.
pub(crate) fn note_error(
    session: &SessionDir,
    destination: &str,
    label: &str,
    held: &SessionLock,
    words: &str,
) {
    let noted = CursorFile::open(session, destination, label, held).and_then(|mut file| {
        file.cursor.last_error = Some(LastError::new(Timestamp::now(), words));
        file.save()
    });
    if let Err(error) = noted {
        tracing::error!(%error, "cursor not saved");
    }
}
