//! One session on its way to one destination: read, judge, map, send, acknowledge.
//!
//! Each destination has its own reader, cursor and outlet, so that a dead one harms no other. The
//! cursor moves only after the destination has acknowledged; whatever happens in between is read
//! and mapped again, to the same ids.

mod batch;
mod judgement;
mod ledger;
mod live;
mod mapping;
mod open_turns;
mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use codex_tracing_transcript::{Scrub, Turn, TurnStatus};
use jiff::Timestamp;
use tokio::time::Instant;

use crate::close::last_record_at;
use crate::cursor_file::CursorFile;
use crate::lock::SessionLock;
use crate::loss::Loss;
use crate::outlet::{Outlet, Outlets};
use crate::session_reader::{Rest, SessionReader};
use crate::{
    Backend, Deadline, Destination, Eligibility, Evidence, Item, Mode, SendReport, SessionDir,
    StateError, failpoint,
};
use batch::{Batch, TurnInBatch};
use live::Live;
use mapping::{Mapper, digest};

pub use mapping::GitLookup;
pub(crate) use standing::Standing;

/// Turns are gathered up to about this many bytes of items, then sent.
const BATCH_BYTES: usize = 4 << 20;
/// Turns gathered at most.
const BATCH_TURNS: usize = 200;
/// A running turn is looked at this often where nobody watches it live: it is put together anew
/// each time.
const LOOK: Duration = Duration::from_millis(500);
/// Longest pause after failures where the server names none.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What delivering a session needs beyond its folder.
#[derive(Clone)]
pub struct Course {
    /// The backend, with the session's settings.
    pub backend: Arc<dyn Backend>,
    /// What every text passes on its way into the model.
    pub scrub: Arc<dyn Scrub>,
    /// Codex's home; rollouts outside its session folders are not read.
    pub codex_home: PathBuf,
    /// Ways out.
    pub outlets: Outlets,
    /// Asks git where the rollout has nothing.
    pub git: GitLookup,
    /// Mode of turns whose mode the journal does not tell: metadata only if the mute file is
    /// corrupt or says muted.
    pub missing_mode: Mode,
    /// What is to be kept as the session's settings from now on; nothing is changed any more once
    /// something of the session has arrived somewhere.
    pub settings: Option<Vec<u8>>,
    /// The wall clock.
    pub now: fn() -> Timestamp,
}

/// One session on its way to one destination.
pub(crate) struct Pipeline {
    course: Course,
    session: SessionDir,
    mapper: Mapper,
    reader: SessionReader,
    file: CursorFile,
    outlet: Box<dyn Outlet>,
    batch: Batch,
    /// By thread: turns listed in the replaced product's sidecar.
    sidecars: BTreeMap<String, BTreeSet<String>>,
    /// Running turns as last looked at.
    open: Vec<Rc<Turn>>,
    /// Those of rollouts that cannot be read on.
    unjudged: Vec<Rc<Turn>>,
    /// Something was read since.
    open_is_stale: bool,
    looked_at: Option<Instant>,
    live: Live,
    /// Of a fork: whether what it was forked from may hold something muted.
    origin_was_muted: Option<bool>,
    stopped: bool,
    failures: u32,
    failing_since: Option<Instant>,
    retry_at: Option<Instant>,
    /// What is said of rollouts that cannot be read on.
    unread: Vec<String>,
}

impl Pipeline {
    pub(crate) fn open(
        course: &Course,
        session: &SessionDir,
        destination: &Destination,
        held: &SessionLock,
    ) -> Result<Self, StateError> {
        let file = CursorFile::open(session, &destination.id, &destination.label, held)?;
        let mut reader = SessionReader::new(
            course.codex_home.clone(),
            Arc::clone(&course.scrub),
            session.id().to_owned(),
        );
        reader.add(
            session.id(),
            ledger::start_of(&file.cursor, session.id()),
            None,
        );
        for (id, thread) in &file.cursor.threads {
            if let Some(spawned) = &thread.spawned {
                reader.add(
                    id,
                    ledger::start_of(&file.cursor, id),
                    Some(spawned.clone()),
                );
            }
            for asked in &thread.follow_ups {
                reader.add_follow_up(id, asked.clone());
            }
        }
        let mapper = Mapper::new(course, destination.clone());
        let told = file.cursor.unread.iter();
        let unread = told.map(|it| it.message.clone()).collect();
        let mut pipeline = Self {
            outlet: (course.outlets)(destination),
            mapper,
            course: course.clone(),
            session: session.clone(),
            reader,
            file,
            batch: Batch::default(),
            sidecars: BTreeMap::new(),
            open: Vec::new(),
            open_is_stale: false,
            unjudged: Vec::new(),
            looked_at: None,
            live: Live::default(),
            origin_was_muted: None,
            stopped: false,
            failures: 0,
            failing_since: None,
            retry_at: None,
            unread,
        };
        if !destination.has_key {
            pipeline.stop("no API key is configured for this destination");
        }
        Ok(pipeline)
    }

    /// One round: reads what is new, and sends what is ready, until `deadline`.
    ///
    /// `evidence` gives what the journal says at the moment it is called. It is asked after
    /// rollouts were read: a turn's hooks are in the journal before its end is in the rollout, so
    /// that a turn is never judged on less than its hooks said. Where it gives `None`, another process
    /// has taken the session up: what was read last may be of that one, and nothing is done with it.
    pub(crate) async fn advance(
        &mut self,
        evidence: &dyn Fn() -> Option<Rc<Evidence>>,
        deadline: Deadline,
    ) -> Option<Standing> {
        let (grew, evidence) = self.read(evidence)?;
        self.close_turns(&evidence);
        let may_try = self.retry_at.is_none_or(|at| at <= Instant::now());
        self.show_open_turns(grew, may_try, &evidence);
        if may_try && !self.stopped && !self.batch.is_empty() {
            self.send(deadline).await;
        }
        Some(self.standing(&evidence, grew))
    }

