//! All destinations of one session at once, under one lock, until nothing is left to do.
//!
//! One thread, one task per destination. The supervisor follows the journal and the Codex process
//! and decides when to leave; the tasks do the rest. Cursors are written synchronously, so that
//! dropping the tasks at any await leaves a whole cursor.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep, timeout};

use crate::journal::JournalReader;
use crate::lock::SessionLock;
use crate::pipeline::{Course, Pipeline, Standing};
use crate::process::Liveness;
use crate::{Evidence, SessionDir, StateError, failpoint};

/// How long is waited for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tempo {
    /// Between two looks at the files while something happens.
    pub poll: Duration,
    /// Between two looks while nothing happens.
    pub slow_poll: Duration,
    /// How long files must stand still before it is noted that nothing but running turns is left:
    /// a note costs a cursor write, and only a flush beside a worker reads it.
    pub quiet: Duration,
    /// How long to stay when everything is done.
    pub linger: Duration,
    /// Longest single attempt to send.
    pub attempt: Duration,
    /// How long a destination may fail before it is left for the next hook or flush.
    pub give_up: Duration,
    /// How long files must stand still before a turn of a Codex that is gone is cut off.
    pub still: Duration,
    /// The same where nobody can tell whether Codex is gone.
    pub long_still: Duration,
    /// Longest life without any news.
    pub without_news: Duration,
    /// Whether running turns of a living Codex are waited for.
    pub awaits_open_turns: bool,
    /// When to leave whatever is left.
    pub deadline: Option<Instant>,
}

impl Tempo {
    /// Of a worker in the background.
    pub fn worker() -> Self {
        Self {
            poll: Duration::from_millis(150),
            slow_poll: Duration::from_millis(300),
            quiet: Duration::from_secs(2),
            linger: Duration::from_secs(3),
            attempt: Duration::from_mins(1),
            give_up: Duration::from_mins(10),
            still: Duration::from_millis(1500),
            long_still: Duration::from_mins(1),
            without_news: Duration::from_hours(1),
            awaits_open_turns: true,
            deadline: None,
        }
    }

    /// Of a flush in the foreground that ends at `deadline`.
    pub fn flush(deadline: Instant) -> Self {
        Self {
            poll: Duration::from_millis(25),
            linger: Duration::ZERO,
            awaits_open_turns: false,
            deadline: Some(deadline),
            ..Self::worker()
        }
    }
}

/// Why a supervisor left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Nothing is left to do.
    Finished,
    /// Somebody else holds the lock.
    AlreadyRunning,
    /// Some destination failed for too long or refuses; its cursor stays.
    GaveUp,
    /// Nothing happened for a long time.
    NoNews,
    /// The deadline came.
    OutOfTime,
    /// It was asked to leave (SIGTERM).
    Terminated,
    /// Another Codex process has taken the session up; its worker, with its settings, goes on.
    Succeeded,
}

/// What the tasks share.
struct Shared {
    evidence: RefCell<Rc<Evidence>>,
    /// Raised with each change of the evidence; a standing counts only for its generation.
    generation: Cell<u64>,
    liveness: Cell<Liveness>,
    leave: Cell<bool>,
    /// A new Codex process has taken the session up.
    succeeded: Cell<bool>,
    journal: RefCell<JournalReader>,
    grew_at: Cell<Instant>,
    standings: RefCell<Vec<Option<(u64, Standing)>>>,
    wake: Notify,
    tempo: Tempo,
}

