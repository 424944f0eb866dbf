//! The root span of a session.
//!
//! Every view writes it, because every view may be the first to arrive and moves its end. Leaves
//! that differ between turns are written by one kind of turn only: `model` and a muted session's
//! name by the first turn of the root thread, `output` by the turn that ended last.

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
    row.metadata = metadata::session(trace);
    row.input = input(&row.metadata).and_then(|input| raw(&input));
    if let Some(end) = view.session_ended_at.max(view.turn.window.ended_at) {
        row.measure("end", seconds(end.max(view.root.started_at)));
    }
    if is_latest(view) && trace.is_full() {
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
    view.lineage.is_empty()
        && view.turn.window.ended_at.is_some()
        && view.turn.window.ended_at >= view.session_ended_at
}

/// `codex: <last part of the working directory>`. The directory is content: a muted turn does not
/// name it, nor does it take the name from a session that has one.
fn name(trace: &Trace<'_>) -> Option<String> {
    let view = trace.view;
    let nameless = || "codex session".to_owned();
    if !trace.is_full() {
        return metadata::is_first(view).then(nameless);
    }
    let cwd = view.root.cwd.as_deref().unwrap_or_default();
    Some(
        cwd.rsplit(['/', '\\'])
            .find(|part| !part.is_empty())
            .map_or_else(nameless, |part| format!("codex: {part}")),
    )
}

/// `{model, cwd, source}`, as far as known.
fn input(metadata: &Map<String, Value>) -> Option<Map<String, Value>> {
    let input: Map<_, _> = ["model", "cwd", "source"]
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), metadata.get(key)?.clone())))
        .collect();
    (!input.is_empty()).then_some(input)
}
