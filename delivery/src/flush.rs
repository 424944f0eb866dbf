//! Delivery in the foreground: the same code as the worker's, with a deadline.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::cursor_file::Cursor;
use crate::journal::JournalReader;
use crate::lock::SessionLock;
use crate::pipeline::Course;
use crate::status::{SessionStatus, session_status};
use crate::supervise::{Left, Tempo, supervise};
use crate::{Evidence, SessionDir, StateError};

/// Between two looks at what a living worker has done.
const LOOK: Duration = Duration::from_millis(50);

/// What became of one session.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionFlush {
    /// Where it stands now.
    pub status: SessionStatus,
    /// Whether everything that can be delivered now is: turns still running under a living Codex
    /// are no part of it.
    pub complete: bool,
}

/// Delivers what is pending of one session, until `deadline`. If a worker holds the lock, it is
/// left to do so and waited for.
///
/// `close_turn` is the turn of a `Stop` hook that waits for its delivery (its journal entry must
/// say [`closes_turn`](crate::JournalEntry::closes_turn)): with it, the flush is complete as soon
/// as every destination has that turn and all before it.
pub async fn flush_session(
    session: &SessionDir,
    course: &Course,
    deadline: Instant,
    close_turn: Option<&str>,
) -> Result<SessionFlush, StateError> {
    let target = std::fs::metadata(session.journal_file()).map_or(0, |meta| meta.len());
    let mut left = Left::AlreadyRunning;
    while Instant::now() < deadline {
        if is_done(session, course, target, close_turn) {
            left = Left::Finished;
            break;
        }
        if let Some(held) = SessionLock::try_acquire(session)? {
            left = deliver(session, course, deadline, &held).await?;
            break;
        }
        sleep(LOOK).await;
    }
    Ok(SessionFlush {
        status: session_status(session),
        complete: left == Left::Finished,
    })
}

async fn deliver(
    session: &SessionDir,
    course: &Course,
    deadline: Instant,
    held: &SessionLock,
) -> Result<Left, StateError> {
    let mut journal = JournalReader::new(session);
    let mut evidence = Evidence::new(session.id());
    for entry in journal.read()? {
        evidence.absorb(&entry);
    }
    let mut never = std::pin::pin!(std::future::pending());
    let tempo = Tempo::flush(deadline);
    supervise(
        session,
        course,
        &tempo,
        held,
        &mut journal,
        evidence,
        &mut never,
    )
    .await
}

/// Whether every destination has the turn that is waited for, or all that the journal told of.
fn is_done(session: &SessionDir, course: &Course, target: u64, close_turn: Option<&str>) -> bool {
    course.backend.destinations().iter().all(|destination| {
        Cursor::look(session, &destination.id).is_some_and(|cursor| {
            (cursor.journal_seen >= target && cursor.pending == 0)
                || close_turn.is_some_and(|turn| cursor.has_delivered(turn))
        })
    })
}

/// Delivers what is pending of many sessions, one after the other, until `deadline`.
///
/// `course_of` resolves a session's settings (from its working directory, which the journal
/// knows); `None` leaves the session out, as where tracing is off. `progress` hears of each
/// session when it is done.
pub async fn flush_all(
    sessions: &[SessionDir],
    course_of: &dyn Fn(&SessionDir, &Evidence) -> Option<Course>,
    deadline: Instant,
    progress: &mut dyn FnMut(&SessionDir, &Result<SessionFlush, StateError>),
) -> FlushReport {
    let mut report = FlushReport::default();
    for session in sessions {
        let evidence = match evidence_of(session) {
            Ok(evidence) if evidence.is_empty() => continue,
            Ok(evidence) => evidence,
            Err(error) => {
                report.errors.push(error.to_string());
                continue;
            }
        };
        let Some(course) = course_of(session, &evidence) else {
            continue;
        };
        let flushed = flush_session(session, &course, deadline, None).await;
        progress(session, &flushed);
        match flushed {
            Ok(flush) if flush.complete => report.complete.push(flush.status),
            Ok(flush) => report.left.push(flush.status),
            Err(error) => report.errors.push(error.to_string()),
        }
    }
    report
}

/// What became of many sessions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FlushReport {
    /// Sessions with nothing left.
    pub complete: Vec<SessionStatus>,
    /// Sessions with something left.
    pub left: Vec<SessionStatus>,
    /// Sessions whose files could not be used.
    pub errors: Vec<String>,
}

impl FlushReport {
    /// Whether nothing is left.
    pub fn is_complete(&self) -> bool {
        self.left.is_empty() && self.errors.is_empty()
    }
}

/// The journal of a session, digested.
pub fn evidence_of(session: &SessionDir) -> Result<Evidence, StateError> {
    let mut evidence = Evidence::new(session.id());
    for entry in JournalReader::new(session).read()? {
        evidence.absorb(&entry);
    }
    Ok(evidence)
}
