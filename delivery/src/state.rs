//! Where everything we keep lies.
//!
//! ```text
//! <state>/backend                                    name of the backend the folder belongs to
//! <state>/sessions/<session id>/journal.jsonl        hook events
//!                              /lock                 held by the worker
//!                              /cursor-<destination id>.json
//!                              /settings.json        settings of the session's first run
//!                              /wanted               destinations of a flush that waits for the lock
//! <state>/facts/                                     what servers told about themselves
//! <state>/mute.json, mute.lock                       who is muted
//! <state>/plugin.json                                hashes of the plugin's own files
//! <state>/pruned                                     when old sessions were last removed
//! <state>/codex-tracing.log
//! ```
//! Nothing here follows a symlink below `<state>`; ids that could leave it are refused.

use std::io;
use std::path::{Path, PathBuf};

use codex_tracing_config::Context;

use crate::secure_file;

/// What the names of cursors begin with. They lie beside the journal: a folder of their own would
/// take a block of the disk for each session that waits.
pub(crate) const CURSOR_PREFIX: &str = "cursor-";
/// Who is muted, in the state folder.
const MUTE_FILE: &str = "mute.json";
/// Settings of a session beyond this are nonsense.
const SETTINGS_LIMIT: u64 = 1 << 20;

/// The state folder of one backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDir {
    root: PathBuf,
}

/// The folder of one session within a [`StateDir`]; exists only after [`SessionDir::create`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDir {
    id: String,
    path: PathBuf,
}

