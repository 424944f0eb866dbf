//! A turn as runs.
//!
//! ```text
//! openai.codex                 chain   the turn; a subagent's hangs below the turn that spawned it
//! ├─ openai.codex.turn         llm     each model call
//! ├─ <tool name>               tool    each tool call
//! │  └─ <tool name>            tool    what a code-mode cell ran, where it ended within the cell
//! └─ openai.codex.compaction   llm     each compaction
//! ```

mod compaction;
mod git;
mod messages;
mod metadata;
mod model_call;
mod subagent;
mod tool;
mod turn;

use codex_tracing_delivery::{Mode, View};
use codex_tracing_redact::Redactor;
use codex_tracing_transcript::ToolCall;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::parent::Parent;
use crate::place::{Place, apart};
use crate::run::Run;

use messages::Messages;
use metadata::Stamp;

/// All that mapping depends on.
pub(crate) struct Scene<'a> {
    /// The turn.
    pub(crate) view: View<'a>,
    /// A caller's run.
    pub(crate) parent: Option<&'a Parent>,
    /// Custom metadata, redacted.
    pub(crate) custom: &'a Map<String, Value>,
    /// For git URLs.
    pub(crate) redactor: &'a Redactor,
    /// Version of this program.
    pub(crate) version: &'a str,
    /// Whether runs that are not over are opened now and closed later.
    pub(crate) live: bool,
}

impl Scene<'_> {
    /// Whether contents may leave.
    pub(crate) fn is_full(&self) -> bool {
        self.view.mode == Mode::Full
    }

    /// An error text, where errors may leave.
    pub(crate) fn error(&self, text: Option<String>) -> Option<String> {
        text.filter(|_| self.is_full())
    }

    /// The end of something: its own, else the turn's, else (the turn is running) none.
    pub(crate) fn end(&self, ended_at: Option<Timestamp>) -> Option<Timestamp> {
        ended_at.or(self.view.turn.window.ended_at)
    }
}

/// What hangs directly below the turn.
enum Child {
    ModelCall(usize),
    Tool(usize),
    Compaction(usize),
}

/// The runs of a turn, parents before children.
///
/// A live turn gives the opening of its own run at once and each run below when that is over; when
/// the turn is over, the closing too. The server takes only one update of a run, so it "grows" by
/// what appears below it.
pub(crate) fn runs(scene: &Scene<'_>) -> Vec<Run> {
    let turn = scene.view.turn;
    let place = subagent::place(scene);
    let stamp = Stamp::new(scene);
    let mut messages = Messages::new(scene);
    let mut runs = turn::runs(scene, &stamp, &mut messages, &place);
    let mut children: Vec<_> = children(scene);
    children.sort_by_key(|(at, rank, _)| (*at, *rank));
    let starts = apart(children.iter().map(|(at, _, _)| (*at).max(place.at())));
    for ((_, _, child), at) in children.into_iter().zip(starts) {
        match child {
            Child::ModelCall(index) => runs.extend(
                turn.calls
                    .get(index)
                    .filter(|call| is_due(scene, call.completed && call.usage.is_some()))
                    .map(|call| model_call::run(scene, &stamp, &mut messages, &place, at, call)),
            ),
            Child::Compaction(index) => runs.extend(
                turn.compactions
                    .get(index)
                    .filter(|compaction| is_due(scene, compaction.window.ended_at.is_some()))
                    .map(|it| compaction::run(scene, &stamp, &mut messages, &place, at, it)),
            ),
            Child::Tool(index) => tool_runs(scene, &stamp, &place, at, index, &mut runs),
        }
    }
    runs
}

/// Whether something is sent now: in a turn that is followed live, only what is over.
fn is_due(scene: &Scene<'_>, is_over: bool) -> bool {
    is_over || !(scene.live && scene.view.turn.is_running())
}

/// What hangs directly below the turn, with its start and its rank among equal starts: a model
/// call before the tools it asked for, those in their order.
fn children(scene: &Scene<'_>) -> Vec<(Timestamp, (usize, usize), Child)> {
    let turn = scene.view.turn;
    let calls = turn.calls.iter().enumerate();
    let calls = calls.map(|(index, call)| {
        (
            call.window.started_at,
            (index + 1, 0),
            Child::ModelCall(index),
        )
    });
    let compactions = turn.compactions.iter().enumerate();
    let compactions = compactions.map(|(index, compaction)| {
        (
            compaction.window.started_at,
            (0, index),
            Child::Compaction(index),
        )
    });
    let tools = turn.tools.iter().enumerate();
    let tools = tools.filter(|(_, tool)| cell_of(scene, tool).is_none());
    let tools = tools.map(|(index, tool)| {
        let call = tool.model_call.map_or(usize::MAX, |call| call + 1);
        (
            tool.window.started_at,
            (call, index + 1),
            Child::Tool(index),
        )
    });
    calls.chain(compactions).chain(tools).collect()
}

/// The cell below which a nested tool call hangs: the one that ran it, if it was over no later.
fn cell_of<'a>(scene: &Scene<'a>, tool: &ToolCall) -> Option<&'a ToolCall> {
    let parent = tool.parent.as_ref()?;
    let turn = scene.view.turn;
    let cell = turn
        .tools
        .iter()
        .find(|cell| cell.id == *parent && cell.parent.is_none())?;
    let (start, end) = (cell.window.started_at, scene.end(cell.window.ended_at)?);
    let inside = tool.window.started_at >= start && scene.end(tool.window.ended_at)? <= end;
    inside.then_some(cell)
}

/// A tool call and, for a cell, what it ran.
fn tool_runs(
    scene: &Scene<'_>,
    stamp: &Stamp,
    parent: &Place,
    at: Timestamp,
    index: usize,
    runs: &mut Vec<Run>,
) {
    let turn = scene.view.turn;
    let Some(tool) = turn.tools.get(index) else {
        return;
    };
    if !is_due(scene, tool.window.ended_at.is_some()) {
        return;
    }
    let run = tool::run(scene, stamp, parent, at, tool);
    let place = run.place.clone();
    runs.push(run);
    let nested = |it: &&ToolCall| cell_of(scene, it).is_some_and(|cell| std::ptr::eq(cell, tool));
    let mut nested: Vec<_> = turn.tools.iter().filter(nested).collect();
    nested.sort_by_key(|tool| tool.window.started_at);
    let starts = apart(nested.iter().map(|it| it.window.started_at.max(place.at())));
    for (nested, at) in nested.into_iter().zip(starts) {
        runs.push(tool::run(scene, stamp, &place, at, nested));
    }
}
