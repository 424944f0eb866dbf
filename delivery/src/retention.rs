//! Which sessions' state is no longer needed: a pure decision, and its execution.
//!
//! Deciding takes entries and a clock; deleting collects failures and goes on. A session with
//! something pending lives longer than one that is done, but not for ever: its rollout may be gone
//! by then. One of which something was muted lives as long as its rollout: whoever resumes it, or
//! forks it, gives the model what was said while muted, and only the journal knows what that was.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use codex_tracing_redact::MuteState;
use codex_tracing_transcript::locate_all;
use jiff::Timestamp;

use crate::cursor_file::Cursor;
use crate::flush::evidence_of;
use crate::lock::SessionLock;
use crate::secure_file::{self, TEMP_MARK};
use crate::{SessionDir, StateDir, StateError};

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Sessions that are done live this long after their last hook.
    pub done_for: Duration,
    /// Sessions with something pending live this long.
    pub pending_for: Duration,
    /// Sessions kept at most, beside those that keep a muting; the oldest that are done go first.
    pub sessions: usize,
    /// Temporary files older than this were left by a crash.
    pub temporary_for: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        let day = Duration::from_hours(24);
        Self {
            done_for: 30 * day,
            pending_for: 90 * day,
            sessions: 2000,
            temporary_for: day,
        }
    }
}

/// A session as far as retention looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSession {
    /// Its id.
    pub id: String,
    /// When anything of it last changed.
    pub changed_at: Timestamp,
    /// Whether everything is delivered.
    pub done: bool,
    /// Whether something of it was muted that may still be given to a model, because a rollout of
    /// it is there.
    pub keeps_muting: bool,
}

/// The ids to prune, oldest first. Never one that keeps a muting.
pub fn sessions_to_prune(
    sessions: &[KeptSession],
    now: Timestamp,
    retention: &Retention,
) -> Vec<String> {
    let mut by_age: Vec<&KeptSession> = sessions
        .iter()
        .filter(|session| !session.keeps_muting)
        .collect();
    by_age.sort_by_key(|session| session.changed_at);
    let mut pruned: Vec<&KeptSession> = Vec::new();
    let mut kept: Vec<&KeptSession> = Vec::new();
    for session in by_age {
        let limit = if session.done {
            retention.done_for
        } else {
            retention.pending_for
        };
        if age(session.changed_at, now) > limit {
            pruned.push(session);
        } else {
            kept.push(session);
        }
    }
    let excess = kept.len().saturating_sub(retention.sessions);
    pruned.extend(kept.into_iter().filter(|session| session.done).take(excess));
    pruned
        .into_iter()
        .map(|session| session.id.clone())
        .collect()
}

