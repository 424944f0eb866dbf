//! The background worker of one session: started by a hook, gone when nothing is left.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::flush::evidence_of;
use crate::journal::{JournalEntry, JournalReader};
use crate::lock::SessionLock;
use crate::pipeline::Course;
use crate::supervise::{Left, Tempo, supervise};
use crate::{SessionDir, StateError};

/// Between two looks at the lock.
const LOOK: Duration = Duration::from_millis(40);

/// What a worker needs.
#[derive(Clone)]
pub struct WorkerOptions {
    /// The session.
    pub session: SessionDir,
    /// Backend, settings, ways out.
    pub course: Course,
    /// How long is waited for what.
    pub tempo: Tempo,
}

/// Delivers a session until nothing is left to do, then leaves. A second worker finds the lock
/// held and leaves at once. `stop` (SIGTERM) ends it between two cursor writes.
///
/// It has the environment of the Codex that started it, and so its key. When another process takes
/// the session up, whose hook always starts a worker, this one leaves to that.
///
/// No wake-up is lost: hooks append to the journal, then look at the lock; the worker reads the
/// journal once more under the lock, releases it, and looks at the journal again.
pub async fn run_worker(
    options: WorkerOptions,
    stop: impl Future<Output = ()>,
) -> Result<Left, StateError> {
    let mut stop = std::pin::pin!(stop);
    let starts = evidence_of(&options.session)?.starts();
    loop {
        let Some(held) = acquire(&options).await? else {
            return Ok(Left::AlreadyRunning);
        };
        let (left, offset) = supervise(
            &options.session,
            &options.course,
            &options.tempo,
            &held,
            Some(starts),
            &mut stop,
        )
        .await?;
        drop(held);
        // A hook may have appended between our last look and the release, and found the lock held.
        let late = JournalReader::resume(&options.session, offset).read()?;
        if late.iter().any(JournalEntry::takes_session_up) {
            return Ok(Left::Superseded);
        }
        let leaves = matches!(left, Left::Superseded | Left::Terminated | Left::OutOfTime);
        if late.is_empty() || leaves {
            return Ok(left);
        }
    }
}

async fn acquire(options: &WorkerOptions) -> Result<Option<SessionLock>, StateError> {
    let until = Instant::now() + options.tempo.lock_wait;
    loop {
        let held = SessionLock::try_acquire(&options.session)?;
        if held.is_some() || Instant::now() >= until {
            return Ok(held);
        }
        sleep(LOOK).await;
    }
}

/// Resolves when this process is asked to end (SIGTERM, SIGINT or SIGHUP); what a worker takes as
/// `stop`. Must be called within a runtime with I/O enabled.
pub async fn termination() {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| async move {
        match signal(kind) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            // Without a handler the signal ends the process the hard way, which is safe too.
            Err(error) => {
                tracing::warn!(%error, "no signal handler");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = listen(SignalKind::terminate()) => {}
        () = listen(SignalKind::interrupt()) => {}
        () = listen(SignalKind::hangup()) => {}
    }
}
