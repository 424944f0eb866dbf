//! A flush asks a worker that gets nowhere to make way.
//!
//! A worker has the settings of the Codex process that it serves. With a mistyped address among them
//! it tries for minutes what cannot be reached, and a flush with the corrected one would wait for it.
//! So the flush leaves the ids of its destinations beside the lock. A worker of which nobody takes
//! anything looks there, leaves if others than its own are among them, and writes down that it did. The
//! lock stays the one right to deliver.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::{Destination, SessionDir, secure_file};

/// More than this is no list of ours.
const LIMIT: u64 = 64 << 10;

/// What an answer begins with; no id does.
const GRANTED: &str = "granted\n";

fn answer(asked: &str) -> String {
    format!("{GRANTED}{asked}")
}

/// What a flush asks for; withdrawn when dropped.
pub(crate) struct Request {
    path: PathBuf,
    ids: String,
    asked: Cell<bool>,
    granted: Cell<bool>,
}

impl Request {
    /// Nothing is asked before [`Request::renew`].
    pub(crate) fn new(session: &SessionDir, destinations: &[Destination]) -> Self {
        Self {
            path: session.wanted_file(),
            ids: list(destinations),
            asked: Cell::new(false),
            granted: Cell::new(false),
        }
    }

    /// Asks, if what was asked is not there (any more) and nobody has made way.
    pub(crate) fn renew(&self) {
        let there = secure_file::read_bounded(&self.path, LIMIT).unwrap_or_default();
        if there == self.ids.as_bytes() || self.hear(&there) {
            return;
        }
        // One that cannot ask waits, as it would without.
        let written = secure_file::replace(&self.path, self.ids.as_bytes());
        self.asked.set(written.is_ok());
    }

    /// Takes the answer, which the next holder of the lock forgets.
    pub(crate) fn look(&self) {
        self.hear(&secure_file::read_bounded(&self.path, LIMIT).unwrap_or_default());
    }

    fn hear(&self, there: &[u8]) -> bool {
        if there == answer(&self.ids).as_bytes() {
            self.granted.set(true);
        }
        self.granted.get()
    }

    /// Whether somebody has made way.
    pub(crate) fn is_granted(&self) -> bool {
        self.granted.get()
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if self.asked.get() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// What the holder of the lock hears.
pub(crate) struct Ear {
    path: PathBuf,
    own: String,
}

impl Ear {
    /// For the holder that delivers to `own`. What was asked of the one before is forgotten.
    pub(crate) fn new(session: &SessionDir, own: &[Destination]) -> Self {
        let ear = Self {
            path: session.wanted_file(),
            own: list(own),
        };
        ear.forget();
        ear
    }

    /// Whether a flush asks for the session that has destinations of which this holder knows nothing;
    /// whoever is told so leaves.
    pub(crate) fn takes_leave(&self) -> bool {
        let asked = secure_file::read_bounded(&self.path, LIMIT).unwrap_or_default();
        let asked = String::from_utf8(asked).unwrap_or_default();
        let is_known = |id: &str| self.own.lines().any(|own| own == id);
        let leaves = !asked.starts_with(GRANTED) && !asked.lines().all(is_known);
        if leaves {
            // Who cannot be answered is not told that somebody made way.
            let _ = secure_file::replace(&self.path, answer(&asked).as_bytes());
        }
        leaves
    }

    fn forget(&self) {
        // Nothing is there, most of the time.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Ids in an order of their own, one a line.
fn list(destinations: &[Destination]) -> String {
    let ids: BTreeSet<&str> = destinations.iter().map(|one| one.id.as_str()).collect();
    ids.into_iter().flat_map(|id| [id, "\n"]).collect()
}
