//! The root span of a session.
//!
//! Every view writes it, because any may be the first to arrive and moves its end. Not every view
//! knows all of it, though, and what differs between turns must be written by one of them only: the
//! repository by turns of the root thread, `model` and the name of a muted session by the first of
//! these, `output` by the one that ended last.

use codex_tracing_delivery::View;
use serde_json::{Map, Value};

use super::{Trace, metadata};
use crate::row::{Row, SpanType, raw, seconds};

pub(super) fn map<'a>(trace: &'a Trace<'_>) -> Row<'a> {
    let view = trace.view;
    let mut row = trace.row(
        trace.session_span.clone(),
        trace.target.join.as_ref().map(|join| join.parent.clone()),
        name(trace),
        SpanType::Task,
        view.root.started_at,
    );
    row.contributor = Some(&trace.turn_span);
    row.metadata = metadata::session(trace);
    let input = input(trace);
    if !input.is_empty() {
        row.input = raw(&input);
    }
    if let Some(end) = view.session_ended_at.max(view.turn.window.ended_at) {
        row.measure("end", seconds(end.max(view.root.started_at)));
    }
    if trace.is_full() && is_latest(view) {
        row.output = view
            .turn
            .answer
            .as_ref()
            .and_then(|answer| raw(&answer.text));
    }
    row
}

/// Whether the turn is of the root thread and ended last in the session.
fn is_latest(view: &View<'_>) -> bool {
    let end = view.turn.window.ended_at;
    view.lineage.is_empty() && end.is_some() && end >= view.session_ended_at
}

/// `codex: <last part of the working directory>`. The directory is content: a session whose first
/// turn is muted does not name it. A later turn that is not muted does.
fn name(trace: &Trace<'_>) -> Option<String> {
    let nameless = || "codex session".to_owned();
    if !trace.is_full() {
        return metadata::is_first(trace.view).then(nameless);
    }
    let cwd = trace.view.root.cwd.as_deref().unwrap_or_default();
    Some(
        cwd.rsplit(['/', '\\'])
            .find(|part| !part.is_empty())
            .map_or_else(nameless, |part| format!("codex: {part}")),
    )
}

/// `{model, cwd, source}`, as far as this view may write them. The user's keys are no input.
fn input(trace: &Trace<'_>) -> Map<String, Value> {
    let view = trace.view;
    metadata::collect([
        ("model", metadata::session_model(trace)),
        ("cwd", view.root.cwd.as_deref().filter(|_| trace.is_full())),
        ("source", view.hooks.source.as_deref()),
    ])
}
