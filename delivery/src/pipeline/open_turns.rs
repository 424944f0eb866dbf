//! Turns that run, and how they end where no record of Codex says so.

use std::rc::Rc;

use codex_tracing_transcript::{Turn, TurnKind};
use tokio::time::Instant;

use super::{Ending, Pipeline};
use crate::Evidence;
use crate::close::close;
use crate::session_reader::OpenTurn;

impl Pipeline {
    /// Looks again at the running turns if anything was read since, and adopts what they spawned.
    pub(super) fn look_at_open_turns(&mut self, evidence: &Evidence) {
        if !std::mem::take(&mut self.open_is_stale) {
            return;
        }
        self.looked_at = Some(Instant::now());
        self.open.clear();
        self.unjudged.clear();
        for OpenTurn { turn, has_changed } in self.reader.open_turns() {
            // A review's working thread is named by no record of the turn.
            if has_changed || turn.kind == TurnKind::Review {
                self.adopt_children(&turn, evidence);
            }
            if self.reader.is_unread(&turn.thread_id) {
                // Its end may be there already.
                self.unjudged.push(turn);
            } else {
                self.open.push(turn);
            }
        }
    }

    /// Delivers running turns whose `Stop` hook waits for it.
    pub(super) fn close_turns(&mut self, evidence: &Evidence) {
        let awaited: Vec<Rc<Turn>> = self
            .open
            .iter()
            .filter(|turn| evidence.is_closed(&turn.id))
            .filter(|turn| !self.batch.holds(&turn.thread_id, turn.number))
            .filter(|turn| !self.file.cursor.has_delivered(&turn.id))
            .cloned()
            .collect();
        for turn in awaited {
            self.take_turn(
                &close(Rc::unwrap_or_clone(turn)),
                evidence,
                Ending::Promised,
            );
        }
    }

    /// Codex is gone and its files stand still: what runs now will never end by a record.
    /// Tells whether there were any. A turn that no hook has told of (yet) is left as it is: a
    /// process that resumes the session writes for a while before its first hook. So are all as long
    /// as something was not read yet, because earlier turns wait for the destination: their ends may
    /// be there. One whose own rollout cannot be read on is left for the same reason.
    pub(crate) fn finish_open_turns(&mut self, evidence: &Evidence) -> bool {
        if !self.stopped && (self.reader.has_ready() || self.reader.has_more()) {
            return false;
        }
        self.look_at_open_turns(evidence);
        let (ours, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(|turn| self.judge(turn, evidence).delivers());
        self.open = others;
        let any = !ours.is_empty();
        for turn in ours {
            if evidence.has_stopped(&turn.id) {
                self.take_turn(&close(Rc::unwrap_or_clone(turn)), evidence, Ending::Final);
            } else {
                self.reader.cut_off(&turn.thread_id);
            }
        }
        any
    }
}