/// Delivers a session until nothing is left to do. `held` is the session's lock; `stop` ends
/// early. The journal is read from its beginning: it is small, and all evidence is in it. Gives
/// the journal's offset up to which everything was taken into account.
pub(crate) async fn supervise(
    session: &SessionDir,
    course: &Course,
    tempo: &Tempo,
    held: &SessionLock,
    stop: &mut (impl Future<Output = ()> + Unpin),
) -> Result<(Left, u64), StateError> {
    let mut pipelines = Vec::new();
    for destination in course.backend.destinations() {
        pipelines.push(Pipeline::open(course, session, destination, held)?);
    }
    let shared = Rc::new(Shared {
        evidence: RefCell::new(Rc::new(Evidence::new(session.id()))),
        generation: Cell::new(0),
        liveness: Cell::new(Liveness::Alive),
        leave: Cell::new(false),
        succeeded: Cell::new(false),
        journal: RefCell::new(JournalReader::new(session)),
        grew_at: Cell::new(Instant::now()),
        standings: RefCell::new(vec![None; pipelines.len()]),
        wake: Notify::new(),
        tempo: tempo.clone(),
    });
    failpoint::hit("locked");
    shared.absorb();
    failpoint::hit("journal_read");
    // What was there at the start is what we were started for.
    shared.succeeded.set(false);
    let left = LocalSet::new()
        .run_until(async {
            let mut tasks = JoinSet::new();
            for (index, pipeline) in pipelines.into_iter().enumerate() {
                tasks.spawn_local(follow(index, pipeline, Rc::clone(&shared)));
            }
            let left = watch(&shared, &mut tasks, stop).await;
            if left == Left::Terminated {
                // Dropping the tasks stops them between two cursor writes.
                return left;
            }
            shared.leave.set(true);
            shared.wake.notify_waiters();
            let grace = Duration::from_secs(2);
            while let Ok(Some(_)) = timeout(grace, tasks.join_next()).await {
                failpoint::hit("before_leave");
            }
            left
        })
        .await;
    let offset = shared.journal.borrow().offset();
    Ok((left, offset))
}

/// The supervisor's loop: journal, process, decision to leave.
async fn watch(
    shared: &Shared,
    tasks: &mut JoinSet<()>,
    stop: &mut (impl Future<Output = ()> + Unpin),
) -> Left {
    let mut news_at = Instant::now();
    let mut known = shared.generation.get();
    loop {
        shared.look_at_process();
        shared.absorb();
        if shared.generation.get() != known {
            known = shared.generation.get();
            news_at = Instant::now();
            shared.wake.notify_waiters();
        }
        news_at = news_at.max(shared.grew_at.get());
        if let Some(left) = shared.decide(news_at) {
            // Once more, still under the lock: a hook may have appended meanwhile. What comes
            // where we leave all the same is found after the lock is released.
            if left == Left::Finished {
                shared.absorb();
            }
            if shared.generation.get() == known {
                return left;
            }
        }
        tokio::select! {
            () = sleep(shared.pace(news_at)) => {}
            () = &mut *stop => return Left::Terminated,
            Some(ended) = tasks.join_next() => {
                if ended.is_err() {
                    // The words of a panic may quote what is delivered; its place is told where it
                    // happens.
                    tracing::error!("delivery to a destination broke off");
                    return Left::GaveUp;
                }
            }
        }
    }
}

/// One destination's loop.
async fn follow(index: usize, mut pipeline: Pipeline, shared: Rc<Shared>) {
    let mut quiet_since = Instant::now();
    loop {
        let generation = shared.generation.get();
        let fresh = || shared.absorb();
        let standing = pipeline.advance(&fresh, shared.attempt_until()).await;
        let evidence = Rc::clone(&shared.evidence.borrow());
        if standing.grew {
            quiet_since = Instant::now();
            shared.grew_at.set(quiet_since);
        }
        let dead = shared.is_codex_gone(&evidence, quiet_since.elapsed());
        if dead && pipeline.finish_open_turns(&evidence) {
            continue;
        }
        shared.report(index, generation, standing);
        if shared.leave.get() {
            // An entry that came while the round ran has not been judged by it.
            let up_to_date = generation == shared.generation.get();
            let done = up_to_date && standing.is_idle() && !standing.pending;
            pipeline.note_leaving(done.then(|| shared.journal.borrow().offset()));
            return;
        }
        if shared.is_session_done(generation, standing, &evidence) {
            // The hook that told of the end may wait for just this.
            pipeline.note_leaving(Some(shared.journal.borrow().offset()));
        }
        let up_to_date = generation == shared.generation.get();
        let quiet = quiet_since.elapsed() >= shared.tempo.quiet;
        if up_to_date && quiet && standing.is_caught_up() {
            pipeline.note_caught_up(shared.journal.borrow().offset());
        }
        if standing.again {
            tokio::task::yield_now().await;
            continue;
        }
        let pace = shared.pace(quiet_since);
        // A wake-up that comes between two waits costs one pace, no more.
        let _ = timeout(pace, shared.wake.notified()).await;
    }
}

