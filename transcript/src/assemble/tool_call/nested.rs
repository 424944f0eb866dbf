//! Calls that no call record tells of: those that code-mode cells make, and hosted tools whose record
//! is still to come.
//!
//! Commands of a cell have ids of their own (`exec-<uuid>`), and no version records whose they are.
//! Their beginning is recorded late (about 0.15 s), and nothing better exists. Their end is recorded
//! by another task of Codex than the cell's answer: on a busy machine it comes after that.

use std::cmp::Reverse;

use jiff::{SignedDuration, Timestamp};

use super::{Tools, end, kind};
use crate::wire::Fields;
use crate::{Arguments, Scrub, Window};

/// What the ids of calls made by cells begin with.
const OF_CELLS: &str = "exec-";
/// So many cells are looked at, and so many words.
const MOST: usize = 16;
/// So long after its cell's answer a call counts as begun at the latest, where another cell runs:
/// these times are stamped when the records are made.
const LATE: SignedDuration = SignedDuration::from_secs(1);
/// So much later than it is made a cell's own record may be stamped.
const SLACK: SignedDuration = SignedDuration::from_millis(100);

impl Tools {
    /// If this is a cell, it has answered.
    pub(super) fn no_longer_runs(&mut self, index: usize) {
        let Some(place) = self.running.iter().position(|running| *running == index) else {
            return;
        };
        self.running.remove(place);
        if self.done.len() == MOST {
            self.done.remove(0);
        }
        self.done.push(index);
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
        let runner = self.cell_of(id, end, at, scrub);
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

    /// The cell that made a call. No record says so: it is one that had begun when the call did (or
    /// ended, where its beginning is not recorded); of these one whose script holds the call's
    /// words, else a running one before one that has answered, and the one most lately resumed, or
    /// that answered last.
    fn cell_of(
        &self,
        id: &str,
        end: &Fields<'_>,
        at: Timestamp,
        scrub: &dyn Scrub,
    ) -> Option<usize> {
        let stamps = [end.started_at_ms.0, end.completed_at_ms.0];
        let begun_at = stamps.into_iter().find_map(end::instant);
        let begun_at = begun_at.map_or(at, |begun_at| begun_at.min(at));
        let is_of_cell = id.starts_with(OF_CELLS);
        let done = self.done.iter().rev().copied().filter(|_| is_of_cell);
        let is_recent = |index: &usize| {
            let answered_at = self.window(*index).and_then(|window| window.ended_at);
            answered_at.is_some_and(|answered_at| begun_at.duration_since(answered_at) <= LATE)
        };
        let running = self.running.iter().rev().copied().take(MOST);
        let mut cells: Vec<usize> = running.chain(done.clone().filter(is_recent)).collect();
        if cells.is_empty() {
            cells.extend(done);
        }
        if let [_] | [] = cells[..] {
            return cells.pop();
        }
        let words: Vec<String> = end::words(end)
            .take(MOST)
            .map(|word| scrub.text(word.into()))
            .filter(|word| !word.is_empty())
            .collect();
        let fits = |index: &usize| {
            let had_begun = self
                .window(*index)
                .is_some_and(|window| window.started_at.duration_since(begun_at) <= SLACK);
            (had_begun, self.holds_any(*index, &words))
        };
        // The first of those that fit best.
        cells.into_iter().min_by_key(|index| Reverse(fits(index)))
    }

    fn window(&self, index: usize) -> Option<Window> {
        self.list.get(index).map(|tool| tool.call.window)
    }

    /// Whether one of these words stands in a cell's script.
    fn holds_any(&self, index: usize, words: &[String]) -> bool {
        match self.list.get(index).map(|tool| &tool.call.arguments) {
            Some(Arguments::Text(script)) => words.iter().any(|word| script.contains(word)),
            _ => false,
        }
    }
}
