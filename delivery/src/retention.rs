//! Which sessions' state is no longer needed: a pure decision, and its execution.
//!
//! Deciding takes entries and a clock; deleting collects failures and goes on. A session with
//! something pending lives longer than one that is done, but not for ever: its rollout may be gone
//! by then.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

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
    /// Sessions kept at most; the oldest that are done go first.
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
}

/// The ids to prune, oldest first.
pub fn sessions_to_prune(
    sessions: &[KeptSession],
    now: Timestamp,
    retention: &Retention,
) -> Vec<String> {
    let mut by_age: Vec<&KeptSession> = sessions.iter().collect();
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
/// A session whose lock is held stays. Returns what went wrong.
pub fn prune(state: &StateDir, now: Timestamp, retention: &Retention) -> Vec<StateError> {
    let sessions = state.sessions();
    let kept: Vec<KeptSession> = sessions.iter().filter_map(look).collect();
    let mut failures = Vec::new();
    for id in sessions_to_prune(&kept, now, retention) {
        let pruned = sessions
            .iter()
            .find(|session| session.id() == id)
            .map(|session| remove(session, &kept));
        if let Some(Err(error)) = pruned {
            failures.push(error);
        }
    }
    for folder in [state.root().to_owned(), state.facts_dir()] {
        remove_temporaries(folder, now, retention);
    }
    failures
}

fn look(session: &SessionDir) -> Option<KeptSession> {
    let status = crate::status::session_status(session);
    let pending = status.untried > 0
        || status
            .destinations
            .iter()
            .any(|destination| destination.pending > 0);
    Some(KeptSession {
        id: session.id().to_owned(),
        changed_at: changed_at(session)?,
        done: !pending,
    })
}

fn changed_at(session: &SessionDir) -> Option<Timestamp> {
    let changed = std::fs::metadata(session.journal_file())
        .or_else(|_| std::fs::metadata(session.path()))
        .and_then(|meta| meta.modified());
    Timestamp::try_from(changed.ok()?).ok()
}

fn remove(session: &SessionDir, kept: &[KeptSession]) -> Result<(), StateError> {
    let Some(_held) = SessionLock::try_acquire(session)? else {
        return Ok(());
    };
    // A hook may have taken the session up since it was judged.
    let judged = kept.iter().find(|entry| entry.id == session.id());
    if changed_at(session) != judged.map(|entry| entry.changed_at) {
        return Ok(());
    }
    std::fs::remove_dir_all(session.path()).map_err(|source| StateError::Write {
        path: session.path().to_owned(),
        source,
    })
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
