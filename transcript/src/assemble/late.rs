//! Finished turns that may still get records: a command goes on after its turn was interrupted
//! or its call has returned, and its end comes turns later.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use super::turn::{Ending, OpenTurn};
use crate::wire::Fields;
use crate::{Item, Scrub, Turn};

/// Few are kept: each holds its turn's content.
const KEPT: usize = 3;

#[derive(Debug, Default)]
pub(super) struct Late {
    turns: VecDeque<Finished>,
}

#[derive(Debug)]
struct Finished {
    turn: OpenTurn,
    conversation: Vec<Arc<Item>>,
    ending: Ending,
}

impl Late {
    /// Keeps a finished turn if something is still to come.
    pub(super) fn keep(&mut self, turn: &OpenTurn, conversation: &[Arc<Item>], ending: &Ending) {
        if !turn.awaits_records() {
            return;
        }
        if self.turns.len() == KEPT {
            self.turns.pop_front();
        }
        let mut turn = turn.clone();
        turn.keep_starts();
        self.turns.push_back(Finished {
            turn,
            conversation: conversation.to_vec(),
            ending: ending.clone(),
        });
    }

    /// An end record of a tool call that a finished turn made, or of a command that one of its
    /// cells ran: gives that turn again, whole.
    pub(super) fn tool_ended(
        &mut self,
        turn_id: Option<&str>,
        id: &str,
        end: &Fields<'_>,
        at: Timestamp,
        scrub: &dyn Scrub,
    ) -> Option<Turn> {
        let index = self
            .turns
            .iter()
            .position(|finished| finished.turn.knows_tool(id))
            .or_else(|| {
                let named = |finished: &Finished| Some(finished.turn.id.as_str()) == turn_id;
                self.turns.iter().position(named)
            })?;
        let finished = self.turns.get_mut(index)?;
        finished.turn.tool_ended(id, end, at, scrub);
        let ending = finished.ending.clone();
        let turn = finished.turn.clone();
        let conversation = finished.conversation.clone();
        if !finished.turn.awaits_records() {
            self.turns.remove(index);
        }
        Some(turn.close(conversation, Some(&ending)))
    }
}
