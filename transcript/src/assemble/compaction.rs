//! Compactions: the summary is a model call that is billed; it becomes part of the compaction.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{Compaction, Content, Item, ItemBody, ModelCall, ModelInput, Window};

/// What a `compacted` record and the turn around it tell.
pub(super) struct Replaced {
    pub(super) at: Timestamp,
    pub(super) asked_at: Option<Timestamp>,
    pub(super) before: ModelInput,
    pub(super) after: Vec<Arc<Item>>,
    pub(super) message: String,
    pub(super) window_id: Option<String>,
    pub(super) response_id: Option<String>,
    pub(super) model: Option<String>,
}

/// Joins the record with the call that wrote the summary, if the rollout has it.
pub(super) fn compaction(index: usize, replaced: Replaced, call: Option<ModelCall>) -> Compaction {
    let summary = call
        .as_ref()
        .and_then(spoken)
        .or_else(|| Some(replaced.message).filter(|message| !message.is_empty()));
    let started_at = call
        .as_ref()
        .map(|call| call.window.started_at)
        .or(replaced.asked_at)
        .unwrap_or(replaced.at);
    let (usage, response_id, model) = match call {
        Some(call) => (call.usage, call.response_id, call.model),
        None => (None, None, None),
    };
    Compaction {
        index,
        window: Window {
            started_at: started_at.min(replaced.at),
            ended_at: Some(replaced.at),
        },
        // Whether a person asked for it shows when the turn is over.
        trigger: AUTO.to_owned(),
        model: model.or(replaced.model),
        before: replaced.before,
        after: replaced.after,
        summary,
        window_id: replaced.window_id,
        usage,
        response_id: response_id.or(replaced.response_id),
    }
}

pub(super) const AUTO: &str = "auto";
pub(super) const MANUAL: &str = "manual";

/// The text of a call's messages.
fn spoken(call: &ModelCall) -> Option<String> {
    let texts = call.output.iter().filter_map(|item| match &item.body {
        ItemBody::Message { content, .. } => Some(content),
        _ => None,
    });
    let texts = texts.flatten().filter_map(|part| match part {
        Content::Text(text) => Some(text.as_str()),
        _ => None,
    });
    let text = texts.collect::<Vec<_>>().join("\n");
    (!text.is_empty()).then_some(text)
}
