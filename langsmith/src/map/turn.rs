//! A turn's own run.

use codex_tracing_transcript::{Turn, TurnKind, TurnStatus};

use super::Scene;
use super::messages::Messages;
use super::metadata::Stamp;
use crate::place::Place;
use crate::run::{Operation, Run, RunType};

/// The run of the turn: whole, or opened and, once it is over, closed.
pub(super) fn runs(
    scene: &Scene<'_>,
    stamp: &Stamp,
    messages: &mut Messages<'_>,
    place: &Place,
) -> Vec<Run> {
    let turn = scene.view.turn;
    let whole = Run {
        operation: Operation::Whole,
        place: place.clone(),
        name: "openai.codex".to_owned(),
        kind: RunType::Chain,
        ended_at: turn.window.ended_at,
        inputs: messages.prompt(),
        outputs: Some(messages.answers()),
        error: scene.error(error(turn)),
        metadata: stamp.turn(scene),
        runtime: stamp.runtime(),
        tags: tags(scene),
    };
    if !scene.live {
        return vec![whole];
    }
    let open = opening(stamp, &whole);
    if turn.is_running() {
        // Until there is something to show, its opening would soon be out of date.
        let has_begun = !turn.prompt.is_empty() || !turn.calls.is_empty();
        return if has_begun { vec![open] } else { Vec::new() };
    }
    let close = Run {
        operation: Operation::Close,
        ..whole
    };
    vec![open, close]
}

/// The opening holds what hardly changes while the turn goes on: the server takes it once.
fn opening(stamp: &Stamp, whole: &Run) -> Run {
    Run {
        operation: Operation::Open,
        ended_at: None,
        outputs: None,
        error: None,
        metadata: stamp.opening(),
        ..whole.clone()
    }
}

/// A caller's tags, which are custom metadata of a kind.
fn tags(scene: &Scene<'_>) -> Vec<String> {
    let parent = scene.parent.filter(|_| scene.is_full());
    parent.map(|parent| parent.tags.clone()).unwrap_or_default()
}

/// Why the turn did not end well.
fn error(turn: &Turn) -> Option<String> {
    let told = turn.error.as_ref().map(|error| match &error.code {
        Some(code) if !error.message.contains(code.as_str()) => {
            format!("{} — {code}", error.message)
        }
        _ => error.message.clone(),
    });
    match turn.status {
        // A review that is stopped ends the way reviews end.
        TurnStatus::Interrupted if turn.kind == TurnKind::Review && told.is_none() => None,
        TurnStatus::Interrupted => Some(told.unwrap_or_else(|| "Turn interrupted".to_owned())),
        TurnStatus::Failed => Some(told.unwrap_or_else(|| "Turn failed".to_owned())),
        TurnStatus::CutOff => {
            Some(told.unwrap_or_else(|| "Turn cut off: Codex ended before it".to_owned()))
        }
        TurnStatus::Running => None,
        TurnStatus::Completed => told,
    }
}
