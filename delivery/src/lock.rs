//! One worker per session: an advisory lock that dies with its holder.
//!
//! The hook that finds the lock free takes it and hands it to the worker it starts, as the worker's
//! stdin: the lock belongs to the open file, so it is never free in between, and hooks that run at
//! the same time start one worker together, not one each. On Windows a lock belongs to a process: the
//! hook lets go of it, and of several workers one gets it.
//!
//! The lock file is deleted with its session's folder alone, by whoever holds it: two processes could
//! otherwise hold "the" lock on two files.

use std::fs::{File, TryLockError};
use std::io;

use crate::state::{SessionDir, StateError};
use crate::{platform, secure_file};

/// Held by whoever delivers a session; released when dropped or when the process ends.
#[derive(Debug)]
pub struct SessionLock {
    file: File,
}

impl SessionLock {
    /// Takes the lock, or `None` if somebody holds it or just looks at it.
    pub fn try_acquire(session: &SessionDir) -> Result<Option<Self>, StateError> {
        session.create()?;
        take(session, open(session)?)
    }

    /// The lock that a hook has handed over as stdin, which is `/dev/null` afterwards; `None` if
    /// stdin is anything else, and on Windows.
    pub fn handed_over(session: &SessionDir) -> Result<Option<Self>, StateError> {
        accept(session, platform::handed_over(&session.lock_file()))
    }

    /// Whether a worker holds it. Looks with a shared lock, so that two who look at the same time
    /// do not take each other for a worker.
    pub fn is_held(session: &SessionDir) -> Result<bool, StateError> {
        let file = open(session)?;
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(source)) => Err(untried(session, source)),
        }
    }

    /// The locked file, for the worker that is to hold it.
    pub(crate) fn into_file(self) -> File {
        self.file
    }
}

fn take(session: &SessionDir, file: File) -> Result<Option<SessionLock>, StateError> {
    match file.try_lock() {
        Ok(()) => Ok(Some(SessionLock { file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(untried(session, source)),
    }
}

/// Takes what was found on stdin.
fn accept(
    session: &SessionDir,
    found: io::Result<Option<File>>,
) -> Result<Option<SessionLock>, StateError> {
    match found {
        // Taken already, if it was handed over: then this changes nothing.
        Ok(file) => file.map_or(Ok(None), |file| take(session, file)),
        Err(source) => Err(StateError::HandOver {
            path: session.lock_file(),
            source,
        }),
    }
}

fn untried(session: &SessionDir, source: io::Error) -> StateError {
    StateError::Lock {
        path: session.lock_file(),
        source,
    }
}

fn open(session: &SessionDir) -> Result<File, StateError> {
    let path = session.lock_file();
    secure_file::open_write(&path).map_err(|source| StateError::Write { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StateDir;

    #[test]
    fn a_lock_that_cannot_be_taken_over_is_not_called_unreadable() {
        let session = StateDir::at("/state").session("one").unwrap();
        let failure = || io::Error::from(io::ErrorKind::NotFound);
        let words = accept(&session, Err(failure())).unwrap_err().to_string();
        assert!(words.starts_with("cannot take over"), "{words}");
        assert!(
            words.contains("lock, which a hook handed over as stdin"),
            "{words}"
        );
        let words = untried(&session, failure()).to_string();
        assert!(words.starts_with("cannot lock"), "{words}");
    }
}
