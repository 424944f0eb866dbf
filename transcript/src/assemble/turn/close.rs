//! A turn's value: its parts closed, summed up, and brought into its window.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::{Ending, OpenTurn};
use crate::assemble::compaction::{AUTO, MANUAL};
use crate::{Answer, Item, ModelInput, Turn, TurnKind, TurnStatus, Usage, Window};

pub(super) fn close(open: OpenTurn, current: Vec<Arc<Item>>, ending: Option<&Ending>) -> Turn {
    let kind = open.kind();
    let answer = answer(&open, kind, ending);
    let request = super::Request {
        input: ModelInput {
            conversation: open.replaced.len(),
            len: current.len(),
        },
        model: open.context.model.clone(),
    };
    let mut conversations = open.replaced;
    conversations.push(current);
    let (subagents, follow_ups) = open.agents.into_lists();
    let mut turn = Turn {
        id: open.id,
        number: open.number,
        thread_id: open.thread_id,
        kind,
        parent_turn_id: open.parent_turn_id,
        window: Window {
            started_at: open.started_at,
            ended_at: ending.map(|ending| ending.at.max(open.started_at)),
        },
        context: open.context,
        prompt: open.prompt,
        status: ending.map_or(TurnStatus::Running, |ending| ending.status),
        error: ending.and_then(|ending| ending.error.clone()),
        answer,
        time_to_first_token_ms: ending.and_then(|ending| ending.time_to_first_token_ms),
        conversations,
        calls: open.calls.close(ending, request),
        tools: open.tools.close(ending),
        subagents,
        follow_ups,
        compactions: open.compactions,
        usage: Usage::default(),
    };
    let trigger = if kind == TurnKind::Compact {
        MANUAL
    } else {
        AUTO
    };
    for compaction in &mut turn.compactions {
        trigger.clone_into(&mut compaction.trigger);
    }
    let spent = turn.calls.iter().filter_map(|call| call.usage);
    let summarised = turn
        .compactions
        .iter()
        .filter_map(|compaction| compaction.usage);
    turn.usage = spent
        .chain(summarised)
        .fold(Usage::default(), |sum, one| sum + one);
    // A damaged rollout may have given a call's tools to a summary.
    for tool in &mut turn.tools {
        tool.model_call = tool.model_call.filter(|call| *call < turn.calls.len());
    }
    nest(&mut turn);
    turn
}

/// The last message, once it is known to be the final one.
fn answer(open: &OpenTurn, kind: TurnKind, ending: Option<&Ending>) -> Option<Answer> {
    let is_answer = open.phase.as_deref() == Some("final_answer")
        || match ending {
            Some(ending) if ending.status == TurnStatus::Completed => {
                ending.has_answer || kind == TurnKind::Review
            }
            _ => false,
        };
    let spoken = open.spoken.clone().filter(|_| is_answer);
    let repeated = ending.and_then(|ending| ending.answer.clone());
    spoken.or(repeated).map(|text| Answer { text })
}

/// Keeps everything inside the turn's window. Clocks disagree where a process outlives its turn
/// or a machine's time is set; the recorded end then stays in the tool's details.
fn nest(turn: &mut Turn) {
    let bounds = turn.window;
    for call in &mut turn.calls {
        fit(&mut call.window, bounds);
        let first = call.first_output_at.as_mut();
        if let Some(first) = first {
            *first = within(*first, call.window);
        }
    }
    for tool in &mut turn.tools {
        let recorded = tool.window.ended_at;
        fit(&mut tool.window, bounds);
        if let Some(recorded) = recorded.filter(|end| Some(*end) != tool.window.ended_at) {
            let recorded = Value::String(recorded.to_string());
            tool.details.insert("recorded_end".to_owned(), recorded);
        }
    }
    for compaction in &mut turn.compactions {
        fit(&mut compaction.window, bounds);
    }
    for agent in &mut turn.subagents {
        agent.spawned_at = within(agent.spawned_at, bounds);
    }
}

fn fit(window: &mut Window, bounds: Window) {
    window.started_at = within(window.started_at, bounds);
    let started_at = window.started_at;
    window.ended_at = window
        .ended_at
        .map(|ended_at| within(ended_at, bounds).max(started_at));
}

fn within(at: Timestamp, bounds: Window) -> Timestamp {
    let at = at.max(bounds.started_at);
    bounds
        .ended_at
        .map_or(at, |ended_at| at.min(ended_at.max(bounds.started_at)))
}
