//! A compaction as a run of its own.

use codex_tracing_transcript::Compaction;
use jiff::Timestamp;
use serde_json::json;

use super::Scene;
use super::messages::Messages;
use super::metadata::Stamp;
use crate::ids::{Identity, Kind};
use crate::place::Place;
use crate::run::{Operation, Run, RunType};

/// Inputs: the conversation before. Outputs: what replaced it, or the summary.
pub(super) fn run(
    scene: &Scene<'_>,
    stamp: &Stamp,
    messages: &mut Messages<'_>,
    parent: &Place,
    at: Timestamp,
    compaction: &Compaction,
) -> Run {
    let turn = scene.view.turn;
    let identity = Identity {
        thread: &turn.thread_id,
        turn: &turn.id,
        kind: Kind::Compaction,
        key: &compaction.index.to_string(),
    };
    let mut metadata = stamp.llm(
        scene,
        compaction.model.as_deref(),
        compaction.usage.as_ref(),
    );
    metadata.insert("ls_agent_type".to_owned(), json!("compaction"));
    let trigger = scene.view.hooks.compaction_triggers.get(&turn.id);
    let trigger = trigger.unwrap_or(&compaction.trigger);
    metadata.insert("compaction_trigger".to_owned(), json!(trigger));
    for (name, value) in [
        ("response_id", &compaction.response_id),
        ("window_id", &compaction.window_id),
    ] {
        if let Some(value) = value {
            metadata.insert(name.to_owned(), json!(value));
        }
    }
    Run {
        operation: Operation::Whole,
        place: Place::below(Some(parent), at, &identity),
        name: "openai.codex.compaction".to_owned(),
        kind: RunType::Llm,
        ended_at: scene.end(compaction.window.ended_at),
        inputs: messages.conversation(&compaction.before),
        outputs: Some(messages.compacted(compaction)),
        error: None,
        metadata,
        runtime: stamp.runtime(),
        tags: Vec::new(),
    }
}
