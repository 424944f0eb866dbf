//! Delivery in the foreground: the same code as the worker's, with a deadline.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep};

use crate::cursor_file::Cursor;
use crate::journal::JournalReader;
use crate::lock::SessionLock;
use crate::pipeline::Course;
use crate::process::Liveness;
use crate::status::{SessionStatus, session_status};
use crate::supervise::{Left, Tempo, supervise};
use crate::takeover::Request;
use crate::{Evidence, SessionDir, StateError};

/// Between two looks at what a living worker has done: a small file each time, and somebody waits.
const LOOK: Duration = Duration::from_millis(10);
/// Sessions flushed at the same time.
const AT_A_TIME: usize = 16;
/// Before what failed is tried again; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Bounds of a single attempt to send where many sessions wait.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(2);
const LONGEST_ATTEMPT: Duration = Duration::from_secs(20);

/// What became of one session.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionFlush {
    /// Where it stands now.
    pub status: SessionStatus,
    /// Whether everything that can be delivered now is: turns still running under a living Codex
    /// are no part of it.
    pub complete: bool,
    /// Something goes on that only a worker can follow: a turn that runs under a living Codex, or
    /// hooks that came meanwhile and found the lock held. Whoever flushed starts one, with this
    /// offset as its [`since`](crate::WorkerOptions::since).
    pub unattended: Option<u64>,
    /// Nothing is left but what stands in a rollout that cannot be read to its end. To try again is no
    /// use before somebody mends it.
    pub stuck: bool,
    /// A worker with other destinations has made way, and the Codex whose settings it had still runs:
    /// what that does from now on goes there again.
    pub taken_over: bool,
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
    flush_within(
        session,
        course,
        &Tempo::flush(deadline),
        deadline,
        close_turn,
        None,
    )
    .await
}

async fn flush_within(
    session: &SessionDir,
    course: &Course,
    tempo: &Tempo,
    deadline: Instant,
    close_turn: Option<&str>,
    request: Option<&Request>,
) -> Result<SessionFlush, StateError> {
    let target = JournalReader::new(session).len();
    let mut left = Left::AlreadyRunning;
    let mut unattended = None;
    while Instant::now() < deadline {
        if is_done(session, course, target, close_turn) {
            left = Left::Finished;
            break;
        }
        if let Some(held) = SessionLock::try_acquire(session)? {
            if let Some(request) = request {
                request.look();
            }
            let mut never = std::pin::pin!(std::future::pending());
            let departure =
                supervise(session, course, tempo, Some(target), &held, &mut never).await?;
            drop(held);
            left = departure.left;
            // A hook that appended meanwhile found the lock held and started no worker; only one of
            // a new Codex process has started its own.
            let late = JournalReader::resume(session, departure.offset).read()?;
            let has_more = !late.is_empty() || left != Left::Finished;
            let grew = JournalReader::new(session).len() > target;
            let goes_on = departure.runs_on || (grew && has_more);
            unattended =
                (goes_on && !matches!(left, Left::Succeeded | Left::MadeWay)).then_some(target);
            if late.is_empty() || left != Left::Finished {
                break;
            }
            left = Left::OutOfTime;
            continue;
        }
        // Somebody is at it.
        unattended = None;
        if close_turn.is_none() && is_caught_up(session, course, target) {
            left = if is_stuck(session, course) {
                Left::GaveUp
            } else {
                Left::Finished
            };
            break;
        }
        if let Some(request) = request {
            request.renew();
        }
        sleep(LOOK).await;
    }
    let taken_over = request.is_some_and(Request::is_granted) && runs(session)?;
    let mut status = session_status(session);
    status.note_present(course.backend.destinations());
    // Whose turn's end waits asks for no more than that turn.
    let has_turn = || close_turn.is_some() && is_done(session, course, target, close_turn);
    Ok(SessionFlush {
        status,
        complete: left == Left::Finished || has_turn(),
        unattended,
        stuck: left == Left::GaveUp && is_stuck(session, course),
        taken_over,
    })
}

/// Whether the session's Codex runs.
fn runs(session: &SessionDir) -> Result<bool, StateError> {
    let evidence = evidence_of(session)?;
    let process = evidence.process();
    Ok(!evidence.has_ended()
        && process.is_some_and(|process| process.liveness() == Liveness::Alive))
}

/// Whether a living worker has nothing left but turns that are still running, and what cannot be read.
fn is_caught_up(session: &SessionDir, course: &Course, target: u64) -> bool {
    course.backend.destinations().iter().all(|destination| {
        Cursor::look(session, &destination.id)
            .is_some_and(|cursor| cursor.caught_up >= target && cursor.pending == 0)
    })
}

/// Whether only what cannot be read is left, as of when delivery was last given up or caught up.
fn is_stuck(session: &SessionDir, course: &Course) -> bool {
    let destinations = course.backend.destinations().iter();
    let cursors: Vec<_> = destinations
        .map(|destination| Cursor::look(session, &destination.id))
        .collect();
    let has_none_ready =
        |cursor: &Option<Cursor>| cursor.as_ref().is_some_and(|it| it.pending == 0);
    let is_unread = |cursor: &Cursor| cursor.unread.is_some();
    cursors.iter().all(has_none_ready) && cursors.iter().flatten().any(is_unread)
}

