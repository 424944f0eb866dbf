//! The file of muted threads. What is in it is `redact`'s business; this is where it lies.

use std::fs::File;
use std::io;

use crate::secure_file;
use crate::{StateDir, StateError};

/// A mute file beyond this is nonsense.
const LIMIT: u64 = 4 << 20;

impl StateDir {
    /// The bytes of the mute file; `None` if nobody was ever muted.
    pub fn mutes(&self) -> Result<Option<Vec<u8>>, StateError> {
        let path = self.mute_file();
        match secure_file::read_bounded(&path, LIMIT) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StateError::Read { path, source }),
        }
    }

    /// Whoever holds this may change the mute file; waits for others who do the same, who need no
    /// longer than two small file operations.
    pub fn lock_mutes(&self) -> Result<File, StateError> {
        let path = self.root().join("mute.lock");
        let file = secure_file::open_write(&path).and_then(|file| file.lock().map(|()| file));
        file.map_err(|source| StateError::Write { path, source })
    }

    /// Replaces the mute file; see [`StateDir::lock_mutes`].
    pub fn keep_mutes(&self, bytes: &[u8]) -> Result<(), StateError> {
        let path = self.mute_file();
        secure_file::replace(&path, bytes).map_err(|source| StateError::Write { path, source })
    }

    /// The bytes of the note on the plugin's files; `None` if there is none that can be read.
    pub fn witness(&self) -> Option<Vec<u8>> {
        secure_file::read_bounded(&self.root().join("plugin.json"), LIMIT).ok()
    }

    /// Replaces the note on the plugin's files.
    pub fn keep_witness(&self, bytes: &[u8]) -> Result<(), StateError> {
        let path = self.root().join("plugin.json");
        secure_file::replace(&path, bytes).map_err(|source| StateError::Write { path, source })
    }
}
