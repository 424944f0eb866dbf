//! The background worker of one session: started by a hook, gone when nothing is left.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::journal::JournalReader;
use crate::lock::SessionLock;
use crate::pipeline::Course;
use crate::supervise::{Left, Tempo, supervise};
use crate::{JournalEntry, SessionDir, StateError};

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
/// held and leaves, unless it comes with a new Codex process: then the first makes way. `stop` (SIGTERM) ends it between two cursor writes.
///
/// No wake-up is lost: hooks append to the journal, then look at the lock; the worker reads the
/// journal once more under the lock, releases it, and looks at the journal again.
pub async fn run_worker(
    options: WorkerOptions,
    stop: impl Future<Output = ()>,
) -> Result<Left, StateError> {
    let mut stop = std::pin::pin!(stop);
    loop {
        let Some(held) = acquire(&options).await? else {
            return Ok(Left::AlreadyRunning);
        };
        let (left, offset) = supervise(
            &options.session,
            &options.course,
            &options.tempo,
            &held,
            &mut stop,
        )
        .await?;
        drop(held);
        // A hook may have appended between our last look and the release, and found the lock held.
        let late = JournalReader::resume(&options.session, offset).read()?;
        let succeeded = late.iter().any(JournalEntry::begins_process);
        let leaves = matches!(left, Left::Terminated | Left::OutOfTime | Left::Succeeded);
        if late.is_empty() || leaves || succeeded {
            return Ok(left);
        }
    }
}

async fn acquire(options: &WorkerOptions) -> Result<Option<SessionLock>, StateError> {
    let until = Instant::now() + options.tempo.lock;
    loop {
        if let Some(held) = SessionLock::try_acquire(&options.session)? {
            return Ok(Some(held));
        }
        if Instant::now() >= until {
            return Ok(None);
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
