//! The span of a subagent's thread, under the turn that spawned it.

use codex_tracing_transcript::Origin;

use super::{Trace, metadata, turn};
use crate::ids;
use crate::row::{Row, SpanType, raw, seconds};

/// The span of the mapped turn's own thread; `None` for the root thread. The spans of threads in
/// between come with the views of their own turns. Like the session's span it is written by every
/// turn of the thread, `model` and `input` only by the first.
pub(super) fn map<'a>(trace: &'a Trace<'_>) -> Option<Row<'a>> {
    let view = trace.view;
    let last = view.lineage.last()?;
    let started_at = last.child_started_at.max(last.turn_started_at);
    let mut row = trace.row(
        ids::subagent(&last.child_thread_id),
        Some(ids::turn(&last.thread_id, &last.turn_id)),
        Some(format!("subagent: {}", last.child_thread_id)),
        SpanType::Task,
        started_at,
    );
    row.contributor = Some(&trace.turn_span);
    row.note("agent_id", last.child_thread_id.as_str());
    row.note("parent_thread_id", last.thread_id.as_str());
    row.note("spawned_by_call_id", last.call_id.as_deref());
    describe(trace, &mut row);
    if view.turn.number == 1 {
        row.note("model", metadata::model(trace));
        row.input = turn::input(&view.turn.prompt).as_ref().and_then(raw);
    }
    if let Some(end) = view.turn.window.ended_at {
        row.measure("end", seconds(end.max(started_at)));
        row.output = view
            .turn
            .answer
            .as_ref()
            .and_then(|answer| raw(&answer.text));
    }
    Some(row)
}

/// What the thread's header says of the agent.
fn describe(trace: &Trace<'_>, row: &mut Row<'_>) {
    match &trace.view.session.origin {
        Origin::Spawned {
            depth,
            path,
            nickname,
            role,
        } => {
            row.note("agent_type", role.as_deref());
            row.note("agent_depth", *depth);
            if trace.is_full() {
                row.note("agent_nickname", nickname.as_deref());
                row.note("agent_path", path.as_deref());
            }
        }
        Origin::Review => row.note("agent_type", "review"),
        Origin::User(_) | Origin::Other(_) => {}
    }
}
