//! One worker per session: an advisory lock that dies with its holder.
//!
//! The lock file is never deleted: two processes could otherwise hold "the" lock on two files.

use std::fs::{File, TryLockError};

use crate::secure_file;
use crate::state::{SessionDir, StateError};

/// Held by whoever delivers a session; released when dropped or when the process ends.
#[derive(Debug)]
pub struct SessionLock {
    _file: File,
}

impl SessionLock {
    /// Takes the lock, or `None` if somebody holds it.
    pub fn try_acquire(session: &SessionDir) -> Result<Option<Self>, StateError> {
        session.create()?;
        let file = open(session)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(StateError::Write {
                path: session.lock_file(),
                source,
            }),
        }
    }

    /// Whether a worker holds it. Looks with a shared lock, so that two who look at the same time
    /// do not take each other for a worker.
    pub fn is_held(session: &SessionDir) -> Result<bool, StateError> {
        let file = open(session)?;
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(source)) => Err(StateError::Read {
                path: session.lock_file(),
                source,
            }),
        }
    }
}

fn open(session: &SessionDir) -> Result<File, StateError> {
    let path = session.lock_file();
    secure_file::open_write(&path).map_err(|source| StateError::Write { path, source })
}
