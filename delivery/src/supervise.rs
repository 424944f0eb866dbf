//! All destinations of one session at once, under one lock, until nothing is left to do.
//!
//! One thread, one task per destination. The supervisor follows the journal and the Codex process
//! and decides when to leave; the tasks do the rest. Cursors are written synchronously, so that
//! dropping the tasks at any await leaves a whole cursor.

mod shared;
mod tempo;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::{Id, JoinSet, LocalSet};
use tokio::time::{Instant, sleep, timeout};

use crate::cursor_file::{has_arrived, note_absence};
use crate::failure::note_error;
use crate::lock::SessionLock;
use crate::pipeline::{Course, Pipeline};
use crate::{Destination, SessionDir, StateError, failpoint};
use shared::Shared;
pub use tempo::{Left, Tempo};

/// How a supervisor left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Departure {
    pub(crate) left: Left,
    /// The journal's offset up to which everything was taken into account.
    pub(crate) offset: u64,
    /// A turn that will be delivered is still running, and so is Codex.
    pub(crate) runs_on: bool,
}

/// Delivers a session until nothing is left to do. `held` is the session's lock; `stop` ends
/// early. The journal is read from its beginning: it is small, and all evidence is in it.
///
/// A Codex process that the journal tells of at or behind the offset `since` has its own worker:
/// nothing from its entry on is taken up here. Without, what is there now is all ours.
pub(crate) async fn supervise(
    session: &SessionDir,
    course: &Course,
    tempo: &Tempo,
    since: Option<u64>,
    held: &SessionLock,
    stop: &mut (impl Future<Output = ()> + Unpin),
) -> Result<Departure, StateError> {
    let destinations = course.backend.destinations();
    keep_settings(session, course);
    note_absence(session, destinations, held);
    let mut pipelines = Vec::new();
    let mut closed = Vec::new();
    for (index, destination) in destinations.iter().enumerate() {
        match Pipeline::open(course, session, destination, held) {
            Ok(pipeline) => pipelines.push((index, pipeline)),
            // Its files are no reason for the others to wait.
            Err(error) => {
                tracing::error!(destination = destination.label, %error, "destination left out");
                closed.push((index, error));
            }
        }
    }
    if pipelines.is_empty()
        && let Some((_, error)) = closed.pop()
    {
        return Err(error);
    }
    let shared = Rc::new(Shared::new(session, tempo, since, destinations));
    for (index, _) in closed {
        shared.give_up_on(index);
    }
    failpoint::hit("locked");
    shared.absorb();
    failpoint::hit("journal_read");
    if shared.is_succeeded() {
        return Ok(shared.departure(Left::Succeeded));
    }
    let left = LocalSet::new()
        .run_until(async {
            let mut tasks = Tasks::default();
            for (index, pipeline) in pipelines {
                let task = follow(index, pipeline, Rc::clone(&shared));
                let id = tasks.set.spawn_local(task).id();
                tasks.destinations.insert(id, index);
            }
            let broke_off = |index: usize| {
                shared.give_up_on(index);
                if let Some(destination) = course.backend.destinations().get(index) {
                    note_break(session, destination, held);
                }
            };
            let left = watch(&shared, &mut tasks, &broke_off, stop).await;
            if left == Left::Terminated {
                // Dropping the tasks stops them between two cursor writes.
                return left;
            }
            shared.leave();
            let grace = Duration::from_secs(2);
            while let Ok(true) = timeout(grace, tasks.next(&broke_off)).await {
                failpoint::hit("before_leave");
            }
            left
        })
        .await;
    Ok(shared.departure(left))
}

/// Under the lock, so that nobody else is just delivering what would put the old ones in force.
fn keep_settings(session: &SessionDir, course: &Course) {
    if let Some(bytes) = &course.settings
        && !has_arrived(session)
        && let Err(error) = session.keep_settings(bytes)
    {
        tracing::warn!(%error, "settings not kept");
    }
}

/// The tasks, and which destination each is for.
#[derive(Default)]
struct Tasks {
    set: JoinSet<()>,
    destinations: BTreeMap<Id, usize>,
}

