//! One worker per session: an advisory lock that dies with its holder.
//!
//! The hook that finds the lock free takes it and hands it to the worker it starts, as the worker's
//! stdin: the lock belongs to the open file, so it is never free in between, and hooks that run at
//! the same time start one worker together, not one each.
//!
//! The lock file is never deleted: two processes could otherwise hold "the" lock on two files.

use std::fs::{File, TryLockError};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;

use crate::secure_file;
use crate::state::{SessionDir, StateError};

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
    /// stdin is anything else.
    pub fn handed_over(session: &SessionDir) -> Result<Option<Self>, StateError> {
        let path = session.lock_file();
        let stdin = std::io::stdin().as_fd().try_clone_to_owned();
        let known = secure_file::open_read(&path).and_then(|file| file.metadata());
        let (Ok(stdin), Ok(known)) = (stdin, known) else {
            return Ok(None);
        };
        let file = File::from(stdin);
        let is_same = file
            .metadata()
            .is_ok_and(|meta| (meta.dev(), meta.ino()) == (known.dev(), known.ino()));
        if !is_same {
            return Ok(None);
        }
        // Stdin would keep the lock beyond its drop, and give it to every child.
        File::open("/dev/null")
            .and_then(|null| Ok(rustix::stdio::dup2_stdin(null)?))
            .map_err(|source| StateError::Read { path, source })?;
        // Taken already, if it was handed over: then this changes nothing.
        take(session, file)
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

/// As the stdin of a worker, which takes it by [`SessionLock::handed_over`].
impl From<SessionLock> for Stdio {
    fn from(lock: SessionLock) -> Self {
        lock.file.into()
    }
}

fn take(session: &SessionDir, file: File) -> Result<Option<SessionLock>, StateError> {
    match file.try_lock() {
        Ok(()) => Ok(Some(SessionLock { file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(StateError::Write {
            path: session.lock_file(),
            source,
        }),
    }
}

fn open(session: &SessionDir) -> Result<File, StateError> {
    let path = session.lock_file();
    secure_file::open_write(&path).map_err(|source| StateError::Write { path, source })
}
