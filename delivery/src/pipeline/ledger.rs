//! The pipeline's dealings with its cursor.

use std::time::Duration;

use codex_tracing_transcript::{Turn, TurnStatus};
use jiff::Timestamp;
use tokio::time::Instant;

use super::{LONGEST_PAUSE, Pipeline};
use crate::cursor_file::{Cursor, CursorFile, DeliveredTurn, LastError, RejectedTurn};
use crate::journal::JournalReader;
use crate::loss::Loss;
use crate::session_reader::ThreadStart;
use crate::told::{are_lost, told_of};
use crate::{Deadline, Item, SendReport};

use super::batch::TurnInBatch;

/// Where reading of a thread begins, as the cursor has it.
pub(super) fn start_of(cursor: &Cursor, thread_id: &str) -> ThreadStart {
    let Some(thread) = cursor.threads.get(thread_id) else {
        return ThreadStart::default();
    };
    ThreadStart {
        path: (!thread.path.as_os_str().is_empty()).then(|| thread.path.clone()),
        identity: thread.identity.clone(),
        carry: thread.carry.clone(),
        read_to: thread.read_to,
    }
}

/// Leaves word of what goes wrong while sending goes on, for whoever asks meanwhile. Words that stand
/// there already are not written again.
fn note_trouble(file: &mut CursorFile, at: Timestamp, words: &str) {
    let error = LastError::new(at, words);
    let known = file.cursor.last_error.as_ref();
    if known.is_some_and(|known| known.message == error.message) {
        return;
    }
    file.cursor.last_error = Some(error);
    save(file);
}

fn save(file: &mut CursorFile) {
    if let Err(error) = file.save() {
        // The turns are sent again some day, to the same ids.
        tracing::error!(%error, "cursor not saved");
    }
}

impl Pipeline {
    /// Whether nothing has to be sent for a finished turn: it is settled, and has not changed.
    pub(super) fn is_settled(&mut self, turn: &Turn, digest: &str) -> bool {
        let thread = self
            .file
            .cursor
            .threads
            .entry(turn.thread_id.clone())
            .or_default();
        let settled = turn.number <= thread.settled;
        let Some(known) = thread.turns.get(&turn.number) else {
            return settled;
        };
        if known.closed && turn.status == TurnStatus::CutOff {
            // The hook's word was better than this guess: the turn had come to its end.
            thread.settled = thread.settled.max(turn.number);
            return true;
        }
        settled && known.digest == digest
    }

    /// Whether a turn has been sent as cut off, as far as remembered, or is about to be.
    pub(super) fn was_cut_off(&self, turn: &Turn) -> bool {
        let thread = self.file.cursor.threads.get(&turn.thread_id);
        let known = thread.and_then(|thread| thread.turns.get(&turn.number));
        known.is_some_and(|known| known.cut_off)
            || self.batch.holds_cut_off(&turn.thread_id, turn.number)
    }

    /// Sends, and leaves word meanwhile of what goes wrong. The outcome replaces that.
    pub(super) async fn deliver(&mut self, items: Vec<Item>, deadline: Deadline) -> SendReport {
        let before = self.file.cursor.last_error.clone();
        let (file, now) = (&mut self.file, self.course.now);
        let mut note = |words: &str| note_trouble(file, now(), words);
        let report = self.outlet.send(items, deadline, &mut note).await;
        self.file.cursor.last_error = before;
        report
    }

    /// Takes in what the outlet reported, apart from the items; `failed`: some were not sent.
    pub(super) fn note_outcome(&mut self, report: &SendReport, failed: bool) {
        let losses = &mut self.file.cursor.losses;
        losses.add(Loss::ItemShrunk, report.shrunk.len() as u64);
        if !report.acknowledged.is_empty() {
            self.failures = 0;
            self.failing_since = None;
            self.file.cursor.acknowledged_at = Some((self.course.now)());
            self.file.cursor.last_error = None;
            self.file.cursor.refused = false;
        }
        self.retry_at = None;
        if let Some(words) = &report.stopped {
            self.stop(words);
        } else if failed && (report.acknowledged.is_empty() || report.last_error.is_some()) {
            match &report.last_error {
                Some(words) => self.note_error(words),
                None if self.file.cursor.last_error.is_none() => {
                    self.note_error("no answer in time");
                }
                // It was not asked again in that time: what it said before stands.
                None => {}
            }
            let now = Instant::now();
            self.failing_since.get_or_insert(now);
            let pause = Duration::from_secs(1 << self.failures.min(5)).min(LONGEST_PAUSE);
            self.retry_at = Some(now + report.retry_after.unwrap_or(pause));
            self.failures = self.failures.saturating_add(1);
        }
    }

    pub(super) fn note_error(&mut self, message: &str) {
        self.file.cursor.last_error = Some(LastError::new((self.course.now)(), message));
    }

    /// Leaves word of rollouts that cannot be read on, or can again.
    pub(super) fn note_unread(&mut self) {
        let words: Vec<String> = self.reader.unread().map(|it| it.words().into()).collect();
        // Before all is read nobody knows whether it can be.
        let is_undecided = words.is_empty() && self.reader.has_more();
        if words == self.unread || is_undecided {
            return;
        }
        // Whether their running turns are to be judged by what was read of them.
        self.open_is_stale = true;
        let first = words
            .first()
            .map(|words| LastError::new((self.course.now)(), words));
        self.unread = words;
        let said = |error: &Option<LastError>| error.as_ref().map(|it| it.message.clone());
        // A worker that comes after another has nothing new to say, nor a later time.
        if said(&first) != said(&self.file.cursor.unread) {
            self.file.cursor.unread = first;
            self.save();
        }
    }

