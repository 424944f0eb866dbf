//! What servers told, kept between runs: one small JSON file per destination.
//!
//! ```json
//! {"version":1,"facts":{"values":{"project_id":"…"},"learned_at":"2026-01-02T03:04:05Z"}}
//! ```
//!
//! Facts are a convenience: they save a handshake. So a missing or broken file means no facts,
//! never an error. A file of a newer format is read as far as it goes and left alone. Files are
//! replaced whole (temporary file, fsync, rename), so a reader sees the old or the new ones.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Facts, secure_file};

/// The format written here.
const VERSION: u32 = 1;

/// Larger files are not ours.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Facts could not be written. Harmless: they are learned again.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// The id would not stay inside the folder.
    #[error("destination id {id:?} is not usable as a file name")]
    UnsafeId {
        /// The id.
        id: String,
    },
    /// The file system said no.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Loads and saves [`Facts`] below one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactsStore {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Stored<F> {
    version: u32,
    facts: F,
}

#[derive(Deserialize)]
struct StoredVersion {
    version: u32,
}

impl FactsStore {
    /// Facts as `<folder>/<destination id>.json`. The folder is made when first needed, 0700.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// What is known of a destination; nothing if there is no file or it cannot be read.
    pub fn load(&self, destination_id: &str) -> Facts {
        let stored = self.path(destination_id).ok().and_then(|path| {
            let bytes = secure_file::read_bounded(&path, LARGEST_FILE).ok()?;
            serde_json::from_slice::<Stored<Facts>>(&bytes).ok()
        });
        stored.map(|stored| stored.facts).unwrap_or_default()
    }

    /// Replaces what is known of a destination, unless a newer version wrote it.
    pub fn save(&self, destination_id: &str, facts: &Facts) -> Result<(), FactsError> {
        let path = self.path(destination_id)?;
        let newer = secure_file::read_bounded(&path, LARGEST_FILE)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<StoredVersion>(&bytes).ok())
            .is_some_and(|stored| stored.version > VERSION);
        if newer {
            return Ok(());
        }
        let stored = Stored {
            version: VERSION,
            facts,
        };
        serde_json::to_vec(&stored)
            .map_err(io::Error::from)
            .and_then(|bytes| {
                secure_file::create_dir(&self.folder)?;
                secure_file::replace(&path, &bytes)
            })
            .map_err(|source| FactsError::Write { path, source })
    }

    fn path(&self, destination_id: &str) -> Result<PathBuf, FactsError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let safe = !destination_id.is_empty()
            && !destination_id.starts_with('.')
            && destination_id.chars().all(plain);
        if safe {
            Ok(self.folder.join(format!("{destination_id}.json")))
        } else {
            Err(FactsError::UnsafeId {
                id: destination_id.to_owned(),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn facts() -> Facts {
        Facts {
            values: [("project_id".to_owned(), "p-1".to_owned())].into(),
            learned_at: "2026-01-02T03:04:05Z".parse().ok(),
            ..Facts::default()
        }
    }

    fn store() -> (tempfile::TempDir, FactsStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = FactsStore::new(folder.path().join("state/facts"));
        (folder, store)
    }

    #[test]
    fn what_a_batch_under_way_remembers_is_not_on_disk() {
        let (_folder, store) = store();
        let mut passing = facts();
        passing
            .passing
            .insert("stage".to_owned(), "upload".to_owned());
        store.save("d-1", &passing).unwrap();
        assert_eq!(store.load("d-1"), facts());
    }

    #[test]
    fn facts_come_back_as_they_were_saved() {
        let (_folder, store) = store();
        assert_eq!(store.load("d-1"), Facts::default());
        store.save("d-1", &Facts::default()).unwrap();
        store.save("d-1", &facts()).unwrap();
        assert_eq!(store.load("d-1"), facts());
        assert_eq!(store.load("d-2"), Facts::default());
        let names: Vec<_> = fs::read_dir(&store.folder).unwrap().collect();
        assert_eq!(names.len(), 1, "no temporary file is left: {names:?}");
    }

    #[cfg(unix)]
    #[test]
    fn facts_are_for_their_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;

        let (_folder, store) = store();
        store.save("d-1", &facts()).unwrap();
        let mode =
            |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&store.folder), 0o700);
        assert_eq!(mode(&store.folder.join("d-1.json")), 0o600);
    }

    #[test]
    fn a_broken_file_means_no_facts_and_is_replaced() {
        let (_folder, store) = store();
        store.save("d-1", &facts()).unwrap();
        for broken in ["", "{", "[]", r#"{"version":1}"#, "\u{0}\u{0}"] {
            fs::write(store.folder.join("d-1.json"), broken).unwrap();
            assert_eq!(store.load("d-1"), Facts::default(), "{broken:?}");
            store.save("d-1", &facts()).unwrap();
            assert_eq!(store.load("d-1"), facts());
        }
    }

    #[test]
    fn a_newer_format_is_read_and_left_alone() {
        let (_folder, store) = store();
        store.save("d-1", &facts()).unwrap();
        let path = store.folder.join("d-1.json");
        let newer =
            r#"{"version":2,"facts":{"values":{"a":"b"},"learned_at":null,"more":1},"x":2}"#;
        fs::write(&path, newer).unwrap();
        assert_eq!(store.load("d-1").values.get("a").unwrap(), "b");
        store.save("d-1", &facts()).unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), newer);
    }

    #[test]
    fn an_id_cannot_leave_the_folder() {
        let (_folder, store) = store();
        for id in ["", ".", "..", "../x", "a/b", "a\\b", "a\0b"] {
            let error = store.save(id, &facts()).unwrap_err();
            assert!(matches!(error, FactsError::UnsafeId { .. }), "{id:?}");
            assert_eq!(store.load(id), Facts::default());
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let (folder, _) = store();
        fs::write(folder.path().join("file"), "").unwrap();
        let store = FactsStore::new(folder.path().join("file").join("facts"));
        let message = store.save("d-1", &facts()).unwrap_err().to_string();
        let path = store.folder.join("d-1.json").display().to_string();
        assert!(message.contains(&path), "{message}");
    }
}
