//! Calls that no call record tells of: those that code-mode cells make, and hosted tools whose record
//! is still to come.
//!
//! Commands of a cell have ids of their own (`exec-<uuid>`), and no version records whose they are.
//! Their beginning is recorded late (about 0.15 s), and nothing better exists. Their end is recorded
//! by another task of Codex than the cell's answer: on a busy machine it comes after that.

use jiff::Timestamp;

use super::{Tools, end, kind};
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

    /// The cell that made a call: the one whose script holds the command's words, among those that
    /// run before those that have answered; else the one most lately resumed, or at least the one
    /// that answered last.
    fn cell_of(&self, id: &str, end: &Fields<'_>, scrub: &dyn Scrub) -> Option<usize> {
        let command = end::command_line(end).map(|line| scrub.text(line.into()));
        let holds = |index: &usize| {
            let script = self.list.get(*index).map(|tool| &tool.call.arguments);
            match (script, &command) {
                (Some(Arguments::Text(script)), Some(command)) => script.contains(command.as_str()),
                _ => false,
            }
        };
        let mut running = self.running.iter().rev().copied();
        let of_cell = id.starts_with(OF_CELLS);
        let answered = self.answered.iter().rev().copied();
        let mut answered = answered.filter(|_| of_cell);
        running
            .clone()
            .find(holds)
            .or_else(|| answered.clone().find(holds))
            .or_else(|| running.next())
            .or_else(|| answered.next())
    }
}
