//! Which part of the state each record concerns.

use std::sync::Arc;

use jiff::Timestamp;

use super::compaction::Replaced;
use super::conversation::Boundary;
use super::turn::{Beginning, Ending, OpenTurn};
use super::{Assembler, Reading, cut_off};
use crate::record::{Body, Compacted, Counted, Entry, Record, Side, Source, Spent, TurnCompleted};
use crate::wire::Fields;
use crate::{Content, ModelInput, TurnError, TurnStatus};

impl Assembler {
    pub(super) fn apply(&mut self, offset: u64, record: Record<'_>) {
        let Record { at, body } = record;
        // Within a turn time does not run backwards, whatever was done to the machine's clock.
        let at = self.open.as_ref().map_or(at, |open| at.max(open.last_at));
        match body {
            Body::TurnStarted { id, parent_turn_id } => {
                return self.turn_started(id, parent_turn_id, record.at);
            }
            Body::Session(session) => {
                if self.thread.header_seen(*session) && self.open.is_none() && self.turns == 0 {
                    self.reading = Reading::Copied;
                }
                return;
            }
            Body::Unknown(reason) => return self.skipped.count(reason),
            Body::Nothing => return,
            _ => {}
        }
        if let Some(open) = &mut self.open
            && !matches!(body, Body::ToolEnded { .. })
        {
            open.last_at = at;
            self.is_cut = false;
        }
        match body {
            Body::Context { turn_id, settings } => {
                if settings.model.is_some() {
                    self.model.clone_from(&settings.model);
                }
                if let Some(open) = self.meant(turn_id.as_deref()) {
                    open.context(*settings, at);
                }
            }
            Body::Entry(entry) => self.entry(*entry, at),
            Body::Spent(spent) => self.spent(spent, at),
            Body::Counted(counted) => self.counted(counted, at),
            Body::Compacted(compacted) => self.compacted(offset, *compacted, at),
            Body::TurnCompleted(completed) => self.turn_completed(*completed, at),
            Body::TurnAborted { id, reason } => self.turn_aborted(id.as_deref(), &reason, at),
            Body::Prompt { from, content } => self.prompt(&from, content, at),
            Body::Arrived { from } => {
                if let Some(open) = self.concerned(&from, at) {
                    open.arrived(at);
                }
            }
            Body::ToolEnded { from, id, end } => self.tool_ended(&from, &id, &end, at),
            Body::ReviewStarted { turn_id, hint } => self.review_started(turn_id, hint, at),
            Body::Trouble { message, code } => {
                if let Some(open) = &mut self.open {
                    open.trouble(at, message, code);
                }
            }
            Body::RolledBack(turns) => self.conversation.roll_back(turns),
            Body::Ambient => {
                if let Some(open) = &mut self.open {
                    open.prepared(at);
                }
            }
            Body::TurnStarted { .. } | Body::Session(_) | Body::Unknown(_) | Body::Nothing => {}
        }
    }

    fn turn_started(&mut self, id: Option<String>, parent: Option<String>, at: Timestamp) {
        if let Some(id) = &id {
            if self.reading == Reading::Copied && self.thread.is_older(id) {
                self.conversation.begin_turn();
                return;
            }
            if let Some(open) = &mut self.open
                && open.is_review
                && open.id != *id
            {
                open.review_child = Some(id.clone());
                return;
            }
            if !self.begun.insert(id.clone()) {
                self.skipped.count("repeated_turn_start");
                return;
            }
        }
        self.begin(id, parent, at, false);
    }

    fn begin(
        &mut self,
        id: Option<String>,
        parent_turn_id: Option<String>,
        at: Timestamp,
        is_review: bool,
    ) {
        if let Some(open) = &self.open {
            let ending = cut_off(open);
            if self.is_cut {
                self.open = None;
            } else {
                self.finish(&ending);
            }
        }
        self.is_cut = false;
        self.reading = Reading::Own;
        self.turns = self.turns.saturating_add(1);
        self.conversation.begin_turn();
        self.open = Some(OpenTurn::begin(Beginning {
            id,
            number: self.turns,
            thread_id: self.thread.id().to_owned(),
            parent_turn_id,
            at,
            model: self.model.clone(),
            is_review,
        }));
    }

    /// Files without any record of a turn's start still have turns.
    fn begin_implicitly(&mut self, at: Timestamp) {
        if self.open.is_none() && self.reading == Reading::Own && self.begun.is_empty() {
            self.begin(None, None, at, false);
        }
    }

    fn review_started(&mut self, id: Option<String>, hint: Option<String>, at: Timestamp) {
        match &mut self.open {
            Some(open) if open.is_meant(id.as_deref()) => open.is_review = true,
            _ => {
                if let Some(id) = &id
                    && !self.begun.insert(id.clone())
                {
                    return;
                }
                self.begin(id, None, at, true);
            }
        }
        if let Some(open) = &mut self.open {
            open.review_target(hint);
        }
    }

    fn turn_completed(&mut self, completed: TurnCompleted, at: Timestamp) {
        let Some(open) = self.meant(completed.id.as_deref()) else {
            return;
        };
        let ending = open.completion(completed, at);
        self.finish(&ending);
    }

