//! What the supervisor and its tasks share: the journal so far, the process, where each stands.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::Departure;
use super::tempo::{Left, Tempo};
use crate::journal::JournalReader;
use crate::pipeline::Standing;
use crate::process::Liveness;
use crate::takeover::Ear;
use crate::{Deadline, Destination, Evidence, JournalEntry, SessionDir};

/// What the tasks share.
pub(super) struct Shared {
    evidence: RefCell<Rc<Evidence>>,
    /// Raised with each change of the evidence; a standing counts only for its generation.
    generation: Cell<u64>,
    liveness: Cell<Liveness>,
    leave: Cell<bool>,
    journal: RefCell<JournalReader>,
    /// Where in the journal entries begin that a new Codex process may be told of by.
    since: u64,
    /// A new Codex process has taken the session up.
    succeeded: Cell<bool>,
    grew_at: Cell<Instant>,
    standings: RefCell<Vec<Slot>>,
    /// By destination: it is at work, and the destination has never taken anything.
    trying: RefCell<Vec<bool>>,
    ear: Ear,
    wake: Notify,
    tempo: Tempo,
}

/// What is known of one destination.
#[derive(Clone, Copy)]
enum Slot {
    /// Nothing yet.
    New,
    /// How it stood in a generation.
    Stands(u64, Standing),
    /// Its task broke off.
    Broken,
}

impl Shared {
    /// Nothing known yet of `session`, for these destinations.
    pub(super) fn new(
        session: &SessionDir,
        tempo: &Tempo,
        since: Option<u64>,
        destinations: &[Destination],
    ) -> Self {
        let journal = JournalReader::new(session);
        Self {
            evidence: RefCell::new(Rc::new(Evidence::new(session.id()))),
            generation: Cell::new(0),
            liveness: Cell::new(Liveness::Alive),
            leave: Cell::new(false),
            since: since.unwrap_or_else(|| journal.len()),
            journal: RefCell::new(journal),
            succeeded: Cell::new(false),
            grew_at: Cell::new(Instant::now()),
            standings: RefCell::new(vec![Slot::New; destinations.len()]),
            trying: RefCell::new(vec![false; destinations.len()]),
            ear: Ear::new(session, destinations),
            wake: Notify::new(),
            tempo: tempo.clone(),
        }
    }

    /// Takes in new journal entries and gives all that is known; `None` once another process has
    /// taken the session up. Once it is decided to leave, new ones are left where they are: whoever
    /// comes next must find them.
    pub(super) fn absorb(&self) -> Option<Rc<Evidence>> {
        if !self.leave.get() && !self.succeeded.get() {
            let entries = self.read_journal();
            if !entries.is_empty() {
                let mut evidence = Evidence::clone(&self.evidence.borrow());
                for entry in &entries {
                    evidence.absorb(entry);
                }
                self.evidence.replace(Rc::new(evidence));
                self.generation.set(self.generation.get() + 1);
                // A resumed session goes on in another process.
                self.look_at_process();
            }
        }
        (!self.succeeded.get()).then(|| self.evidence())
    }

    /// New entries, up to the one that tells of another process.
    fn read_journal(&self) -> Vec<JournalEntry> {
        let mut journal = self.journal.borrow_mut();
        let entries = journal.read_with_offsets().unwrap_or_else(|error| {
            tracing::warn!(%error, "journal unreadable for now");
            Vec::new()
        });
        let mut ours = Vec::with_capacity(entries.len());
        for (offset, entry) in entries {
            if offset >= self.since && entry.begins_process() {
                journal.go_back_to(offset);
                self.succeeded.set(true);
                break;
            }
            ours.push(entry);
        }
        ours
    }

    /// All that is known, without another look.
    pub(super) fn evidence(&self) -> Rc<Evidence> {
        Rc::clone(&self.evidence.borrow())
    }

    /// Which change of the evidence is the latest.
    pub(super) fn generation(&self) -> u64 {
        self.generation.get()
    }

    /// Up to where the journal is taken into account.
    pub(super) fn offset(&self) -> u64 {
        self.journal.borrow().offset()
    }

    /// How things stand on leaving.
    pub(super) fn departure(&self, left: Left) -> Departure {
        let standings = self.standings.borrow();
        let mut standings = standings.iter();
        let is_open = |slot: &Slot| {
            let Slot::Stands(_, standing) = slot else {
                return false;
            };
            standing.open || standing.unread_since.is_some()
        };
        Departure {
            left,
            offset: self.offset(),
            runs_on: self.liveness.get() == Liveness::Alive && standings.any(is_open),
        }
    }

    /// Whether another Codex process has taken the session up.
    pub(super) fn is_succeeded(&self) -> bool {
        self.succeeded.get()
    }

    /// Asks every task to leave.
    pub(super) fn leave(&self) {
        self.leave.set(true);
        self.wake();
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leave.get()
    }

    /// Ends every task's pause.
    pub(super) fn wake(&self) {
        self.wake.notify_waiters();
    }

