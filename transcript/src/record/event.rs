//! `event_msg` payloads of all versions.

use std::borrow::Cow;

use serde_json::Value;

use super::{Body, Counted, Source, TurnCompleted, item, usage};
use crate::wire::{Attribution, Event, Fields, raw_string, raw_value};
use crate::{Content, Scrub};

pub(super) fn event<'a>(fields: Fields<'a>, scrub: &dyn Scrub) -> Body<'a> {
    match fields.kind.as_str() {
        "item_completed" => item_completed(fields, scrub),
        "task_started" | "turn_started" => Body::TurnStarted {
            id: fields.turn_id.owned(),
            parent_turn_id: fields.turn_attribution.and_then(|raw| {
                serde_json::from_str::<Attribution<'_>>(raw.get())
                    .ok()?
                    .parent_turn_id
                    .owned()
            }),
        },
        "task_complete" | "turn_complete" => completed(&fields, scrub),
        "turn_aborted" => Body::TurnAborted {
            id: fields.turn_id.owned(),
            reason: fields.reason.0.into_owned(),
        },
        "token_count" => Body::Counted(fields.info.and_then(|info| {
            Some(Counted {
                total: usage(info.total_token_usage?),
                last: usage(info.last_token_usage.unwrap_or_default()),
            })
        })),
        "user_message" => Body::Prompt {
            from: from(&fields),
            content: user_message(&fields, scrub),
        },
        "agent_message" | "agent_reasoning" | "agent_reasoning_raw_content" => Body::Arrived {
            from: from(&fields),
        },
        "mcp_tool_call_end"
        | "patch_apply_end"
        | "web_search_end"
        | "exec_command_end"
        | "view_image_tool_call"
        | "image_generation_end"
        | "collab_agent_spawn_end"
        | "dynamic_tool_call_response" => ended(fields, |fields| fields.call_id.owned()),
        "sub_agent_activity" => ended(fields, |fields| fields.event_id.owned()),
        "entered_review_mode" => review(&fields, fields.turn_id.owned(), scrub),
        "error" | "stream_error" => Body::Trouble {
            message: scrub.text(Cow::Owned(raw_string(fields.message).unwrap_or_default())),
            code: raw_value(fields.codex_error_info).and_then(code),
        },
        "thread_rolled_back" => {
            Body::RolledBack(usize::try_from(fields.num_turns.count()).unwrap_or(usize::MAX))
        }
        "thread_settings_applied" => Body::Ambient,
        "context_compacted"
        | "exited_review_mode"
        | "exec_command_begin"
        | "patch_apply_begin"
        | "mcp_tool_call_begin"
        | "web_search_begin"
        | "item_started"
        | "turn_diff"
        | "plan_update"
        | "thread_name_updated"
        | "thread_goal_updated"
        | "undo_completed"
        | "background_event"
        | "warning"
        | "deprecation_notice"
        | "image_generation_begin" => Body::Nothing,
        kind if kind.starts_with("collab_") => Body::Nothing,
        kind => Body::Unknown(format!("unknown_event:{kind}")),
    }
}

fn from(fields: &Fields<'_>) -> Source {
    Source {
        thread_id: fields.thread_id.owned(),
        turn_id: fields.turn_id.owned(),
    }
}

fn ended<'a>(fields: Fields<'a>, id: impl Fn(&Fields<'a>) -> Option<String>) -> Body<'a> {
    Body::ToolEnded {
        from: from(&fields),
        id: id(&fields).unwrap_or_default(),
        end: Box::new(fields),
    }
}

fn item_completed<'a>(mut fields: Fields<'a>, scrub: &dyn Scrub) -> Body<'a> {
    let from = from(&fields);
    let Some(Event(mut item)) = fields.item.take() else {
        return Body::Unknown("unknown_item:none".to_owned());
    };
    item.started_at_ms = fields.started_at_ms;
    item.completed_at_ms = fields.completed_at_ms;
    match item.kind.as_str() {
        "UserMessage" => Body::Prompt {
            from,
            content: item
                .content
                .map(|raw| item::contents_of(raw, scrub))
                .unwrap_or_default(),
        },
        "AgentMessage" | "Reasoning" => Body::Arrived { from },
        "EnteredReviewMode" => review(&item, from.turn_id, scrub),
        "ContextCompaction" | "ExitedReviewMode" | "HookPrompt" | "Plan" | "TodoList" => {
            Body::Nothing
        }
        "CommandExecution"
        | "FileChange"
        | "McpToolCall"
        | "CollabAgentToolCall"
        | "SubAgentActivity"
        | "WebSearch"
        | "ImageView"
        | "ImageGeneration"
        | "DynamicToolCall" => Body::ToolEnded {
            from,
            id: item.id.owned().unwrap_or_default(),
            end: item,
        },
        kind => Body::Unknown(format!("unknown_item:{kind}")),
    }
}

fn review(fields: &Fields<'_>, turn_id: Option<String>, scrub: &dyn Scrub) -> Body<'static> {
    let instructions = raw_value(fields.target).and_then(|target| {
        let text = target.get("instructions")?.as_str()?;
        Some(text.to_owned())
    });
    Body::ReviewStarted {
        turn_id,
        hint: instructions
            .or_else(|| fields.user_facing_hint.owned())
            .map(|text| scrub.text(Cow::Owned(text))),
    }
}

fn completed(fields: &Fields<'_>, scrub: &dyn Scrub) -> Body<'static> {
    let error = raw_value(fields.error).and_then(|error| {
        let message = match &error {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            error => error
                .get("message")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
        };
        let code = error.get("codex_error_info").cloned().and_then(code);
        Some((scrub.text(Cow::Owned(message)), code))
    });
    Body::TurnCompleted(Box::new(TurnCompleted {
        id: fields.turn_id.owned(),
        has_answer: fields.last_agent_message.is_some(),
        answer: None,
        error,
        tells_errors: fields.started_at.0.is_some(),
        duration_ms: fields.duration_ms.0,
        time_to_first_token_ms: fields
            .time_to_first_token_ms
            .0
            .and_then(|ms| u64::try_from(ms).ok()),
    }))
    .with_answer(fields, scrub)
}

impl Body<'_> {
    /// The answer `task_complete` repeats, read only where it is short: a long one is in the
    /// conversation already.
    fn with_answer(mut self, fields: &Fields<'_>, scrub: &dyn Scrub) -> Self {
        const SHORT: usize = 4096;
        if let Self::TurnCompleted(completed) = &mut self
            && fields
                .last_agent_message
                .is_some_and(|raw| raw.get().len() <= SHORT)
        {
            completed.answer =
                raw_string(fields.last_agent_message).map(|text| scrub.text(Cow::Owned(text)));
        }
        self
    }
}

/// `codex_error_info`: a word, or an object with one key.
fn code(value: Value) -> Option<String> {
    match value {
        Value::String(word) => Some(word),
        Value::Object(map) => map.keys().next().cloned(),
        _ => None,
    }
}

fn user_message(fields: &Fields<'_>, scrub: &dyn Scrub) -> Vec<Content> {
    let mut content = Vec::new();
    for raw in [fields.images, fields.local_images] {
        let Some(Value::Array(images)) = raw_value(raw) else {
            continue;
        };
        content.extend(images.into_iter().filter_map(|image| match image {
            Value::String(url) => Some(Content::Image(scrub.image(Cow::Owned(url)))),
            _ => None,
        }));
    }
    if let Some(text) = raw_string(fields.message) {
        content.push(Content::Text(scrub.text(Cow::Owned(text))));
    }
    content
}