/// Whether every destination has the turn that is waited for, or all that the journal told of.
///
/// A destination without a cursor is asked of nothing where others have had the whole session: it
/// would join behind them.
fn is_done(session: &SessionDir, course: &Course, target: u64, close_turn: Option<&str>) -> bool {
    let has_all = |cursor: &Cursor| cursor.journal_seen >= target && cursor.waiting() == 0;
    let others_have_all = || {
        let cursors = Cursor::look_all(session);
        let mut others = cursors.iter().map(|(_, cursor)| cursor);
        others.any(|cursor| cursor.delivered > 0 && has_all(cursor))
    };
    course.backend.destinations().iter().all(|destination| {
        match Cursor::look(session, &destination.id) {
            Some(cursor) => {
                has_all(&cursor) || close_turn.is_some_and(|turn| cursor.has_delivered(turn))
            }
            None => !has_place(session, &destination.id) && others_have_all(),
        }
    })
}

/// Whether there is anything where the cursor of a destination belongs, if only something that
/// cannot be read.
fn has_place(session: &SessionDir, destination: &str) -> bool {
    let path = session.cursor_file(destination);
    path.is_some_and(|path| path.symlink_metadata().is_ok())
}

/// Delivers what is pending of many sessions, several at a time, until `deadline`. A worker to which
/// nothing answers makes way, if it has other destinations.
///
/// `course_of` resolves a session's settings (from its working directory, which the journal
/// knows); `None` leaves the session out. `progress` hears of each
/// session when it is done with. A session whose destination does not answer steps back after one
/// attempt, so that it holds up no other, and is tried again as long as there is time.
pub async fn flush_all(
    sessions: &[SessionDir],
    course_of: &dyn Fn(&SessionDir, &Evidence) -> Option<Course>,
    deadline: Instant,
    progress: &mut dyn FnMut(&SessionDir, &SessionStatus),
) -> FlushReport {
    let mut report = FlushReport::default();
    let mut waiting = VecDeque::new();
    for session in sessions {
        match evidence_of(session) {
            Ok(evidence) if evidence.is_empty() => {}
            Ok(evidence) => {
                let course = course_of(session, &evidence);
                waiting.extend(course.map(|course| (session.clone(), course)));
            }
            Err(error) => report.errors.push(error.to_string()),
        }
    }
    let mut pause = FIRST_PAUSE;
    loop {
        waiting = LocalSet::new()
            .run_until(flush_round(waiting, deadline, progress, &mut report))
            .await;
        if waiting.is_empty() {
            return report;
        }
        let rest = deadline.saturating_duration_since(Instant::now());
        sleep(pause.min(rest)).await;
        pause *= 2;
    }
}

/// What is said of a session at which the program itself failed.
const BROKE_OFF: &str = "delivery of a session broke off by an internal error";

/// Tries each session once; gives those that are worth another attempt.
async fn flush_round(
    mut waiting: VecDeque<(SessionDir, Course)>,
    deadline: Instant,
    progress: &mut dyn FnMut(&SessionDir, &SessionStatus),
    report: &mut FlushReport,
) -> VecDeque<(SessionDir, Course)> {
    let mut again = VecDeque::new();
    let mut running = JoinSet::new();
    loop {
        while running.len() < AT_A_TIME
            && let Some((session, course)) = waiting.pop_front()
        {
            running.spawn_local(flush_once(session, course, deadline));
        }
        let (session, course, flushed) = match running.join_next().await {
            None => return again,
            Some(Ok(ended)) => ended,
            Some(Err(_)) => {
                // The words of a panic may quote what is delivered; its place is told where it
                // happens.
                report.errors.push(BROKE_OFF.to_owned());
                continue;
            }
        };
        if let Ok(flush) = &flushed {
            report.note_attendance(&session, flush);
        }
        match flushed {
            Ok(flush) if flush.complete => {
                progress(&session, &flush.status);
                report.complete.push(flush.status);
            }
            Ok(flush) if flush.stuck || Instant::now() >= deadline || is_refused(&flush.status) => {
                progress(&session, &flush.status);
                report.left.push(flush.status);
            }
            Ok(_) => again.push_back((session, course)),
            Err(error) => report.errors.push(error.to_string()),
        }
    }
}

/// One attempt that gives up at the first failure.
async fn flush_once(
    session: SessionDir,
    course: Course,
    deadline: Instant,
) -> (SessionDir, Course, Result<SessionFlush, StateError>) {
    let rest = deadline.saturating_duration_since(Instant::now());
    let tempo = Tempo {
        attempt: (rest / 4).clamp(SHORTEST_ATTEMPT, LONGEST_ATTEMPT),
        give_up: Duration::ZERO,
        ..Tempo::flush(deadline)
    };
    let destinations = course.backend.destinations();
    // Without a key this one would get nowhere either.
    let can_send = destinations.iter().any(|destination| destination.has_key);
    let request = can_send.then(|| Request::new(&session, destinations));
    let flushed = flush_within(&session, &course, &tempo, deadline, None, request.as_ref()).await;
    drop(request);
    (session, course, flushed)
}

/// Whether trying again is no use before somebody changes something.
fn is_refused(status: &SessionStatus) -> bool {
    status.waiting().all(|destination| destination.refused)
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
    /// Sessions that need a worker: see [`SessionFlush::unattended`].
    pub unattended: Vec<(SessionDir, u64)>,
    /// Ids of sessions that were [taken over](SessionFlush::taken_over).
    pub taken_over: BTreeSet<String>,
}

impl FlushReport {
    /// A session that is tried again for its destination's sake keeps what was seen before.
    fn note_attendance(&mut self, session: &SessionDir, flush: &SessionFlush) {
        if flush.taken_over {
            self.taken_over.insert(session.id().to_owned());
        }
        if flush.complete || flush.unattended.is_some() {
            self.unattended
                .retain(|(known, _)| known.id() != session.id());
        }
        if let Some(since) = flush.unattended {
            self.unattended.push((session.clone(), since));
        }
    }

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
