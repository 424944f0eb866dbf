//! The root span of a session.
//!
//! Every view writes it, because any may be the first to arrive and moves its end. An item must be
//! whole in itself (of two versions of one item only the later may be sent), yet not every view
//! knows all of the span. So the span is written in parts, each an item that holds the same leaves
//! whichever view wrote it:
//!
//! - the frame: every view;
//! - `content`: views of the root thread that may send contents;
//! - `first`: the first turn of the root thread;
//! - `output`: the turn of the root thread that ended last.

use codex_tracing_delivery::View;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{Trace, metadata};
use crate::row::{Row, SpanType, raw, seconds};

pub(super) fn map<'a>(trace: &'a Trace<'_>) -> Vec<Row<'a>> {
    let view = trace.view;
    let mut rows = vec![frame(trace)];
    if view.lineage.is_empty() {
        if trace.is_full() {
            rows.push(content(trace));
        }
        if metadata::is_first(view) {
            rows.push(first(trace));
        }
        if trace.is_full() && is_latest(view) {
            rows.push(output(trace));
        }
    }
    rows
}

fn frame<'a>(trace: &'a Trace<'_>) -> Row<'a> {
    let view = trace.view;
    let mut row = part(trace, None);
    row.metadata = metadata::session(trace);
    if let Some(end) = view.session_ended_at.max(view.turn.window.ended_at) {
        row.measure("end", seconds(end.max(view.root.started_at)));
    }
    row.input = input("source", view.hooks.source.as_deref());
    row
}

fn content<'a>(trace: &'a Trace<'_>) -> Row<'a> {
    let mut row = part(trace, Some("content"));
    row.span_attributes.name = Some(name(trace.view.root.cwd.as_deref()));
    row.metadata = metadata::content(trace);
    row.input = input("cwd", trace.view.root.cwd.as_deref());
    row
}

fn first<'a>(trace: &'a Trace<'_>) -> Row<'a> {
    let mut row = part(trace, Some("first"));
    // The directory is content: a session whose first turn is muted does not name it. A later
    // turn that is not does.
    row.span_attributes.name = (!trace.is_full()).then(|| name(None));
    row.note("model", metadata::model(trace));
    row.input = input("model", metadata::model(trace));
    row
}

fn output<'a>(trace: &'a Trace<'_>) -> Row<'a> {
    let mut row = part(trace, Some("output"));
    row.output = trace
        .view
        .turn
        .answer
        .as_ref()
        .and_then(|answer| raw(&answer.text));
    row
}

fn part<'a>(trace: &'a Trace<'_>, part: Option<&'static str>) -> Row<'a> {
    let mut row = trace.row(
        trace.session_span.clone(),
        trace.target.join.as_ref().map(|join| join.parent.clone()),
        None,
        SpanType::Task,
        trace.view.root.started_at,
    );
    row.part = part;
    row
}

/// Whether the turn ended last in the session.
fn is_latest(view: &View<'_>) -> bool {
    let end = view.turn.window.ended_at;
    view.turn.answer.is_some() && end.is_some() && end >= view.session_ended_at
}

/// `codex: <last part of the working directory>`.
fn name(cwd: Option<&str>) -> String {
    cwd.unwrap_or_default()
        .rsplit(['/', '\\'])
        .find(|part| !part.is_empty())
        .map_or_else(
            || "codex session".to_owned(),
            |part| format!("codex: {part}"),
        )
}

/// `{key: value}`; parts of one input merge.
fn input(key: &str, value: Option<&str>) -> Option<Box<RawValue>> {
    let mut input = Map::new();
    input.insert(
        key.to_owned(),
        Value::from(value.filter(|value| !value.is_empty())?),
    );
    raw(&input)
}