/// What went wrong with our own files.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// An id that is not a plain word.
    #[error("session id {id:?} is not made of letters, digits, `.`, `_` and `-`; event ignored")]
    BadId {
        /// The id, cut to 80 characters.
        id: String,
    },
    /// A folder could not be made.
    #[error("cannot create the folder {path}: {source}; check that it can be written")]
    Create {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A lock could not be tried.
    #[error("cannot lock {path}: {source}; check that its file system has locks")]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A lock that a hook handed over could not be taken from stdin.
    #[error(
        "cannot take over {path}, which a hook handed over as stdin: {source}; \
         check that /dev/null can be opened"
    )]
    HandOver {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {path}: {source}; check free space and permissions")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl StateDir {
    /// `$PLUGIN_DATA`, else `<codex home>/codex-tracing/<backend>`. Touches nothing.
    pub fn resolve(context: &Context, backend: &str) -> Self {
        Self {
            root: context
                .plugin_data
                .clone()
                .unwrap_or_else(|| default_root(context, backend)),
        }
    }

    /// A given folder.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Every existing state folder of `backend`: the one [`StateDir::resolve`] names, the default
    /// one, and the data folders Codex gave to plugins (`<codex home>/plugins/data/*`) that carry
    /// the backend's mark, whatever the marketplace was called.
    pub fn discover_all(context: &Context, backend: &str) -> Vec<Self> {
        let mut roots = vec![default_root(context, backend)];
        let data = context.codex_home.join("plugins").join("data");
        let mut plugins: Vec<PathBuf> = entries(&data);
        plugins.retain(|dir| marked(dir, backend));
        roots.append(&mut plugins);
        // In the surroundings of one backend's hook, the folder is not also every other's.
        if let Some(own) = &context.plugin_data
            && !roots.contains(own)
            && (marked(own, backend) || !own.join("backend").exists())
        {
            roots.insert(0, own.clone());
        }
        roots.retain(|root| root.is_dir());
        roots.into_iter().map(|root| Self { root }).collect()
    }

    /// Makes the folder and marks it as `backend`'s.
    pub fn create(&self, backend: &str) -> Result<(), StateError> {
        make(&self.root)?;
        let mark = self.root.join("backend");
        if marked(&self.root, backend) {
            return Ok(());
        }
        secure_file::replace(&mark, backend.as_bytes())
            .map_err(|source| StateError::Write { path: mark, source })
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What servers told, kept between runs.
    pub fn facts_dir(&self) -> PathBuf {
        self.root.join("facts")
    }

    /// Which threads are muted.
    pub fn mute_file(&self) -> PathBuf {
        self.root.join(MUTE_FILE)
    }

    /// The log.
    pub fn log_file(&self) -> PathBuf {
        self.root.join("codex-tracing.log")
    }

    /// Folder of the sessions.
    pub fn sessions_dir(&self) -> PathBuf {
        self.root.join("sessions")
    }

    /// The folder of a session. Ids are words of letters, digits, `.`, `_`, `-` without `..`, at
    /// most 128 long: anything else is [`StateError::BadId`].
    pub fn session(&self, id: &str) -> Result<SessionDir, StateError> {
        if !is_plain_word(id) {
            return Err(StateError::BadId {
                id: id.chars().take(80).collect(),
            });
        }
        Ok(SessionDir {
            id: id.to_owned(),
            path: self.sessions_dir().join(id),
        })
    }

    /// Every session that has a folder, by id. Symlinks and odd names are passed over.
    pub fn sessions(&self) -> Vec<SessionDir> {
        entries(&self.sessions_dir())
            .into_iter()
            .filter_map(|path| {
                let id = path.file_name()?.to_str()?.to_owned();
                is_plain_word(&id).then_some(SessionDir { id, path })
            })
            .collect()
    }
}

impl SessionDir {
    /// The session's id: its root thread.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder.
    pub fn create(&self) -> Result<(), StateError> {
        if let Some(sessions) = self.path.parent() {
            make(sessions)?;
        }
        make(&self.path)
    }

    /// The folder of another session of the same state folder.
    pub(crate) fn sibling(&self, id: &str) -> Option<Self> {
        is_plain_word(id).then(|| Self {
            id: id.to_owned(),
            path: self.path.with_file_name(id),
        })
    }

    /// Whether anybody was ever muted or unmuted by a prompt, in any session beside this one.
    pub(crate) fn has_mutes(&self) -> bool {
        let root = self.path.parent().and_then(Path::parent);
        root.is_some_and(|root| root.join(MUTE_FILE).symlink_metadata().is_ok())
    }

    /// Whether any hook was noted.
    pub(crate) fn has_journal(&self) -> bool {
        self.journal_file().is_file()
    }

    /// The journal of hook events.
    pub fn journal_file(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// The lock file; never deleted while the session is kept.
    pub fn lock_file(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// What a flush that waits for the lock would deliver to.
    pub(crate) fn wanted_file(&self) -> PathBuf {
        self.path.join("wanted")
    }

    /// The cursor of a destination; `None` if its id is not a plain word.
    pub fn cursor_file(&self, destination: &str) -> Option<PathBuf> {
        is_plain_word(destination)
            .then(|| self.path.join(format!("{CURSOR_PREFIX}{destination}.json")))
    }

    /// Settings of the session's first run, as a backend left them.
    pub fn settings(&self) -> Option<Vec<u8>> {
        secure_file::read_bounded(&self.path.join("settings.json"), SETTINGS_LIMIT).ok()
    }

    /// Keeps `bytes` as the session's settings; they must hold no key.
    pub fn keep_settings(&self, bytes: &[u8]) -> Result<(), StateError> {
        self.create()?;
        let path = self.path.join("settings.json");
        secure_file::replace(&path, bytes).map_err(|source| StateError::Write { path, source })
    }
}

fn default_root(context: &Context, backend: &str) -> PathBuf {
    context.codex_home.join("codex-tracing").join(backend)
}

fn marked(dir: &Path, backend: &str) -> bool {
    secure_file::read_bounded(&dir.join("backend"), 64)
        .is_ok_and(|mark| mark.trim_ascii() == backend.as_bytes())
}

fn make(dir: &Path) -> Result<(), StateError> {
    secure_file::create_dir(dir).map_err(|source| StateError::Create {
        path: dir.to_owned(),
        source,
    })
}

/// Real directories in `dir`, sorted.
fn entries(dir: &Path) -> Vec<PathBuf> {
    let Ok(found) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = found
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths
}

/// Whether `text` is safe as a single file name.
fn is_plain_word(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && !text.starts_with('.')
        && !text.contains("..")
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}
