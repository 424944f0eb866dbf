//! Nothing enters the model past the gate.

use std::borrow::Cow;
use std::sync::Arc;

use codex_tracing_transcript::{Scrub, read_rollout};
use serde_json::Value;

use crate::corpus::all;

/// Replaces every text by a mark.
struct Everything;

const MARK: &str = "·";

impl Scrub for Everything {
    fn text(&self, _: Cow<'_, str>) -> String {
        MARK.to_owned()
    }

    fn json(&self, value: &mut Value) {
        match value {
            Value::String(text) => MARK.clone_into(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::Object(map) => map.values_mut().for_each(|value| self.json(value)),
            _ => {}
        }
    }

    fn image(&self, _: Cow<'_, str>) -> String {
        MARK.to_owned()
    }
}

/// Fields that hold names, ids and times, and no content.
const NAMES: [&str; 33] = [
    "approval_policy",
    "author",
    "at",
    "call_id",
    "cli_version",
    "code",
    "commit",
    "depth",
    "effort",
    "ended_at",
    "first_output_at",
    "id",
    "kind",
    "mcp_server",
    "model",
    "model_provider",
    "name",
    "namespace",
    "nickname",
    "origin",
    "originator",
    "parent",
    "parent_thread_id",
    "parent_turn_id",
    "path",
    "phase",
    "process_ended_at",
    "recipient",
    "response_id",
    "role",
    "sandbox_policy",
    "started_at",
    "user",
];
const MORE_NAMES: [&str; 9] = [
    "spawned_at",
    "spawned_by",
    "status",
    "thread_id",
    "session_id",
    "trigger",
    "window_id",
    "forked_from_id",
    "recorded_end",
];

/// Words of this crate, in place of a reason the rollout does not have.
const REASONS: [&str; 6] = [
    "exit code",
    "interrupted",
    "aborted by the user",
    "the ",
    "Codex",
    "review",
];

fn leaks(value: &Value, key: &str, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let is_name = NAMES.contains(&key) || MORE_NAMES.contains(&key);
            let is_reason = matches!(key, "error" | "message")
                && REASONS.iter().any(|reason| text.starts_with(reason));
            // Agent names, the thread's source.
            if !is_name && !is_reason && !text.split('·').all(|rest| rest.trim().is_empty()) {
                found.push(format!("{key}: {text}"));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| leaks(item, key, found)),
        Value::Object(map) => map.iter().for_each(|(key, value)| leaks(value, key, found)),
        _ => {}
    }
}

#[test]
fn no_content_of_a_recorded_session_passes_the_gate() {
    for (name, path) in all() {
        let rollout = read_rollout(&path, Arc::new(Everything)).unwrap();
        let mut found = Vec::new();
        leaks(&serde_json::to_value(&rollout).unwrap(), "", &mut found);
        assert!(found.is_empty(), "{name}: {found:#?}");
        // The search itself: unscrubbed, the same session is full of findings.
        let plain = read_rollout(&path, Arc::new(codex_tracing_transcript::Verbatim)).unwrap();
        leaks(&serde_json::to_value(&plain).unwrap(), "", &mut found);
        assert!(found.len() > 5, "{name}: {found:#?}");
    }
}

#[test]
fn what_is_scrubbed_keeps_its_structure() {
    let shape = |scrub: Arc<dyn Scrub>, path: &std::path::Path| {
        let rollout = read_rollout(path, scrub).unwrap();
        let turns = rollout.turns.into_iter().map(|turn| {
            let tools = turn.tools.iter().map(|tool| {
                let outcome = &tool.outcome;
                (
                    tool.id.clone(),
                    tool.parent.clone(),
                    outcome.status,
                    outcome.exit_code,
                    tool.window,
                )
            });
            let calls = turn
                .calls
                .iter()
                .map(|call| (call.input, call.usage, call.window));
            (
                turn.status,
                turn.kind,
                turn.usage,
                calls.collect::<Vec<_>>(),
                tools.collect::<Vec<_>>(),
                turn.subagents.len(),
                turn.context.model.clone(),
            )
        });
        turns.collect::<Vec<_>>()
    };
    for (name, path) in all() {
        let plain = shape(Arc::new(codex_tracing_transcript::Verbatim), &path);
        assert_eq!(shape(Arc::new(Everything), &path), plain, "{name}");
    }
}
