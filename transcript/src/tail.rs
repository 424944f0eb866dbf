//! Reading a rollout as it grows: whole lines, absolute offsets, file identity.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Tells a file that grew from one that was replaced, whatever its path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIdentity {
    /// Checksum over the first line (complete, without its newline), as hex.
    pub first_line: String,
}

/// Follows one rollout, plain or compressed.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    offset: u64,
}

impl Tail {
    /// Opens at the beginning.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            offset: 0,
        })
    }

    /// Opens at `offset` if the file still is the one `identity` names and at least that long;
    /// else at the beginning (`offset()` tells which).
    pub fn resume(path: &Path, _identity: &FileIdentity, _offset: u64) -> io::Result<Self> {
        Self::open(path)
    }

    /// Hands every whole line that is there now to `line` with its absolute offset. Lines beyond
    /// the bound (64 MiB) are skipped and counted in the result.
    pub fn read(&mut self, _line: &mut dyn FnMut(u64, &[u8])) -> io::Result<Progress> {
        Ok(Progress {
            bytes: 0,
            too_long: 0,
            restarted: false,
        })
    }

    /// Where the next line begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The file's identity; `None` until its first line is whole.
    pub fn identity(&self) -> Option<FileIdentity> {
        None
    }

    /// Path being read.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// What one [`Tail::read`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of whole lines consumed.
    pub bytes: u64,
    /// Lines skipped because they were longer than the bound.
    pub too_long: u64,
    /// The file was truncated or replaced: reading began again at 0, and whatever was assembled
    /// from it must be thrown away before the lines of this call are used.
    pub restarted: bool,
}
