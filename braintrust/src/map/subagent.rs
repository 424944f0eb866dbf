//! The span of a subagent's thread, under the turn that spawned it.
//!
//! Written in parts, as the session's is and for the same reason: the frame by every view of the
//! thread, `first` by its first turn, `end` by each turn that has ended.

use codex_tracing_delivery::Ancestor;
use codex_tracing_transcript::Origin;

use super::{Trace, metadata, turn};
use crate::ids;
use crate::row::{Row, SpanType, raw, seconds};

/// The span of the mapped turn's own thread; nothing for the root thread. The spans of threads in
/// between come with the views of their own turns.
pub(super) fn map<'a>(trace: &'a Trace<'_>) -> Vec<Row<'a>> {
    let Some(last) = trace.view.lineage.last() else {
        return Vec::new();
    };
    let mut rows = vec![frame(trace, last)];
    if trace.view.turn.number == 1 {
        rows.push(first(trace, last));
    }
    rows.extend(end(trace, last));
    rows
}

fn frame<'a>(trace: &'a Trace<'_>, last: &Ancestor) -> Row<'a> {
    let mut row = part(trace, last, None);
    row.span_attributes.name = Some(format!("subagent: {}", last.child_thread_id));
    row.note("agent_id", last.child_thread_id.as_str());
    row.note("parent_thread_id", last.thread_id.as_str());
    row.note("spawned_by_call_id", last.call_id.as_deref());
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
    row
}

fn first<'a>(trace: &'a Trace<'_>, last: &Ancestor) -> Row<'a> {
    let mut row = part(trace, last, Some("first"));
    row.note("model", metadata::model(trace));
    row.input = turn::input(&trace.view.turn.prompt).as_ref().and_then(raw);
    row
}

fn end<'a>(trace: &'a Trace<'_>, last: &Ancestor) -> Option<Row<'a>> {
    let turn = trace.view.turn;
    let ended_at = turn.window.ended_at?;
    let mut row = part(trace, last, Some("end"));
    row.measure("end", seconds(ended_at.max(started_at(last))));
    row.output = turn.answer.as_ref().and_then(|answer| raw(&answer.text));
    Some(row)
}

fn part<'a>(trace: &'a Trace<'_>, last: &Ancestor, part: Option<&'static str>) -> Row<'a> {
    let mut row = trace.row(
        ids::subagent(&last.child_thread_id),
        Some(ids::turn(&last.thread_id, &last.turn_id)),
        None,
        SpanType::Task,
        started_at(last),
    );
    row.part = part;
    row
}

fn started_at(last: &Ancestor) -> jiff::Timestamp {
    last.child_started_at.max(last.turn_started_at)
}
