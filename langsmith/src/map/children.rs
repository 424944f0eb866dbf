//! What hangs below a turn, in which order, and from when.

use std::collections::HashMap;

use codex_tracing_transcript::{Compaction, ModelCall, ToolCall, ToolKind};
use jiff::Timestamp;

use super::Scene;
use crate::place::{Start, agent_call_start, apart};

/// What hangs directly below the turn.
pub(super) struct Child<'a> {
    /// Its start: unlike that of any other child, and not before the turn's.
    pub(super) at: Timestamp,
    /// What it is.
    pub(super) what: What<'a>,
}

/// The kinds of children.
pub(super) enum What<'a> {
    ModelCall(&'a ModelCall),
    Compaction(&'a Compaction),
    /// With the calls that hang below it and their starts, if it is a code-mode cell.
    Tool(&'a ToolCall, Vec<(Timestamp, &'a ToolCall)>),
}

/// Where a tool call hangs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hangs {
    BelowTurn,
    /// Below the cell at this index.
    BelowCell(usize),
    /// Below a cell that is still running: to be told later.
    NotYet,
}

/// The children of the turn, each with its start; `from` is the turn's. In a turn that is followed
/// live only those that are over: the server takes each once.
pub(super) fn children<'a>(scene: &Scene<'a>, from: Timestamp) -> Vec<Child<'a>> {
    let mut all = calls_and_compactions(scene);
    all.extend(tools(scene));
    all.sort_by_key(|(at, rank, _)| (*at, *rank));
    let starts = apart(
        all.iter()
            .map(|(at, _, what)| start(scene, *at, what, from)),
    );
    let children = all.into_iter().zip(starts);
    let children = children.map(|((_, _, what), at)| Child { at, what });
    let now = children.filter(|child| is_due(scene, &child.what));
    now.map(with_nested_after).collect()
}

fn start(scene: &Scene<'_>, at: Timestamp, what: &What<'_>, from: Timestamp) -> Start {
    let fixed = match what {
        What::Tool(tool, _) => scene.view.turn.agent_call(&tool.id),
        What::ModelCall(_) | What::Compaction(_) => None,
    };
    match fixed {
        Some(call) => Start::Fixed(agent_call_start(call, from)),
        None => Start::From(at.max(from)),
    }
}

/// A start, a rank among equal starts, and what starts then: a compaction before the model call
/// that goes on from it, a model call before the tools it asked for, those in their order.
type Ranked<'a> = (Timestamp, (usize, usize), What<'a>);

fn calls_and_compactions<'a>(scene: &Scene<'a>) -> Vec<Ranked<'a>> {
    let turn = scene.view.turn;
    let calls = turn.calls.iter().enumerate();
    let calls =
        calls.map(|(index, it)| (it.window.started_at, (index + 1, 0), What::ModelCall(it)));
    let compactions = turn.compactions.iter().enumerate();
    let compactions =
        compactions.map(|(index, it)| (it.window.started_at, (0, index), What::Compaction(it)));
    calls.chain(compactions).collect()
}

fn tools<'a>(scene: &Scene<'a>) -> Vec<Ranked<'a>> {
    let turn = scene.view.turn;
    let hangs = hangs(scene);
    let mut nested: HashMap<usize, Vec<(Timestamp, &ToolCall)>> = HashMap::new();
    for (tool, hangs) in turn.tools.iter().zip(&hangs) {
        if let Hangs::BelowCell(cell) = hangs {
            nested
                .entry(*cell)
                .or_default()
                .push((tool.window.started_at, tool));
        }
    }
    let tools = turn.tools.iter().enumerate().zip(hangs);
    let tools = tools.filter(|(_, hangs)| *hangs == Hangs::BelowTurn);
    tools
        .map(|((index, tool), _)| {
            let call = tool.model_call.map_or(usize::MAX, |call| call + 1);
            let nested = nested.remove(&index).unwrap_or_default();
            (
                tool.window.started_at,
                (call, index + 1),
                What::Tool(tool, nested),
            )
        })
        .collect()
}

/// For each tool call where it hangs: below the cell that ran it, if it was over no later. Calls
/// that control agents hang below the turn: where depends on nothing that is known only later.
fn hangs(scene: &Scene<'_>) -> Vec<Hangs> {
    let tools = &scene.view.turn.tools;
    let cells: HashMap<&str, (usize, &ToolCall)> = tools
        .iter()
        .enumerate()
        .filter(|(_, tool)| tool.parent.is_none())
        .map(|(index, tool)| (tool.id.as_str(), (index, tool)))
        .collect();
    let hangs = |tool: &ToolCall| {
        let cell = tool.parent.as_deref().and_then(|id| cells.get(id));
        let cell = cell.filter(|_| tool.kind != ToolKind::Agent);
        let Some((index, cell)) = cell else {
            return Hangs::BelowTurn;
        };
        let (own, cell) = (tool.window, cell.window);
        if is_followed(scene) && cell.ended_at.is_none() {
            return Hangs::NotYet;
        }
        // What has no end yet ends after all that has.
        let end = |at: Option<Timestamp>| scene.end(at).unwrap_or(Timestamp::MAX);
        let inside = own.started_at >= cell.started_at && end(own.ended_at) <= end(cell.ended_at);
        if inside {
            Hangs::BelowCell(*index)
        } else {
            Hangs::BelowTurn
        }
    };
    tools.iter().map(hangs).collect()
}

/// Nested calls in their order, after the start of their cell.
fn with_nested_after(mut child: Child<'_>) -> Child<'_> {
    if let What::Tool(_, nested) = &mut child.what {
        nested.sort_by_key(|(at, _)| *at);
        let starts = apart(
            nested
                .iter()
                .map(|(at, _)| Start::From((*at).max(child.at))),
        );
        for ((at, _), start) in nested.iter_mut().zip(starts) {
            *at = start;
        }
    }
    child
}

/// Whether runs are told as they come to their end.
fn is_followed(scene: &Scene<'_>) -> bool {
    scene.live && scene.view.turn.is_running()
}

fn is_due(scene: &Scene<'_>, what: &What<'_>) -> bool {
    let is_over = match what {
        // The usage is written after the last output.
        What::ModelCall(call) => call.completed && call.usage.is_some(),
        What::Compaction(it) => it.window.ended_at.is_some(),
        What::Tool(tool, _) => tool.window.ended_at.is_some() && tool.outcome.output.is_some(),
    };
    is_over || !is_followed(scene)
}