impl Tasks {
    /// Waits for one to end; `false` if there is none. One that broke off is told of.
    async fn next(&mut self, broke_off: &dyn Fn(usize)) -> bool {
        match self.set.join_next().await {
            None => return false,
            Some(Ok(())) => {}
            Some(Err(error)) => {
                if let Some(index) = self.destinations.get(&error.id()) {
                    broke_off(*index);
                }
            }
        }
        true
    }
}

/// Leaves word, in the log and for `status`, of a destination whose delivery ended by a panic.
/// The words of a panic may quote what is delivered; its place is told where it happens.
fn note_break(session: &SessionDir, destination: &Destination, held: &SessionLock) {
    tracing::error!(destination = destination.label, "delivery broke off");
    let words = "delivery broke off by a mistake in codex-tracing; the log says more";
    note_error(session, &destination.id, &destination.label, held, words);
}

/// The supervisor's loop: journal, process, decision to leave.
async fn watch(
    shared: &Shared,
    tasks: &mut Tasks,
    broke_off: &dyn Fn(usize),
    stop: &mut (impl Future<Output = ()> + Unpin),
) -> Left {
    let mut news_at = Instant::now();
    let mut known = shared.generation();
    let mut nowhere_since = None;
    loop {
        if shared.makes_way(&mut nowhere_since) {
            return Left::MadeWay;
        }
        shared.look_at_process();
        shared.absorb();
        if shared.generation() != known {
            known = shared.generation();
            news_at = Instant::now();
            shared.wake();
        }
        news_at = news_at.max(shared.grew_at());
        if let Some(left) = shared.decide(news_at) {
            // Once more, still under the lock: a hook may have appended meanwhile. What comes
            // where we leave all the same is found after the lock is released.
            if left == Left::Finished {
                shared.absorb();
            }
            let has_news = shared.generation() != known || shared.is_succeeded();
            // Whatever comes: these do not wait for more.
            if !has_news || matches!(left, Left::Succeeded | Left::OutOfTime) {
                return left;
            }
        }
        let has_tasks = !tasks.set.is_empty();
        tokio::select! {
            () = sleep(shared.pace(news_at)) => {}
            () = &mut *stop => return Left::Terminated,
            // One destination's end is none of the others'.
            _ = tasks.next(broke_off), if has_tasks => {}
        }
    }
}

/// One destination's loop.
async fn follow(index: usize, mut pipeline: Pipeline, shared: Rc<Shared>) {
    let mut quiet_since = Instant::now();
    loop {
        let generation = shared.generation();
        let fresh = || shared.absorb();
        shared.note_trying(index, !pipeline.has_arrived());
        let Some(standing) = pipeline.advance(&fresh, shared.attempt_until()).await else {
            pipeline.note_leaving(None);
            return;
        };
        let evidence = shared.evidence();
        if standing.grew {
            quiet_since = Instant::now();
            shared.note_growth(quiet_since);
        }
        let dead = shared.is_codex_gone(&evidence, quiet_since.elapsed());
        if dead && pipeline.finish_open_turns(&evidence) {
            continue;
        }
        shared.report(index, generation, standing);
        if shared.is_leaving() {
            // An entry that came while the round ran has not been judged by it.
            let up_to_date = generation == shared.generation();
            let done = up_to_date && standing.is_done();
            pipeline.note_leaving(done.then(|| shared.offset()));
            return;
        }
        if shared.is_session_done(generation, standing, &evidence) {
            // The hook that told of the end may wait for just this.
            pipeline.note_leaving(Some(shared.offset()));
        }
        let up_to_date = generation == shared.generation();
        if up_to_date && shared.is_quiet(quiet_since) && standing.is_caught_up() {
            pipeline.note_caught_up(shared.offset());
        }
        if standing.again {
            tokio::task::yield_now().await;
            continue;
        }
        // A wake-up that comes between two waits costs one pace, no more.
        let _ = timeout(shared.pace(quiet_since), shared.woken()).await;
    }
}