    /// Moves the cursor over every turn that needs nothing more, and makes it last.
    pub(super) fn acknowledge(&mut self) {
        let mut touched: Vec<String> = Vec::new();
        for turn in self.batch.take_settled() {
            if !touched.contains(&turn.thread_id) {
                touched.push(turn.thread_id.clone());
            }
            self.settle_turn(turn);
        }
        for thread_id in touched {
            self.mark(&thread_id);
        }
        self.save();
    }

    fn settle_turn(&mut self, turn: TurnInBatch) {
        let cursor = &mut self.file.cursor;
        let thread = cursor.threads.entry(turn.thread_id.clone()).or_default();
        let again = thread.turns.contains_key(&turn.number) || turn.number <= thread.settled;
        if !turn.provisional {
            thread.settled = thread.settled.max(turn.number);
        }
        let Some(digest) = turn.digest else {
            cursor.left_alone += u64::from(!again);
            return;
        };
        let known = thread.turns.get(&turn.number);
        let delivered = DeliveredTurn {
            id: turn.turn_id.clone(),
            digest,
            closed: turn.closed,
            cut_off: turn.cut_off || known.is_some_and(|known| known.cut_off),
        };
        thread.remember(turn.number, delivered);
        match turn.words {
            None => {
                tracing::debug!(
                    destination = cursor.label,
                    turn = turn.turn_id,
                    whole = !turn.provisional,
                    "delivered"
                );
                cursor.delivered += u64::from(!again);
            }
            Some(words) => {
                tracing::error!(turn = turn.turn_id, words, "turn rejected");
                let rejected = RejectedTurn {
                    thread_id: turn.thread_id,
                    turn_id: turn.turn_id,
                    words,
                };
                cursor.reject(rejected, turn.rejected);
            }
        }
    }

    /// Notes where to go on reading a thread, and frees a child that has nothing running.
    fn mark(&mut self, thread_id: &str) {
        let path = self.reader.path(thread_id).map(ToOwned::to_owned);
        let Some(thread) = self.file.cursor.threads.get_mut(thread_id) else {
            return;
        };
        thread.path = path.unwrap_or_default();
        thread.missing = false;
        for (reason, count) in self.reader.skipped(thread_id).counts {
            let most = thread.skipped.counts.entry(reason).or_default();
            *most = count.max(*most);
        }
        let Some((identity, carry)) = self.reader.mark(thread_id, thread.settled) else {
            return;
        };
        thread.identity = Some(identity.clone());
        thread.carry = Some(carry.clone());
        thread.read_to = None;
        if thread.spawned.is_some() && !self.batch.holds_any_of(thread_id) {
            thread.read_to = self.reader.park(thread_id, identity, carry);
        }
    }

    /// Notes that everything up to `journal_offset` is dealt with, or how much is left: before
    /// leaving, or once a session has ended.
    pub(crate) fn note_leaving(&mut self, journal_offset: Option<u64>) {
        let cursor = &mut self.file.cursor;
        cursor.pending = self.batch.turns() as u64;
        for (id, thread) in &mut cursor.threads {
            if thread.spawned.is_some() {
                thread.missing = self.reader.header(id).is_none() && !self.reader.is_unread(id);
            }
        }
        // A turn delivered on a hook's word is done with when its end record is.
        let promised = cursor.threads.values().any(|thread| {
            let last = thread.turns.last_key_value();
            last.is_some_and(|(number, turn)| turn.closed && *number > thread.settled)
        });
        if let Some(offset) = journal_offset
            && self.batch.is_empty()
            && !promised
        {
            self.note_lost_root(offset);
            self.file.cursor.journal_seen = offset;
        }
        self.save();
    }

    /// Notes whether turns are lost with the root's rollout.
    fn note_lost_root(&mut self, journal_offset: u64) {
        let root = self.reader.root_id();
        let is_missing = self.reader.is_missing(root);
        let was_lost = self.file.cursor.lacks_rollout(root);
        if is_missing || was_lost {
            let is_lost = is_missing && (was_lost || self.loses_root(journal_offset));
            let threads = &mut self.file.cursor.threads;
            threads.entry(root.to_owned()).or_default().missing = is_lost;
        }
    }

    /// Whether hooks, up to `journal_offset`, told of turns of the root that were not delivered, and of
    /// a rollout that is gone. One that lies where it may not be read, or cannot be seen, is not.
    fn loses_root(&self, journal_offset: u64) -> bool {
        let root = self.reader.root_id();
        let journal = JournalReader::new(&self.session).read_with_offsets();
        let told = told_of(root, journal.unwrap_or_default(), journal_offset);
        let path = told.last().and_then(|(_, it)| it.transcript_path.as_ref());
        if !path.is_some_and(|path| matches!(path.try_exists(), Ok(false))) {
            return false;
        }
        let own = &self.mapper.destination.id;
        let others: Vec<Cursor> = Cursor::look_all(&self.session)
            .into_iter()
            .filter(|(id, other)| id != own && other.delivered > 0)
            .map(|(_, other)| other)
            .collect();
        are_lost(&told, root, &self.file.cursor, &others)
    }

    /// Notes that as of `journal_offset` nothing was left but turns still running, and what cannot be
    /// read: for a flush that waits beside this worker.
    pub(crate) fn note_caught_up(&mut self, journal_offset: u64) {
        if self.file.cursor.caught_up != journal_offset {
            self.file.cursor.caught_up = journal_offset;
            self.save();
        }
    }

    fn save(&mut self) {
        save(&mut self.file);
    }
}