    /// Resolves at the next [`Shared::wake`].
    pub(super) fn woken(&self) -> impl Future<Output = ()> + '_ {
        self.wake.notified()
    }

    /// When a rollout grew last.
    pub(super) fn grew_at(&self) -> Instant {
        self.grew_at.get()
    }

    pub(super) fn note_growth(&self, at: Instant) {
        self.grew_at.set(at);
    }

    /// Whether files have stood still long enough for a note.
    pub(super) fn is_quiet(&self, since: Instant) -> bool {
        since.elapsed() >= self.tempo.quiet
    }

    pub(super) fn look_at_process(&self) {
        let process = self.evidence.borrow().process();
        self.liveness
            .set(process.map_or(Liveness::Unsure, |process| process.liveness()));
    }

    /// Whether nothing more will be written after files stood still for `quiet`.
    pub(super) fn is_codex_gone(&self, evidence: &Evidence, quiet: Duration) -> bool {
        let patience = match self.liveness.get() {
            Liveness::Gone => self.tempo.still,
            _ if evidence.has_ended() => self.tempo.still,
            Liveness::Unsure => self.tempo.long_still,
            Liveness::Alive => return false,
        };
        quiet >= patience
    }

    pub(super) fn report(&self, index: usize, generation: u64, standing: Standing) {
        self.set(index, Slot::Stands(generation, standing));
    }

    /// Counts a destination no longer: its task broke off.
    pub(super) fn give_up_on(&self, index: usize) {
        self.set(index, Slot::Broken);
    }

    /// Notes that a destination is at work, and whether it has yet to take anything.
    pub(super) fn note_trying(&self, index: usize, is_new: bool) {
        if let Some(trying) = self.trying.borrow_mut().get_mut(index) {
            *trying = is_new;
        }
    }

    /// Whether to make way for a flush with other destinations: none of ours has answered for long, which
    /// `since` keeps from look to look.
    pub(super) fn makes_way(&self, since: &mut Option<Instant>) -> bool {
        let Some(patience) = self.gets_nowhere() else {
            *since = None;
            return false;
        };
        let since = *since.get_or_insert_with(Instant::now);
        since.elapsed() >= patience && self.ear.takes_leave()
    }

    /// If every destination fails, has all that can be read, or has taken nothing yet and is waited for:
    /// how long that may be so.
    /// One that is only waited for may be slow, and a body may be on its way to it.
    fn gets_nowhere(&self) -> Option<Duration> {
        let trying = self.trying.borrow();
        let standings = self.standings.borrow();
        let mut patience = self.tempo.makes_way;
        for (slot, trying) in standings.iter().zip(trying.iter()) {
            let fails = match slot {
                Slot::Broken => true,
                Slot::New => false,
                Slot::Stands(_, standing) => {
                    standing.failing_since.is_some() || standing.is_stuck()
                }
            };
            if !fails {
                patience = trying.then_some(self.tempo.makes_way_unanswered)?;
            }
        }
        Some(patience)
    }

    fn set(&self, index: usize, slot: Slot) {
        self.note_trying(index, false);
        if let Some(place) = self.standings.borrow_mut().get_mut(index) {
            *place = slot;
        }
    }

    /// Whether Codex has ended the session and nothing of it is left, as of everything in the
    /// journal.
    pub(super) fn is_session_done(
        &self,
        generation: u64,
        standing: Standing,
        evidence: &Evidence,
    ) -> bool {
        let up_to_date = generation == self.generation.get();
        up_to_date && evidence.has_ended() && standing.is_done()
    }

    /// Whether it is time to leave, and why.
    pub(super) fn decide(&self, news_at: Instant) -> Option<Left> {
        let now = Instant::now();
        if self.succeeded.get() {
            return Some(Left::Succeeded);
        }
        if self.tempo.deadline.is_some_and(|deadline| deadline <= now) {
            return Some(Left::OutOfTime);
        }
        let quiet = now.saturating_duration_since(news_at);
        if quiet >= self.tempo.without_news {
            return Some(Left::NoNews);
        }
        let mut gave_up = false;
        for slot in self.standings.borrow().iter() {
            let standing = match *slot {
                Slot::Stands(generation, standing) if generation == self.generation.get() => {
                    standing
                }
                Slot::Broken => {
                    gave_up = true;
                    continue;
                }
                _ => return None,
            };
            let is_over = |since| now.saturating_duration_since(since) >= self.tempo.give_up;
            let failing = standing.failing_since.is_some_and(is_over);
            // Where nothing is sent, nothing more needs to be read; a flush tells what it cannot read.
            let has_read = standing.stopped
                || self.tempo.deadline.is_some()
                || standing.unread_since.is_none_or(is_over);
            let is_left = failing || (has_read && self.has_done_all(standing));
            if !is_left {
                return None;
            }
            gave_up |= failing
                || (standing.stopped && standing.pending)
                || standing.unread_since.is_some();
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
        let is_alive = self.liveness.get() == Liveness::Alive;
        let ignores_open = !self.tempo.awaits_open_turns && is_alive;
        let standing = Standing {
            open: standing.open && !ignores_open,
            ..standing
        };
        // One whose end cannot be read goes on with its Codex; of a dead one nobody waits for it.
        let awaits_unread = standing.open_unread && is_alive && !ignores_open;
        standing.is_idle() && !awaits_unread
    }

    pub(super) fn attempt_until(&self) -> Deadline {
        let attempt = Instant::now() + self.tempo.attempt;
        let at_last = self.tempo.deadline;
        Deadline {
            until: at_last.map_or(attempt, |last| attempt.min(last)),
            at_last,
        }
    }

    /// How long to sleep: short after news, longer the longer there was none.
    pub(super) fn pace(&self, since: Instant) -> Duration {
        let quiet = since.elapsed();
        (quiet / 20).clamp(self.tempo.poll, self.tempo.slow_poll)
    }
}
