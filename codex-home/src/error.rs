//! What can go wrong in Codex's home.

use std::io;
use std::path::{Path, PathBuf};

/// What went wrong, and with which file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read.
    #[error("{} cannot be read: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file cannot be written, copied or removed.
    #[error("{} cannot be written: {cause}; check free space and permissions", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file is not TOML; nothing of what stands there is told.
    #[error("{} is not TOML, near line {line}", path.display())]
    NotToml {
        /// The file.
        path: PathBuf,
        /// Where, from 1 on.
        line: usize,
    },
    /// A file is not JSON.
    #[error("{} is not JSON: {cause}", path.display())]
    NotJson {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: serde_json::Error,
    },
    /// A table cannot be made where something else stands.
    #[error("`{name}` of config.toml is, or stands in, something not a table")]
    NotATable {
        /// The table's name.
        name: String,
    },
    /// A marketplace's description has no name.
    #[error("{} does not name the marketplace", path.display())]
    Nameless {
        /// The description.
        path: PathBuf,
    },
}

impl Error {
    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |cause| Self::Read { path, cause }
    }

    #[cfg(feature = "edit")]
    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |cause| Self::Write { path, cause }
    }

    /// `at` is the byte of `text` where it ceases to be TOML.
    pub(crate) fn not_toml(path: &Path, text: &str, at: Option<usize>) -> Self {
        let before = text.get(..at.unwrap_or(0)).unwrap_or_default();
        Self::NotToml {
            path: path.to_owned(),
            line: before.lines().count().max(1),
        }
    }
}
