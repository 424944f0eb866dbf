//! Content blocks of messages.

use codex_tracing_transcript::{Arguments, Content, ItemBody, Output};
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;

/// One part of a message's content.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text {
        text: Cow<'a, str>,
    },
    ImageUrl {
        image_url: ImageUrl<'a>,
    },
    Reasoning {
        #[serde(skip_serializing_if = "Option::is_none")]
        reasoning: Option<String>,
        extras: ReasoningExtras<'a>,
    },
    ToolCall {
        name: &'a str,
        id: &'a str,
        args: CallArguments<'a>,
    },
    /// A call whose arguments are no JSON, though they should be.
    ToolCallChunk {
        name: &'a str,
        id: &'a str,
        args: &'a str,
    },
    NonStandard {
        value: Cow<'a, Value>,
    },
}

#[derive(Debug, Serialize)]
pub(super) struct ImageUrl<'a> {
    url: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct ReasoningExtras<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    summary: &'a [String],
    /// The model's reasoning was there, but not in clear.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    encrypted: bool,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum CallArguments<'a> {
    Json(&'a Value),
    Text(&'a str),
}

impl<'a> Block<'a> {
    /// A part of a message.
    pub(super) fn of(content: &'a Content) -> Self {
        match content {
            Content::Text(it) => text(it),
            Content::Image(url) => Self::ImageUrl {
                image_url: ImageUrl { url },
            },
            Content::Other { kind, value } => Self::other(kind, value),
        }
    }

    /// An item that is one part of a message.
    pub(super) fn of_item(body: &'a ItemBody) -> Self {
        match body {
            ItemBody::Reasoning {
                summary,
                content,
                encrypted,
            } => {
                let texts = if content.is_empty() { summary } else { content };
                Self::Reasoning {
                    reasoning: (!texts.is_empty()).then(|| texts.join("\n\n")),
                    extras: ReasoningExtras {
                        summary,
                        encrypted: *encrypted,
                    },
                }
            }
            ItemBody::ToolCall {
                call_id,
                name,
                arguments,
                ..
            } => Self::tool_call(call_id, name, arguments),
            ItemBody::Other { kind, value } => Self::other(kind, value),
            // These are messages of their own; see `convert`.
            ItemBody::Message { .. }
            | ItemBody::ToolOutput { .. }
            | ItemBody::AgentMessage { .. } => text(""),
        }
    }

    fn tool_call(id: &'a str, name: &'a str, arguments: &'a Arguments) -> Self {
        let args = match arguments {
            Arguments::Malformed(args) => return Self::ToolCallChunk { name, id, args },
            Arguments::Json(value) => CallArguments::Json(value),
            Arguments::Text(text) => CallArguments::Text(text),
        };
        Self::ToolCall { name, id, args }
    }

    fn other(kind: &str, value: &'a Value) -> Self {
        let value = match value {
            Value::Object(fields) if !fields.contains_key("type") => {
                let mut typed = serde_json::Map::new();
                typed.insert("type".to_owned(), kind.into());
                typed.extend(fields.clone());
                Cow::Owned(Value::Object(typed))
            }
            value => Cow::Borrowed(value),
        };
        Self::NonStandard { value }
    }
}

/// A text block.
pub(super) fn text(text: &str) -> Block<'_> {
    Block::Text { text: text.into() }
}

/// A tool's output as blocks.
pub(super) fn output_blocks(output: &Output) -> Vec<Block<'_>> {
    match output {
        Output::Text(it) => vec![text(it)],
        Output::Parts(parts) => parts.iter().map(Block::of).collect(),
        Output::Json(value) => vec![Block::Text {
            text: value.to_string().into(),
        }],
    }
}
