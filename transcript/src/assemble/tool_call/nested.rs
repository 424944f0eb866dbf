//! Calls that no call record tells of: those that code-mode cells make, and hosted tools whose record
//! is still to come.
//!
//! Commands of a cell have ids of their own (`exec-<uuid>`), and no version records whose they are.
//! Their beginning is recorded late (about 0.15 s), and nothing better exists. Their end is recorded
//! by another task of Codex than the cell's answer: on a busy machine it comes after that.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::{Tools, Tracked, end, kind};
use crate::wire::Fields;
use crate::{Arguments, Scrub};

/// What the ids of calls made by cells begin with.
const OF_CELLS: &str = "exec-";
/// So many cells that have answered are kept: what is late comes soon after.
const KEPT: usize = 8;

impl Tools {
    /// If this is a cell, it has answered.
    pub(super) fn no_longer_runs(&mut self, index: usize) {
        let Some(place) = self.running.iter().position(|running| *running == index) else {
            return;
        };
        self.running.remove(place);
        if self.answered.len() == KEPT {
            self.answered.remove(0);
        }
        self.answered.push(index);
    }

    /// Takes up a call known by this end record only: its index, and when it ended at the latest.
    pub(super) fn discover(
        &mut self,
        id: &str,
        end: &Fields<'_>,
        at: Timestamp,
        scrub: &dyn Scrub,
    ) -> (usize, Timestamp) {
        let (name, kind) = end::named(end);
        let runner = self.cell_of(id, end, scrub);
        let mut call = kind::nested(id.to_owned(), name, kind, end::started_at(end, at));
        let mut latest = at;
        if let Some(index) = runner
            && let Some(cell) = self.list.get(index)
        {
            let window = &cell.call.window;
            if !self.running.contains(&index) {
                latest = window.ended_at.map_or(at, |ended_at| ended_at.min(at));
            }
            call.parent = Some(cell.call.id.clone());
            call.model_call = cell.call.model_call;
            let started_at = call.window.started_at.min(latest);
            call.window.started_at = started_at.max(window.started_at);
        }
        let index = self.add(call);
        if runner.is_none()
            && let Some(tool) = self.list.get_mut(index)
        {
            tool.announced = true;
        }
        (index, latest)
    }

    /// The cell that made a call: one whose script holds the call's words, and that ran when the call
    /// ended, as far as the record tells; of those that fit alike the one most lately resumed, and a
    /// running one before one that has answered.
    fn cell_of(&self, id: &str, end: &Fields<'_>, scrub: &dyn Scrub) -> Option<usize> {
        let words: Vec<_> = end::words(end)
            .into_iter()
            .map(|word| scrub.text(word.into()))
            .collect();
        let ended_at = end::instant(end.completed_at_ms.0);
        let fits = |index: &usize| {
            let Some(Tracked { call, .. }) = self.list.get(*index) else {
                return (false, false);
            };
            let holds = match &call.arguments {
                Arguments::Text(script) => words.iter().any(|word| script.contains(word.as_str())),
                Arguments::Json(_) | Arguments::Malformed(_) => false,
            };
            let runs = ended_at.is_some_and(|at| {
                at >= call.window.started_at && call.window.ended_at.is_none_or(|end| at <= end)
            });
            (holds, runs)
        };
        let may_have_answered = id.starts_with(OF_CELLS);
        let answered = self.answered.iter().rev().filter(|_| may_have_answered);
        let cells = self.running.iter().rev().chain(answered).copied();
        // The first of those that fit best.
        cells.min_by_key(|index| Reverse(fits(index)))
    }
}
