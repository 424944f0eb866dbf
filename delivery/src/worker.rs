//! The background worker of one session: started by a hook, gone when nothing is left.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::journal::JournalReader;
use crate::lock::SessionLock;
use crate::pipeline::Course;
use crate::supervise::{Departure, Left, Tempo, supervise};
use crate::{JournalEntry, SessionDir, StateError, platform};

/// Between two looks at the lock.
const LOOK: Duration = Duration::from_millis(20);
/// How long somebody may look at the lock.
const LOOKERS: Duration = Duration::from_millis(200);
/// How long the worker of an earlier Codex process takes at most to make way.
const PREDECESSOR: Duration = Duration::from_secs(10);

/// What a worker needs.
#[derive(Clone)]
pub struct WorkerOptions {
    /// The session.
    pub session: SessionDir,
    /// Backend, settings, ways out.
    pub course: Course,
    /// How long is waited for what.
    pub tempo: Tempo,
    /// Offset in the journal behind the entry of the hook that started this worker. A Codex process
    /// that the journal tells of from there on has a worker of its own. `None`: all that the journal
    /// holds when the worker begins is its own.
    pub since: Option<u64>,
}

/// Takes the session's lock for a worker, which does this before anything that takes time: while it
/// reads settings, further hooks must find the lock held. `None` where a worker is at work.
///
/// With `succeeds` this one comes with a new Codex process, and the worker of the process before
/// makes way for it.
pub async fn claim(
    session: &SessionDir,
    succeeds: bool,
) -> Result<Option<SessionLock>, StateError> {
    let patience = if succeeds { PREDECESSOR } else { LOOKERS };
    let until = Instant::now() + patience;
    loop {
        if let Some(held) = SessionLock::try_acquire(session)? {
            return Ok(Some(held));
        }
        let is_settled = !succeeds && SessionLock::is_held(session)?;
        if is_settled || Instant::now() >= until {
            return Ok(None);
        }
        sleep(LOOK).await;
    }
}

/// Delivers a session until nothing is left to do, then leaves. `held` is from [`claim`] or handed
/// over by the hook. `stop` (SIGTERM) ends it between two cursor writes.
///
/// No wake-up is lost: hooks append to the journal, then try the lock; the worker reads the journal
/// once more under the lock, releases it, and looks at the journal again.
pub async fn run_worker(
    mut held: SessionLock,
    options: WorkerOptions,
    stop: impl Future<Output = ()>,
) -> Result<Left, StateError> {
    let mut stop = std::pin::pin!(stop);
    loop {
        let Departure { left, offset, .. } = supervise(
            &options.session,
            &options.course,
            &options.tempo,
            options.since,
            &held,
            &mut stop,
        )
        .await?;
        drop(held);
        // A hook may have appended between our last look and the release, and found the lock held.
        let late = JournalReader::resume(&options.session, offset).read()?;
        let succeeded = late.iter().any(JournalEntry::begins_process);
        let leaves = matches!(
            left,
            Left::Terminated | Left::OutOfTime | Left::Succeeded | Left::MadeWay
        );
        if late.is_empty() || leaves || succeeded {
            return Ok(left);
        }
        match claim(&options.session, false).await? {
            Some(again) => held = again,
            None => return Ok(Left::AlreadyRunning),
        }
    }
}

/// Resolves when this process is asked to end (SIGTERM, SIGINT or SIGHUP; on Windows the end of its
/// console or of the session); what a worker takes as `stop`. Must be called within a runtime with
/// I/O enabled.
pub async fn termination() {
    platform::termination().await;
}