impl Shared {
    /// Takes in new journal entries and gives all that is known. Once it is decided to leave, new
    /// ones are left where they are: whoever comes next must find them.
    fn absorb(&self) -> Rc<Evidence> {
        if self.leave.get() {
            return Rc::clone(&self.evidence.borrow());
        }
        let entries = self.journal.borrow_mut().read().unwrap_or_else(|error| {
            tracing::warn!(%error, "journal unreadable for now");
            Vec::new()
        });
        if !entries.is_empty() {
            let mut evidence = Evidence::clone(&self.evidence.borrow());
            for entry in &entries {
                evidence.absorb(entry);
                self.succeeded
                    .set(self.succeeded.get() || entry.begins_process());
            }
            self.evidence.replace(Rc::new(evidence));
            self.generation.set(self.generation.get() + 1);
            // A resumed session goes on in another process.
            self.look_at_process();
        }
        Rc::clone(&self.evidence.borrow())
    }

    fn look_at_process(&self) {
        let process = self.evidence.borrow().process();
        self.liveness
            .set(process.map_or(Liveness::Unsure, |process| process.liveness()));
    }

    /// Whether nothing more will be written after files stood still for `quiet`.
    fn is_codex_gone(&self, evidence: &Evidence, quiet: Duration) -> bool {
        let patience = match self.liveness.get() {
            Liveness::Gone => self.tempo.still,
            _ if evidence.has_ended() => self.tempo.still,
            Liveness::Unsure => self.tempo.long_still,
            Liveness::Alive => return false,
        };
        quiet >= patience
    }

    fn report(&self, index: usize, generation: u64, standing: Standing) {
        if let Some(slot) = self.standings.borrow_mut().get_mut(index) {
            *slot = Some((generation, standing));
        }
    }

    /// Whether Codex has ended the session and nothing of it is left, as of everything in the
    /// journal.
    fn is_session_done(&self, generation: u64, standing: Standing, evidence: &Evidence) -> bool {
        let up_to_date = generation == self.generation.get();
        up_to_date && evidence.has_ended() && standing.is_idle() && !standing.pending
    }

    /// Whether it is time to leave, and why.
    fn decide(&self, news_at: Instant) -> Option<Left> {
        let now = Instant::now();
        if self.tempo.deadline.is_some_and(|deadline| deadline <= now) {
            return Some(Left::OutOfTime);
        }
        if self.succeeded.get() {
            return Some(Left::Succeeded);
        }
        let quiet = now.saturating_duration_since(news_at);
        if quiet >= self.tempo.without_news {
            return Some(Left::NoNews);
        }
        let mut gave_up = false;
        for slot in self.standings.borrow().iter() {
            let (generation, standing) = (*slot)?;
            if generation != self.generation.get() {
                return None;
            }
            let failing = standing
                .failing_since
                .is_some_and(|since| now.saturating_duration_since(since) >= self.tempo.give_up);
            if !failing && !self.has_done_all(standing) {
                return None;
            }
            gave_up |= failing || (standing.stopped && standing.pending);
        }
        if quiet < self.tempo.linger {
            return None;
        }
        Some(if gave_up {
            Left::GaveUp
        } else {
            Left::Finished
        })
    }

    fn has_done_all(&self, standing: Standing) -> bool {
        let ignores_open = !self.tempo.awaits_open_turns && self.liveness.get() == Liveness::Alive;
        let standing = Standing {
            open: standing.open && !ignores_open,
            ..standing
        };
        standing.is_idle()
    }

    fn attempt_until(&self) -> Instant {
        let attempt = Instant::now() + self.tempo.attempt;
        self.tempo
            .deadline
            .map_or(attempt, |deadline| attempt.min(deadline))
    }

    /// How long to sleep: short after news, longer the longer there was none.
    fn pace(&self, since: Instant) -> Duration {
        let quiet = since.elapsed();
        (quiet / 20).clamp(self.tempo.poll, self.tempo.slow_poll)
    }
}
