//! A flush asks a worker that gets nowhere to make way.
//!
//! A worker has the settings of the Codex process that it serves. With a mistyped address among them
//! it tries for minutes what cannot be reached, and a flush with the corrected one would wait for it.
//! So the flush leaves the ids of its destinations beside the lock. A worker to which nothing answers looks
//! there, and leaves if they are others than its own. The lock stays the one right to deliver.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::{Destination, SessionDir, secure_file};

/// More than this is no list of ours.
const LIMIT: u64 = 64 << 10;

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

    /// Asks, if what was asked is not there (any more).
    pub(crate) fn renew(&self) {
        let there = secure_file::read_bounded(&self.path, LIMIT);
        if there.is_ok_and(|bytes| bytes == self.ids.as_bytes()) {
            return;
        }
        self.granted.set(self.asked.get());
        // One that cannot ask waits, as it would without.
        let written = secure_file::replace(&self.path, self.ids.as_bytes());
        self.asked.set(written.is_ok());
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

    /// Whether a flush with other destinations asks for the session; whoever is told so leaves.
    pub(crate) fn takes_leave(&self) -> bool {
        let asked = secure_file::read_bounded(&self.path, LIMIT);
        let leaves = asked.is_ok_and(|ids| !ids.is_empty() && ids != self.own.as_bytes());
        if leaves {
            self.forget();
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