    /// Whether the destination has ever taken anything of the session.
    pub(crate) fn has_arrived(&self) -> bool {
        self.file.cursor.has_arrived()
    }

    /// Where things stand, without doing anything.
    fn standing(&self, evidence: &Evidence, grew: bool) -> Standing {
        let blocked = self.stopped || self.retry_at.is_some();
        Standing {
            grew,
            again: !blocked && (self.reader.has_ready() || self.reader.has_more()),
            seeks: !blocked && self.reader.owes_look(),
            open: self.open_is_stale
                || self.open.iter().any(|turn| {
                    !evidence.is_closed(&turn.id) && self.judge(turn, evidence).delivers()
                }),
            pending: !self.batch.is_empty() || self.reader.has_ready(),
            stopped: self.stopped,
            open_unread: self
                .unjudged
                .iter()
                .any(|turn| self.judge(turn, evidence).delivers()),
            unread_since: self.reader.unread().map(Rest::since).max(),
            retry_at: self.retry_at,
            failing_since: self.failing_since,
        }
    }

    /// Reads what is new and takes what is ready. Reads again when a turn made further threads
    /// known, so that a session's first batch holds its subagents too.
    fn read(
        &mut self,
        evidence: &dyn Fn() -> Option<Rc<Evidence>>,
    ) -> Option<(bool, Rc<Evidence>)> {
        let mut grew = false;
        let mut latest = evidence()?;
        let looks = self.is_live_due()
            || latest.has_closed()
            || self.looked_at.is_none_or(|at| at.elapsed() >= LOOK);
        loop {
            let known = self.reader.thread_ids().len();
            self.reader.hint(latest.threads());
            let growth = self.reader.poll();
            self.note_unread();
            if growth.grew {
                latest = evidence()?;
                grew = true;
                self.open_is_stale = true;
            }
            self.take_ready(&latest);
            if looks {
                self.look_at_open_turns(&latest);
            }
            if self.reader.thread_ids().len() == known {
                return Some((grew, latest));
            }
        }
    }

    fn take_ready(&mut self, evidence: &Evidence) {
        while self.batch.bytes() < BATCH_BYTES && self.batch.turns() < BATCH_TURNS {
            let Some(turn) = self.reader.next_turn() else {
                return;
            };
            self.take_turn(&turn, evidence, Ending::Recorded);
        }
    }

    /// Puts a finished turn into the batch, unless it is settled already.
    fn take_turn(&mut self, turn: &Turn, evidence: &Evidence, ending: Ending) {
        self.adopt_children(turn, evidence);
        self.note_causes_of(turn);
        self.note_end(turn);
        let digest = digest(turn);
        if self.is_settled(turn, &digest) {
            return;
        }
        let eligibility = self.judge(turn, evidence);
        let mut entry = TurnInBatch {
            thread_id: turn.thread_id.clone(),
            number: turn.number,
            turn_id: turn.id.clone(),
            digest: None,
            closed: ending != Ending::Recorded,
            provisional: ending == Ending::Promised,
            cut_off: turn.status == TurnStatus::CutOff,
            waiting: BTreeSet::new(),
            rejected: 0,
            words: None,
        };
        let Eligibility::Deliver(mode) = eligibility else {
            self.batch.add(entry, Vec::new());
            return;
        };
        entry.digest = Some(digest);
        if let Some(items) = self.map(turn, evidence, mode) {
            self.batch.add(entry, items);
        } else {
            tracing::error!(
                turn = turn.id,
                "turn lost: its place in the session is unknown"
            );
            self.file.cursor.losses.add(Loss::TurnLost, 1);
        }
    }

    fn map(&mut self, turn: &Turn, evidence: &Evidence, mode: Mode) -> Option<Vec<Item>> {
        let ended_at = self.file.cursor.session_ended_at;
        self.mapper.hides_before = self.hides_before(evidence);
        let was_cut_off = self.was_cut_off(turn);
        self.mapper
            .map(&self.reader, turn, evidence, mode, ended_at, was_cut_off)
    }

    fn note_end(&mut self, turn: &Turn) {
        let end = turn.window.ended_at.unwrap_or_else(|| last_record_at(turn));
        let latest = &mut self.file.cursor.session_ended_at;
        *latest = Some(latest.map_or(end, |known| known.max(end)));
    }

    async fn send(&mut self, deadline: Deadline) {
        let (items, hashes) = self.batch.take_items();
        let mut report = SendReport::default();
        if !items.is_empty() {
            failpoint::hit("before_send");
            report = self.deliver(items, deadline).await;
            failpoint::hit("after_ack");
        }
        let failed = !report.unsent.is_empty();
        self.batch.settle(&mut report, &hashes);
        self.note_outcome(&report, failed);
        self.acknowledge();
    }

    fn stop(&mut self, words: &str) {
        tracing::warn!(
            destination = self.mapper.destination.label,
            words,
            "delivery stopped"
        );
        self.stopped = true;
        self.file.cursor.refused = true;
        self.note_error(words);
    }
}

/// How the end of a turn is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// By its record.
    Recorded,
    /// By a hook that waits; the record will come.
    Promised,
    /// By a hook; the record will never come.
    Final,
}
