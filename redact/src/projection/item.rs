//! Items of the conversation.

use codex_tracing_transcript::{Arguments, Item, ItemBody, Output, Role};
use serde_json::json;

use super::{NOTICE, is_word, notices, project_parts, word};

/// The item with its kind, role, name of a tool and ids, and nothing of what it says.
pub(super) fn project(item: &Item) -> Item {
    let Item { at, id, body } = item;
    Item {
        at: *at,
        id: id.clone(),
        body: project_body(body),
    }
}

fn project_body(body: &ItemBody) -> ItemBody {
    match body {
        ItemBody::Message {
            role,
            content,
            phase,
        } => ItemBody::Message {
            role: project_role(role),
            content: project_parts(content),
            phase: word(phase.as_ref()),
        },
        ItemBody::Reasoning {
            summary,
            content,
            encrypted,
        } => ItemBody::Reasoning {
            summary: notices(summary.is_empty()),
            content: notices(content.is_empty()),
            encrypted: *encrypted,
        },
        ItemBody::ToolCall {
            call_id,
            kind,
            name,
            namespace,
            arguments: _,
        } => ItemBody::ToolCall {
            call_id: call_id.clone(),
            kind: kind.clone(),
            name: name.clone(),
            namespace: namespace.clone(),
            arguments: Arguments::Text(NOTICE.into()),
        },
        ItemBody::ToolOutput { call_id, output: _ } => ItemBody::ToolOutput {
            call_id: call_id.clone(),
            output: Output::Text(NOTICE.into()),
        },
        ItemBody::AgentMessage {
            author: _,
            recipient: _,
            content,
        } => ItemBody::AgentMessage {
            // Paths of agents, which are the model's names for their tasks.
            author: None,
            recipient: None,
            content: project_parts(content),
        },
        ItemBody::Other { kind, value: _ } => ItemBody::Other {
            kind: if is_word(kind) {
                kind.clone()
            } else {
                "other".into()
            },
            value: json!({ "notice": NOTICE }),
        },
    }
}

fn project_role(role: &Role) -> Role {
    match role {
        Role::Other(name) if !is_word(name) => Role::Other("other".into()),
        role => role.clone(),
    }
}