/// A clock that went back makes nothing old.
fn age(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

/// How often old state is looked for.
const EVERY: Duration = Duration::from_hours(24);

impl StateDir {
    /// Whether nobody has looked for old state within the last day; if so, notes that somebody does
    /// now.
    pub fn is_due_for_pruning(&self, now: Timestamp) -> bool {
        let stamp = self.root().join("pruned");
        let last = std::fs::symlink_metadata(&stamp).and_then(|meta| meta.modified());
        let last = last.ok().and_then(|at| Timestamp::try_from(at).ok());
        let due = last.is_none_or(|last| age(last, now) >= EVERY);
        due && secure_file::replace(&stamp, b"").is_ok()
    }
}

/// Removes what [`sessions_to_prune`] names, and temporary files left by crashes, below `state`.
/// A session whose lock is held stays. Rollouts are looked for below `codex_home` and where hooks
/// said that they are. Returns what went wrong.
pub fn prune(
    state: &StateDir,
    codex_home: &Path,
    now: Timestamp,
    retention: &Retention,
) -> Vec<StateError> {
    let seen: Vec<Seen> = state.sessions().into_iter().filter_map(look).collect();
    let resumable = resumable(&seen, codex_home);
    let kept: Vec<KeptSession> = seen
        .iter()
        .map(|seen| KeptSession {
            id: seen.session.id().to_owned(),
            changed_at: seen.changed_at,
            done: seen.done,
            keeps_muting: resumable.contains(seen.session.id()),
        })
        .collect();
    let pruned: BTreeSet<String> = sessions_to_prune(&kept, now, retention)
        .into_iter()
        .collect();
    for folder in [state.root().to_owned(), state.facts_dir()] {
        remove_temporaries(folder, now, retention);
    }
    seen.iter()
        .filter(|seen| pruned.contains(seen.session.id()))
        .filter_map(|seen| remove(state, seen).err())
        .collect()
}

/// What retention finds of a session.
struct Seen {
    session: SessionDir,
    changed_at: Timestamp,
    done: bool,
    /// If something of it was muted: its threads, with the rollouts that hooks named.
    muted: Option<BTreeMap<String, Option<PathBuf>>>,
}

fn look(session: SessionDir) -> Option<Seen> {
    let status = crate::status::session_status(&session);
    let pending = status.untried > 0
        || status
            .destinations
            .iter()
            .any(|destination| destination.pending > 0);
    Some(Seen {
        changed_at: changed_at(&session)?,
        done: !pending,
        muted: muted_threads(&session),
        session,
    })
}

/// The threads of a session of which something was muted, or may have been: a journal that cannot
/// be read does not say.
fn muted_threads(session: &SessionDir) -> Option<BTreeMap<String, Option<PathBuf>>> {
    let mut threads = BTreeMap::from([(session.id().to_owned(), None)]);
    if let Ok(evidence) = evidence_of(session) {
        if !evidence.has_muted() {
            return None;
        }
        let named = evidence.threads().iter();
        threads.extend(named.map(|(id, path)| (id.clone(), Some(path.clone()))));
    }
    for (_, cursor) in Cursor::look_all(session) {
        for id in cursor.threads.into_keys() {
            threads.entry(id).or_default();
        }
    }
    Some(threads)
}

/// The muted sessions of which a rollout is there. Codex's folders are walked through once, and not
/// at all if nothing was muted.
fn resumable(seen: &[Seen], codex_home: &Path) -> BTreeSet<String> {
    let muted = || {
        seen.iter()
            .filter_map(|seen| Some((seen.session.id(), seen.muted.as_ref()?)))
    };
    let ids: BTreeSet<String> = muted()
        .flat_map(|(_, threads)| threads.keys().cloned())
        .collect();
    let found = if ids.is_empty() {
        BTreeMap::new()
    } else {
        locate_all(codex_home, &ids)
    };
    let is_there = |id: &String, path: &Option<PathBuf>| {
        found.contains_key(id) || path.as_ref().is_some_and(|path| path.exists())
    };
    muted()
        .filter(|(_, threads)| threads.iter().any(|(id, path)| is_there(id, path)))
        .map(|(id, _)| id.to_owned())
        .collect()
}

fn changed_at(session: &SessionDir) -> Option<Timestamp> {
    let changed = std::fs::metadata(session.journal_file())
        .or_else(|_| std::fs::metadata(session.path()))
        .and_then(|meta| meta.modified());
    Timestamp::try_from(changed.ok()?).ok()
}

fn remove(state: &StateDir, seen: &Seen) -> Result<(), StateError> {
    let session = &seen.session;
    let Some(_held) = SessionLock::try_acquire(session)? else {
        return Ok(());
    };
    // A hook may have taken the session up since it was judged.
    if changed_at(session) != Some(seen.changed_at) {
        return Ok(());
    }
    if seen.muted.is_some() {
        keep_a_sign_of_muting(state)?;
    }
    std::fs::remove_dir_all(session.path()).map_err(|source| StateError::Write {
        path: session.path().to_owned(),
        source,
    })
}

/// A fork may outlive what it was forked from. Where there is a file of who is muted, forks hide
/// what they have copied; a setting may have muted without one.
fn keep_a_sign_of_muting(state: &StateDir) -> Result<(), StateError> {
    let _held = state.lock_mutes()?;
    let nobody = serde_json::to_vec(&MuteState::default()).unwrap_or_default();
    match state.mutes()? {
        Some(_) => Ok(()),
        None => state.keep_mutes(&nobody),
    }
}

fn remove_temporaries(folder: PathBuf, now: Timestamp, retention: &Retention) {
    for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let old = file
            .metadata()
            .and_then(|meta| meta.modified())
            .ok()
            .and_then(|at| Timestamp::try_from(at).ok())
            .is_some_and(|at| age(at, now) > retention.temporary_for);
        if old && file.file_name().to_string_lossy().contains(TEMP_MARK) {
            // It is tried again next time.
            let _ = std::fs::remove_file(file.path());
        }
    }
}
