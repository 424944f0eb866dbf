//! The spans of a turn's model calls.

use codex_tracing_transcript::{ItemBody, ModelCall, TurnStatus, Usage};
use serde_json::Value;

use super::{Trace, history, messages, metadata};
use crate::ids;
use crate::row::{Row, SpanType, raw, seconds};

pub(super) fn map<'a>(trace: &'a Trace<'_>) -> Vec<Row<'a>> {
    let calls = trace.view.turn.calls.iter();
    calls
        .filter_map(|call| {
            let settled = is_settled(trace, call);
            (settled || is_sure(call)).then(|| span(trace, call, settled))
        })
        .collect()
}

/// Whether nothing about the call will change any more: the turn is over, a later call has begun,
/// or its tokens are known and it is sure to be a call.
fn is_settled(trace: &Trace<'_>, call: &ModelCall) -> bool {
    let followed = trace.view.turn.calls.len() > call.index + 1;
    trace.is_over() || (call.completed && (followed || (call.usage.is_some() && is_sure(call))))
}

/// Whether the call cannot turn out to be the one that wrote the summary of a compaction: that asks
/// for no tool, and the user hears nothing of it.
fn is_sure(call: &ModelCall) -> bool {
    let mut output = call.output.iter();
    call.announced || output.any(|item| matches!(item.body, ItemBody::ToolCall { .. }))
}

/// The span of a call; of one that is not settled, what it began with.
fn span<'a>(trace: &'a Trace<'_>, call: &ModelCall, settled: bool) -> Row<'a> {
    let turn = trace.view.turn;
    let window = trace.within_turn(call.window);
    let model = call.model.as_deref().or_else(|| metadata::model(trace));
    let mut row = trace.row(
        ids::model_call(&turn.thread_id, &turn.id, call.index),
        Some(trace.turn_span.clone()),
        Some(model.unwrap_or("llm").to_owned()),
        SpanType::Llm,
        window.started_at,
    );
    let limit = history::input_limit(call.index);
    row.input = trace.conversations().input(call.input, limit);
    row.note("model", model);
    row.note("turn_id", turn.id.as_str());
    if settled {
        complete(trace, call, &mut row);
    }
    row
}

/// What a call came to.
fn complete(trace: &Trace<'_>, call: &ModelCall, row: &mut Row<'_>) {
    if let Some(end) = trace.within_turn(call.window).ended_at {
        row.measure("end", seconds(end));
    }
    row.output = output(call);
    row.note("response_id", call.response_id.as_deref());
    if call.retries > 0 {
        row.note("retries", call.retries);
    }
    if let Some(seconds) = first_token(trace, call) {
        row.measure("time_to_first_token", seconds);
    }
    count(row, call.usage.as_ref());
    if call.usage.is_none() && trace.is_over() {
        row.note(
            "usage_unavailable_reason",
            "codex_transcript_missing_token_count",
        );
    }
    if trace.is_full() {
        row.error = error(trace, call).map(Value::from);
        if row.error.is_none() && !call.errors.is_empty() {
            let met: Vec<&str> = call.errors.iter().map(|error| &*error.message).collect();
            row.note("errors_before_answer", met);
        }
    }
}

/// Puts tokens under Braintrust's names. `prompt_tokens` holds all input, cached and cache-creating
/// tokens included, as in Braintrust's own instrumentation.
pub(super) fn count(row: &mut Row<'_>, usage: Option<&Usage>) {
    let Some(usage) = usage else { return };
    let total = match usage.total {
        0 => usage.input.saturating_add(usage.output),
        total => total,
    };
    row.measure("prompt_tokens", usage.input);
    row.measure("completion_tokens", usage.output);
    row.measure("tokens", total);
    row.measure("prompt_cached_tokens", usage.cached);
    row.measure("completion_reasoning_tokens", usage.reasoning);
    if usage.cache_write > 0 {
        row.measure("prompt_cache_creation_tokens", usage.cache_write);
    }
}

/// Seconds from asking to the first token. For a turn's first call Codex measures it, counted from
/// the turn's start, and tells at its end; else the first whole output item must do.
fn first_token(trace: &Trace<'_>, call: &ModelCall) -> Option<f64> {
    let turn = trace.view.turn;
    let window = trace.within_turn(call.window);
    let started_at = seconds(window.started_at);
    let by_item = call.first_output_at.map(|at| seconds(at) - started_at);
    let told = if call.index > 0 {
        by_item
    } else if trace.is_over() {
        let longest = window.ended_at.map_or(0.0, |end| seconds(end) - started_at);
        turn.time_to_first_token_ms
            .map(|ms| seconds(turn.window.started_at) + ms as f64 / 1000.0 - started_at)
            .filter(|measured| (0.0..=longest).contains(measured))
            .or(by_item)
    } else {
        None
    };
    // Differences of instants carry noise far below the microsecond they were stamped with.
    told.filter(|seconds| *seconds >= 0.0)
        .map(|seconds| (seconds * 1e6).round() / 1e6)
}

/// One message, or an array of several.
fn output(call: &ModelCall) -> Option<Box<serde_json::value::RawValue>> {
    let mut said: Vec<Value> = call
        .output
        .iter()
        .filter_map(|item| messages::message(&item.body))
        .collect();
    match said.len() {
        0 => None,
        1 => raw(&said.pop()?),
        _ => raw(&said),
    }
}

/// Why the call brought nothing to an end. Errors that a retry overcame are no failure.
fn error(trace: &Trace<'_>, call: &ModelCall) -> Option<String> {
    if call.completed {
        return None;
    }
    let turn = trace.view.turn;
    let met = call.errors.last().map(|error| error.message.clone());
    let of_turn = || turn.error.as_ref().map(|error| error.message.clone());
    met.or_else(|| match turn.status {
        TurnStatus::Running | TurnStatus::Completed => None,
        TurnStatus::Failed => Some(of_turn().unwrap_or_else(|| "Model call failed".to_owned())),
        TurnStatus::Interrupted => Some(of_turn().unwrap_or_else(|| "Interrupted".to_owned())),
        TurnStatus::CutOff if turn.answer.is_some() => None,
        TurnStatus::CutOff => Some("Codex went away before the answer ended".to_owned()),
    })
}
