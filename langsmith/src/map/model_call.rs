//! A model call as an LLM run.

use codex_tracing_transcript::{Item, ItemBody, ModelCall, TurnStatus};
use jiff::Timestamp;
use serde_json::json;

use super::Scene;
use super::messages::Messages;
use super::metadata::Stamp;
use crate::ids::{Identity, Kind};
use crate::place::Place;
use crate::run::{Operation, Run, RunType};

/// Inputs: the conversation so far, base instructions first. Outputs: the response.
pub(super) fn run(
    scene: &Scene<'_>,
    stamp: &Stamp,
    messages: &mut Messages<'_>,
    parent: &Place,
    at: Timestamp,
    call: &ModelCall,
) -> Run {
    let turn = scene.view.turn;
    let identity = Identity {
        thread: &turn.thread_id,
        turn: &turn.id,
        kind: Kind::ModelCall,
        key: &call.index.to_string(),
    };
    let mut metadata = stamp.llm(scene, call.model.as_deref(), call.usage.as_ref());
    if let Some(reason) = stop_reason(scene, call) {
        metadata.insert("stop_reason".to_owned(), json!(reason));
    }
    if let Some(id) = &call.response_id {
        metadata.insert("response_id".to_owned(), json!(id));
    }
    if call.retries > 0 {
        metadata.insert("retries".to_owned(), json!(call.retries));
    }
    Run {
        operation: Operation::Whole,
        place: Place::below(Some(parent), at, &identity),
        name: "openai.codex.turn".to_owned(),
        kind: RunType::Llm,
        ended_at: scene.end(call.window.ended_at),
        inputs: messages.conversation(&call.input),
        outputs: Some(messages.response(&call.output)),
        error: scene.error(error(scene, call)),
        metadata,
        runtime: stamp.runtime(),
        tags: Vec::new(),
    }
}

/// Errors met on the way to an answer are no error of the call.
fn error(scene: &Scene<'_>, call: &ModelCall) -> Option<String> {
    let turn = scene.view.turn;
    if call.completed || turn.is_running() {
        return None;
    }
    let last = call.errors.last().map(|error| error.message.clone());
    let told = || turn.error.as_ref().map(|error| error.message.clone());
    let word = match turn.status {
        TurnStatus::Interrupted => "Interrupted",
        TurnStatus::CutOff => "Cut off: Codex ended before the model did",
        _ => "The model did not finish",
    };
    last.or_else(told).or_else(|| Some(word.to_owned()))
}

/// Why the model stopped. Rollouts do not say it in so many words; asking for tools shows it.
fn stop_reason(scene: &Scene<'_>, call: &ModelCall) -> Option<&'static str> {
    if call.completed {
        let asks = |item: &Item| matches!(item.body, ItemBody::ToolCall { .. });
        let has_tools = call.output.iter().any(|item| asks(item));
        return Some(if has_tools { "tool_calls" } else { "stop" });
    }
    match scene.view.turn.status {
        TurnStatus::Running => None,
        TurnStatus::Interrupted | TurnStatus::CutOff => Some("interrupted"),
        TurnStatus::Failed | TurnStatus::Completed => Some("error"),
    }
}
