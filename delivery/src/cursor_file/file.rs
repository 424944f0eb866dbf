//! Where cursors lie: what is found there, and how it is replaced.

use std::io;
use std::path::{Path, PathBuf};

use crate::lock::SessionLock;
use crate::secure_file::{self, TEMP_MARK};
use crate::state::CURSOR_PREFIX;
use crate::{SessionDir, StateError};

use super::{CURSOR_VERSION, Cursor, LIMIT, thrift};

/// What lies where a cursor belongs.
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// Something that none of us has put there: no plain file, or a longer one than any cursor.
    Foreign,
    /// A file with these bytes.
    Bytes(Vec<u8>),
}

impl Found {
    /// The cursor, if there is one to be understood.
    pub(super) fn cursor(&self) -> Option<Cursor> {
        match self {
            Self::Bytes(bytes) => Cursor::parse(bytes),
            Self::Nothing | Self::Foreign => None,
        }
    }
}

/// Looks at the place of a cursor. An error says nothing of what is there: it may be readable again
/// in a moment, so it must count neither as absent nor as foreign.
pub(super) fn find(path: &Path) -> Result<Found, StateError> {
    match secure_file::read_bounded(path, LIMIT) {
        Ok(bytes) => Ok(Found::Bytes(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge || !is_file(path) => {
            Ok(Found::Foreign)
        }
        Err(source) => Err(unread(path, source)),
    }
}

/// Whether there is a plain file, as far as can be told.
fn is_file(path: &Path) -> bool {
    std::fs::symlink_metadata(path).map_or(true, |meta| meta.is_file())
}

/// Every place where a cursor lies, with its destination's id, in the order of these.
pub(super) fn places(session: &SessionDir) -> Result<Vec<(String, PathBuf)>, StateError> {
    let files = match std::fs::read_dir(session.path()) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(unread(session.path(), source)),
    };
    let mut places = Vec::new();
    for file in files {
        let file = file.map_err(|source| unread(session.path(), source))?;
        let name = file.file_name();
        let id = name
            .to_str()
            .and_then(|name| name.strip_prefix(CURSOR_PREFIX));
        if let Some(id) = id.and_then(|name| name.strip_suffix(".json")) {
            places.push((id.to_owned(), file.path()));
        }
    }
    places.sort();
    Ok(places)
}

fn unread(path: &Path, source: io::Error) -> StateError {
    StateError::Read {
        path: path.to_owned(),
        source,
    }
}

/// The cursor as its single writer, the holder of the session's lock, has it open.
#[derive(Debug)]
pub(crate) struct CursorFile {
    path: PathBuf,
    on_disk: Option<Vec<u8>>,
    writable: bool,
    /// The cursor; [`CursorFile::save`] makes it last.
    pub(crate) cursor: Cursor,
}

impl CursorFile {
    /// Opens the cursor of `destination`, which people know as `label`; a new one if there is none or
    /// it has to begin anew. Temporary files that a crash left behind are removed. One that is there
    /// and cannot be read now is an error: beginning anew would forget what was sent, and where the
    /// destination joined.
    pub(crate) fn open(
        session: &SessionDir,
        destination: &str,
        label: &str,
        _held: &SessionLock,
    ) -> Result<Self, StateError> {
        session.create()?;
        let path = session
            .cursor_file(destination)
            .ok_or_else(|| StateError::BadId {
                id: destination.chars().take(80).collect(),
            })?;
        remove_leftovers(session.path(), &path);
        let found = find(&path)?;
        let known = found.cursor();
        let comes_back = known.as_ref().is_some_and(Cursor::comes_back);
        let begins = comes_back || !matches!(found, Found::Bytes(_));
        // A newer program's stays its own, whatever becomes of what was read of it.
        let version = known.as_ref().map_or(0, |cursor| cursor.version);
        let mut cursor = match (known, &found) {
            (Some(known), _) if !comes_back => known,
            (Some(_), _) | (None, Found::Nothing) => Cursor::joining(session)?,
            (None, Found::Bytes(_) | Found::Foreign) => {
                tracing::warn!(path = %path.display(), "cursor not understood, starting over");
                Cursor::default()
            }
        };
        label.clone_into(&mut cursor.label);
        let on_disk = match found {
            Found::Bytes(bytes) => Some(bytes),
            Found::Nothing | Found::Foreign => None,
        };
        let mut file = Self {
            writable: version <= CURSOR_VERSION,
            path,
            on_disk,
            cursor,
        };
        if begins {
            // Now, and not with the first turn: it would count as joining later if a worker died
            // after it had sent something elsewhere. And it tells whether we may write here.
            file.save()?;
        }
        Ok(file)
    }

    /// Makes the cursor last: temporary file, fsync, rename. Returns whether anything was written;
    /// equal content and files of a newer version are left alone.
    pub(crate) fn save(&mut self) -> Result<bool, StateError> {
        if !self.writable {
            return Ok(false);
        }
        self.cursor.version = CURSOR_VERSION;
        let bytes = thrift::encode(&self.cursor, LIMIT).map_err(|error| self.failed(error))?;
        if self.on_disk.as_deref() == Some(&bytes) {
            return Ok(false);
        }
        crate::failpoint::hit("before_cursor");
        secure_file::replace(&self.path, &bytes).map_err(|error| self.failed(error))?;
        crate::failpoint::hit("after_cursor");
        self.on_disk = Some(bytes);
        Ok(true)
    }

    fn failed(&self, source: io::Error) -> StateError {
        StateError::Write {
            path: self.path.clone(),
            source,
        }
    }
}

fn remove_leftovers(dir: &Path, cursor: &Path) {
    let prefix = cursor
        .file_name()
        .map(|name| format!("{}{TEMP_MARK}", name.to_string_lossy()));
    let (Some(prefix), Ok(files)) = (prefix, std::fs::read_dir(dir)) else {
        return;
    };
    for file in files.flatten() {
        if file.file_name().to_string_lossy().starts_with(&prefix) {
            // A leftover that cannot be removed does no harm.
            let _ = std::fs::remove_file(file.path());
        }
    }
}
