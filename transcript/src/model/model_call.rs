//! Model calls.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::{Item, Usage, Window};

/// One request to the model and what came back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelCall {
    /// Position in the turn, from 0; stable however often the file is read.
    pub index: usize,
    /// From when the model was asked to its last output.
    pub window: Window,
    /// Model slug in force for this call.
    pub model: Option<String>,
    /// What it saw; resolve with [`Turn::input_of`](super::Turn::input_of).
    pub input: ModelInput,
    /// Output items in order of arrival.
    pub output: Vec<Arc<Item>>,
    /// When the first output arrived.
    pub first_output_at: Option<Timestamp>,
    /// Its own tokens; `None` if Codex recorded none (interrupted, failed).
    pub usage: Option<Usage>,
    /// Response id (Codex 0.153 and later).
    pub response_id: Option<String>,
    /// How often Codex asked again before this answer, as far as the rollout shows it.
    pub retries: u32,
    /// Stream and model errors met on the way.
    pub errors: Vec<CallError>,
    /// Whether it came to an end (`false`: interrupted, failed or still running).
    pub completed: bool,
    /// Whether Codex announced some of its output to the user before recording it. It never does so
    /// with the summary of a compaction: an announced call stays a call of the turn.
    #[serde(skip)]
    pub announced: bool,
}

/// A prefix of one of the turn's conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ModelInput {
    /// Index into [`Turn::conversations`](super::Turn::conversations).
    pub conversation: usize,
    /// Number of items from its beginning.
    pub len: usize,
}

/// An error met while asking the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallError {
    /// When.
    pub at: Timestamp,
    /// Message for people.
    pub message: String,
}
