//! Compactions.

use std::sync::Arc;

use serde::Serialize;

use super::{Item, ModelInput, Usage, Window};

/// The conversation was replaced by a summary.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compaction {
    /// Position in the turn, from 0.
    pub index: usize,
    /// From when the summary was asked for to the `compacted` record.
    pub window: Window,
    /// `auto` or `manual`.
    pub trigger: String,
    /// Model that wrote the summary.
    pub model: Option<String>,
    /// What was there before; resolve like a model call's input.
    pub before: ModelInput,
    /// What replaced it (the beginning of the next conversation).
    pub after: Vec<Arc<Item>>,
    /// The summary, where the rollout has it in clear.
    pub summary: Option<String>,
    /// Id of the context window that began.
    pub window_id: Option<String>,
    /// Tokens the summary cost.
    pub usage: Option<Usage>,
    /// Response id.
    pub response_id: Option<String>,
}
