//! The span of a turn.

use codex_tracing_transcript::{Content, TurnKind, TurnStatus};
use serde_json::{Value, json};

use super::{Trace, messages, metadata, skills};
use crate::ids;
use crate::row::{Row, SpanType, raw, seconds};

pub(super) fn map<'a>(trace: &'a Trace<'_>) -> Row<'a> {
    let turn = trace.view.turn;
    let parent = match trace.view.lineage.last() {
        Some(last) => ids::subagent(&last.child_thread_id),
        None => trace.session_span.clone(),
    };
    let mut row = trace.row(
        trace.turn_span.clone(),
        Some(parent),
        Some(format!("turn: {}", turn.id)),
        SpanType::Task,
        turn.window.started_at,
    );
    row.metadata = metadata::turn(trace);
    row.input = input(&turn.prompt).as_ref().and_then(raw);
    if trace.is_over() {
        finish(trace, &mut row);
    }
    row
}

fn finish(trace: &Trace<'_>, row: &mut Row<'_>) {
    let turn = trace.view.turn;
    // Only now: until its prompt arrives, a turn that begins with a compaction looks like one.
    if turn.kind == TurnKind::Compact {
        row.tags.push("compaction");
    }
    if let Some(end) = turn.window.ended_at {
        row.measure("end", seconds(end.max(turn.window.started_at)));
    }
    row.output = turn.answer.as_ref().and_then(|answer| raw(&answer.text));
    let loaded = skills::explicit(turn);
    if !loaded.is_empty() {
        let skills: Vec<Value> = loaded.iter().map(|name| json!({ "name": name })).collect();
        row.note("loaded_skill_names", loaded);
        row.note("loaded_skills", skills);
    }
    if trace.is_full() {
        row.error = error(trace).map(Value::from);
    }
}

/// Why the turn failed. A turn that is cut off after its answer has not failed: its end record is
/// merely missing, and may yet come.
fn error(trace: &Trace<'_>) -> Option<String> {
    let turn = trace.view.turn;
    let told = turn.error.as_ref().map(|error| error.message.clone());
    match turn.status {
        TurnStatus::Running | TurnStatus::Completed => None,
        TurnStatus::Failed => Some(told.unwrap_or_else(|| "Turn failed".to_owned())),
        TurnStatus::Interrupted => Some(told.unwrap_or_else(|| "Interrupted".to_owned())),
        TurnStatus::CutOff if turn.answer.is_some() => None,
        TurnStatus::CutOff => {
            Some(told.unwrap_or_else(|| "Codex went away before the turn ended".to_owned()))
        }
    }
}

/// The prompt: its text, or parts as soon as there is anything but text in it.
pub(super) fn input(prompt: &[Content]) -> Option<Value> {
    (!prompt.is_empty()).then(|| messages::content(prompt))
}
