//! Which turns are delivered: those that ran while tracing was on. Pure.

use std::collections::BTreeSet;

use codex_tracing_transcript::Turn;
use serde::{Deserialize, Serialize};

use crate::{Evidence, Mode};

/// What is to be done with a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Eligibility {
    /// Delivered, as far as the mode allows.
    Deliver(Mode),
    /// Ran while tracing was off, or was nothing but a command to us or another product.
    Backlog,
    /// The product we replace has sent it.
    SentBefore,
    /// Other destinations had it before this one was set up.
    Elsewhere,
    /// Before Codex 0.140 a subagent is a session of its own in hooks' eyes: its turns are
    /// delivered with the session that spawned it.
    WithParent,
}

impl Eligibility {
    /// Whether the turn is delivered.
    pub fn delivers(self) -> bool {
        matches!(self, Self::Deliver(_))
    }
}

/// What decides over the turns of a session.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The journal.
    pub evidence: &'a Evidence,
    /// Turns listed in the replaced product's sidecar.
    pub sent_before: &'a BTreeSet<String>,
    /// Mode of turns the journal does not tell the mode of.
    pub missing_mode: Mode,
}

impl Ground<'_> {
    /// A turn is delivered if the journal names it or one of its events lies within the turn's
    /// window. Turns of a subagent inherit from the turn that spawned it (`inherited`); a journal
    /// that names the turn or its parent turn also makes it deliverable. The stricter mode wins.
    pub fn judge(&self, turn: &Turn, inherited: Option<Eligibility>) -> Eligibility {
        if self.sent_before.contains(&turn.id) {
            return Eligibility::SentBefore;
        }
        // A command may also be typed into a turn that runs.
        let is_command = self.evidence.is_command(&turn.id)
            || (self.evidence.is_others_command(&turn.id) && !turn.is_running());
        if is_command && came_to_nothing(turn) {
            return Eligibility::Backlog;
        }
        match inherited {
            None => self.judge_root(turn),
            Some(inherited) => self.judge_child(turn, inherited),
        }
    }

    fn judge_root(&self, turn: &Turn) -> Eligibility {
        if !self.evidence.names(&turn.id) && !self.evidence.falls_in(&turn.window) {
            return Eligibility::Backlog;
        }
        let mode = self.evidence.mode_of(&turn.id, &turn.window);
        Eligibility::Deliver(mode.unwrap_or(self.missing_mode))
    }

    fn judge_child(&self, turn: &Turn, inherited: Eligibility) -> Eligibility {
        let parent = turn.parent_turn_id.as_deref();
        let named =
            self.evidence.names(&turn.id) || parent.is_some_and(|id| self.evidence.names(id));
        let base = match inherited {
            Eligibility::Deliver(mode) => mode,
            Eligibility::Backlog if named => Mode::Full,
            other => return other,
        };
        let launch = parent.unwrap_or(&turn.id);
        let own = self
            .evidence
            .mode_of(launch, &turn.window)
            .unwrap_or(self.missing_mode);
        Eligibility::Deliver(stricter(base, own))
    }
}

/// Whether neither a prompt of the turn nor an answer of the model was recorded. Before Codex 0.147 one
/// that a hook has answered looks as if the model had been asked in vain.
fn came_to_nothing(turn: &Turn) -> bool {
    let mut calls = turn.calls.iter();
    turn.prompt.is_empty()
        && turn.tools.is_empty()
        && turn.compactions.is_empty()
        && calls.all(|call| call.output.is_empty() && call.usage.is_none())
}

fn stricter(a: Mode, b: Mode) -> Mode {
    if a == Mode::Full { b } else { a }
}
