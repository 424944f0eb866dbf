//! The span of a compaction: the model call that wrote the summary, inside the turn it happened in.

use codex_tracing_transcript::{Compaction, ModelInput};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::{Trace, history, messages, model_call};
use crate::ids;
use crate::row::{Row, SpanType, raw, seconds};

pub(super) fn map<'a>(trace: &'a Trace<'_>) -> Vec<Row<'a>> {
    let compactions = trace.view.turn.compactions.iter();
    compactions
        .filter(|compaction| trace.is_over() || compaction.window.ended_at.is_some())
        .map(|compaction| span(trace, compaction))
        .collect()
}

fn span<'a>(trace: &'a Trace<'_>, compaction: &Compaction) -> Row<'a> {
    let turn = trace.view.turn;
    let window = trace.within_turn(compaction.window);
    let mut row = trace.row(
        ids::compaction(&turn.thread_id, &turn.id, compaction.index),
        Some(trace.turn_span.clone()),
        Some("compaction".to_owned()),
        SpanType::Llm,
        window.started_at,
    );
    if let Some(end) = window.ended_at {
        row.measure("end", seconds(end));
    }
    row.tags.push("compaction");
    row.note("turn_id", turn.id.as_str());
    row.note("model", compaction.model.as_deref());
    row.note("response_id", compaction.response_id.as_deref());
    row.metadata
        .insert("compaction".to_owned(), facts(trace, compaction));
    model_call::count(&mut row, compaction.usage.as_ref());
    if trace.is_full() {
        row.input = input(trace, compaction.before);
        row.output = raw(&output(compaction));
    }
    row
}

/// `{trigger, replaced_message_count, window_id}`. The hook's word for the trigger goes first; the
/// rollout alone tells it once the turn is over and has turned out to be nothing else, or not.
fn facts(trace: &Trace<'_>, compaction: &Compaction) -> Value {
    let hooks = &trace.view.hooks.compaction_triggers;
    let told = || trace.is_over().then_some(&compaction.trigger);
    let trigger = hooks.get(&trace.view.turn.id).or_else(told);
    let mut facts = Map::new();
    if let Some(trigger) = trigger {
        facts.insert("trigger".to_owned(), Value::from(trigger.as_str()));
    }
    let replaced = Value::from(compaction.before.len);
    facts.insert("replaced_message_count".to_owned(), replaced);
    if let Some(id) = &compaction.window_id {
        facts.insert("window_id".to_owned(), Value::from(id.as_str()));
    }
    Value::Object(facts)
}

fn input(trace: &Trace<'_>, before: ModelInput) -> Option<Box<RawValue>> {
    #[derive(Serialize)]
    struct Input {
        messages_before_compaction: usize,
        history: Box<RawValue>,
    }
    let limit = history::input_limit(0);
    raw(&Input {
        messages_before_compaction: before.len,
        history: trace.conversations().input(before, limit)?,
    })
}

fn output(compaction: &Compaction) -> Value {
    let kept: Vec<Value> = compaction
        .after
        .iter()
        .filter_map(|item| messages::message(&item.body))
        .collect();
    json!({
        "summary": compaction
            .summary
            .as_deref()
            .unwrap_or("[codex-tracing notice: Codex did not record the summary in clear text]"),
        "kept_messages": kept,
    })
}