    fn turn_aborted(&mut self, id: Option<&str>, reason: &str, at: Timestamp) {
        if self.meant(id).is_none() {
            return;
        }
        let message = match reason {
            "interrupted" | "" => "interrupted by the user".to_owned(),
            other => format!("stopped: {other}"),
        };
        let error = TurnError {
            message,
            code: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
        };
        self.finish(&Ending::stopped(at, TurnStatus::Interrupted, error));
    }

    fn finish(&mut self, ending: &Ending) {
        if let Some(open) = self.open.take() {
            let conversation = self.conversation.items();
            self.late.keep(&open, &conversation, ending);
            self.finished.push(open.close(conversation, Some(ending)));
        }
    }

    /// The open turn, if a record that names a turn means it.
    fn meant(&mut self, turn_id: Option<&str>) -> Option<&mut OpenTurn> {
        self.open.as_mut().filter(|open| open.is_meant(turn_id))
    }

    /// The open turn, if an event is its own and not copied from a review's thread.
    fn concerned(&mut self, from: &Source, at: Timestamp) -> Option<&mut OpenTurn> {
        let is_foreign = self.thread.is_foreign(from.thread_id.as_deref());
        let open = self.open.as_mut()?;
        if is_foreign {
            if open.is_review
                && let Some(thread_id) = &from.thread_id
            {
                open.review_thread(thread_id.clone(), at);
            }
            return None;
        }
        Some(open).filter(|open| open.is_meant(from.turn_id.as_deref()))
    }

    fn prompt(&mut self, from: &Source, content: Vec<Content>, at: Timestamp) {
        if !self.thread.is_foreign(from.thread_id.as_deref()) {
            self.begin_implicitly(at);
        }
        if let Some(open) = self.concerned(from, at) {
            open.prompt(content, at);
        }
    }

    fn entry(&mut self, entry: Entry, at: Timestamp) {
        if entry.side == Side::Output {
            self.begin_implicitly(at);
        }
        if let Some(open) = &mut self.open {
            open.entry(&entry, at, &self.conversation);
        }
        self.conversation.push(entry.item);
    }

    fn spent(&mut self, spent: Spent, at: Timestamp) {
        if self.thread.is_foreign(spent.thread_id.as_deref()) {
            return;
        }
        if self.reading == Reading::Copied {
            if let Some(total) = spent.thread_total {
                self.meter.inherit(total);
            }
            return;
        }
        self.meter.record(spent.usage, spent.thread_total);
        let turn_id = spent.turn_id.clone();
        match &mut self.open {
            Some(open) if open.is_meant(turn_id.as_deref()) => {
                open.spent(spent, at, &self.conversation);
            }
            _ if self.reading == Reading::Settled => {}
            _ => self.skipped.count("usage_without_turn"),
        }
    }

    fn counted(&mut self, counted: Option<Counted>, at: Timestamp) {
        let Some(counted) = counted else {
            return;
        };
        if self.reading == Reading::Copied {
            return self.meter.inherit(counted.total);
        }
        let count = self.meter.count(counted);
        match &mut self.open {
            Some(open) => open.counted(count, at, &self.conversation),
            None if self.reading == Reading::Settled => {}
            None if matches!(count, super::usage::Count::Spent(_)) => {
                self.skipped.count("usage_without_turn");
            }
            None => {}
        }
    }

    fn compacted(&mut self, offset: u64, compacted: Compacted, at: Timestamp) {
        let after: Vec<_> = compacted.after.into_iter().map(Arc::new).collect();
        if let Some(open) = &mut self.open {
            let replaced = Replaced {
                at,
                asked_at: None,
                before: ModelInput {
                    conversation: 0,
                    len: 0,
                },
                after: after.clone(),
                message: compacted.message,
                window_id: compacted.window_id,
                response_id: compacted.response_id,
                model: None,
            };
            open.compacted(replaced, &self.conversation);
        }
        let boundary = Boundary {
            offset,
            turns: self.turns,
            raw: self.meter.raw(),
            inherited: self.meter.inherited(),
            model: self.model.clone(),
        };
        let before = self.conversation.replace(after, boundary);
        if let Some(open) = &mut self.open {
            open.keep_replaced(before);
        }
    }

    fn tool_ended(&mut self, from: &Source, id: &str, end: &Fields<'_>, at: Timestamp) {
        let scrub = Arc::clone(&self.scrub);
        let turn_id = from.turn_id.as_deref();
        let is_own = self.concerned(from, at).is_some_and(|open| !open.is_review);
        let is_foreign = self.thread.is_foreign(from.thread_id.as_deref());
        if !is_own || self.open.as_ref().is_some_and(|open| !open.knows_tool(id)) {
            if is_foreign {
                return;
            }
            if let Some(turn) = self.late.tool_ended(turn_id, id, end, at, &*scrub) {
                self.finished.push(turn);
                return;
            }
        }
        if is_own && let Some(open) = &mut self.open {
            open.last_at = at;
            self.is_cut = false;
            open.tool_ended(id, end, at, &*scrub);
        }
    }
}
