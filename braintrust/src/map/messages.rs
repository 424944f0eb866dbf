//! Conversation items as chat messages.

use codex_tracing_transcript::{Arguments, Content, ItemBody, ModelInput, Output, Role, Turn};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::row::raw;

/// Longest `input` of a model call, in bytes.
const MAX_INPUT_BYTES: usize = 512 * 1024;

/// What every call may have.
const MIN_INPUT_BYTES: usize = 32 * 1024;

/// What the calls of a turn share out. The same conversation goes out with each of them, so that
/// without a bound the volume would grow with the square of the turn's length.
const TURN_INPUT_BYTES: usize = 4 * 1024 * 1024;

/// How long the input of the call at this position of a turn may be: 512 KiB for the first eight,
/// then less and less, down to 32 KiB. It depends on nothing that is not known when the call is
/// made, so that the same call always gets the same input.
pub(super) fn input_limit(position: usize) -> usize {
    (TURN_INPUT_BYTES / (position + 1)).clamp(MIN_INPUT_BYTES, MAX_INPUT_BYTES)
}

/// The conversations of a turn, each message serialised once for all calls that saw it.
pub(super) struct Conversations {
    /// Aligned with the items; `None` for items without a message.
    messages: Vec<Vec<Option<Box<RawValue>>>>,
}

impl Conversations {
    pub(super) fn new(turn: &Turn) -> Self {
        let messages = turn
            .conversations
            .iter()
            .map(|items| {
                items
                    .iter()
                    .map(|item| message(&item.body).as_ref().and_then(raw))
                    .collect()
            })
            .collect();
        Self { messages }
    }

    /// What a call saw, as an array of messages of at most about `limit` bytes; the middle gives
    /// way to a message that says so.
    pub(super) fn input(&self, input: ModelInput, limit: usize) -> Option<Box<RawValue>> {
        let items = self.messages.get(input.conversation)?.get(..input.len)?;
        let seen: Vec<&RawValue> = items.iter().flatten().map(AsRef::as_ref).collect();
        if seen.is_empty() {
            return None;
        }
        // A quarter is for the beginning: instructions and the first prompt.
        match cut(&seen, limit / 4, limit) {
            None => raw(&seen),
            Some(cut) => {
                let marker = raw(&cut.marker(limit))?;
                let head = seen.get(..cut.head).unwrap_or_default();
                let tail = seen.get(cut.tail..).unwrap_or_default();
                raw(&[head, &[&*marker], tail].concat())
            }
        }
    }
}

/// Where a conversation is cut: messages `head..tail` give way.
#[derive(Debug, PartialEq, Eq)]
struct Cut {
    head: usize,
    tail: usize,
    bytes: usize,
}

impl Cut {
    fn marker(&self, limit: usize) -> Value {
        let count = self.tail - self.head;
        let text = format!(
            "[codex-tracing notice: {count} messages ({} bytes) left out here to keep the input \
             within {limit} bytes]",
            self.bytes
        );
        json!({ "role": "system", "content": text })
    }
}

/// Keeps messages from the beginning up to `head_limit` bytes and from the end while both fit into
/// `limit`; `None` if all do.
fn cut(messages: &[&RawValue], head_limit: usize, limit: usize) -> Option<Cut> {
    let sizes: Vec<usize> = messages.iter().map(|m| m.get().len() + 1).collect();
    let total: usize = sizes.iter().sum();
    if total <= limit {
        return None;
    }
    let head = fitting(sizes.iter(), head_limit);
    let (before, rest) = sizes.split_at_checked(head)?;
    let head_bytes: usize = before.iter().sum();
    let kept = fitting(rest.iter().rev(), limit.saturating_sub(head_bytes));
    let tail = sizes.len() - kept;
    let bytes = sizes.get(head..tail).unwrap_or_default().iter().sum();
    Some(Cut { head, tail, bytes })
}

/// How many of `sizes` fit into `limit` together.
fn fitting<'a>(sizes: impl Iterator<Item = &'a usize>, limit: usize) -> usize {
    let mut bytes = 0;
    sizes
        .take_while(|size| {
            bytes += **size;
            bytes <= limit
        })
        .count()
}

/// One item as a message; `None` if nothing of it can be shown (encrypted reasoning).
pub(super) fn message(body: &ItemBody) -> Option<Value> {
    match body {
        ItemBody::Message { role, content, .. } => {
            Some(json!({ "role": role_name(role), "content": self::content(content) }))
        }
        ItemBody::Reasoning {
            summary, content, ..
        } => reasoning(summary, content),
        ItemBody::ToolCall {
            call_id,
            name,
            namespace,
            arguments,
            ..
        } => Some(tool_call(call_id, name, namespace.as_deref(), arguments)),
        ItemBody::ToolOutput { call_id, output } => Some(json!({
            "role": "tool",
            "tool_call_id": call_id,
            "content": answer(output),
        })),
        ItemBody::AgentMessage {
            author, content, ..
        } => {
            let mut message = json!({ "role": "user", "content": self::content(content) });
            if let (Some(author), Some(map)) = (author, message.as_object_mut()) {
                map.insert("name".to_owned(), Value::from(author.as_str()));
            }
            Some(message)
        }
        ItemBody::Other { kind, value } => Some(other(kind, value)),
    }
}

/// Parts as one text, or as parts as soon as one is no text.
pub(super) fn content(parts: &[Content]) -> Value {
    let texts: Option<Vec<&str>> = parts
        .iter()
        .map(|part| match part {
            Content::Text(text) => Some(text.as_str()),
            Content::Image(_) | Content::Other { .. } => None,
        })
        .collect();
    match texts {
        Some(texts) => Value::from(texts.join("\n")),
        None => Value::Array(parts.iter().map(part).collect()),
    }
}

/// What a tool answered, as it stands in a row's `output`.
pub(super) fn output(output: &Output) -> Value {
    match output {
        Output::Text(text) => Value::from(text.as_str()),
        Output::Parts(parts) => content(parts),
        Output::Json(value) => value.clone(),
    }
}

/// What the model passed, as one text: JSON where it was JSON.
pub(super) fn arguments(arguments: &Arguments) -> String {
    match arguments {
        Arguments::Json(value) => value.to_string(),
        Arguments::Text(text) | Arguments::Malformed(text) => text.clone(),
    }
}

fn part(part: &Content) -> Value {
    match part {
        Content::Text(text) => json!({ "type": "text", "text": text }),
        Content::Image(url) => json!({ "type": "image_url", "image_url": { "url": url } }),
        Content::Other { kind, value } => other(kind, value),
    }
}

fn role_name(role: &Role) -> &str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Developer => "developer",
        Role::System => "system",
        Role::Other(name) => name,
    }
}

fn reasoning(summary: &[String], content: &[String]) -> Option<Value> {
    let texts = |kind: &str, texts: &[String]| -> Vec<Value> {
        texts
            .iter()
            .filter(|text| !text.is_empty())
            .map(|text| json!({ "type": kind, "text": text }))
            .collect()
    };
    let summary = texts("summary_text", summary);
    let content = texts("reasoning_text", content);
    match (summary.is_empty(), content.is_empty()) {
        (true, true) => None,
        (_, true) => Some(json!({ "type": "reasoning", "summary": summary })),
        (_, false) => Some(json!({ "type": "reasoning", "summary": summary, "content": content })),
    }
}

fn tool_call(call_id: &str, name: &str, namespace: Option<&str>, arguments: &Arguments) -> Value {
    let mut function = Map::new();
    function.insert("name".to_owned(), Value::from(name));
    if let Some(namespace) = namespace {
        function.insert("namespace".to_owned(), Value::from(namespace));
    }
    let arguments = self::arguments(arguments);
    function.insert("arguments".to_owned(), Value::from(arguments));
    json!({
        "role": "assistant",
        "content": null,
        "tool_calls": [{ "id": call_id, "type": "function", "function": function }],
    })
}

/// The content of a tool message: text or parts.
fn answer(output: &Output) -> Value {
    match output {
        Output::Text(text) => Value::from(text.as_str()),
        Output::Parts(parts) => content(parts),
        Output::Json(value) => Value::from(value.to_string()),
    }
}

fn other(kind: &str, value: &Value) -> Value {
    let mut map = Map::new();
    map.insert("type".to_owned(), Value::from(kind));
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                map.entry(key.as_str()).or_insert_with(|| value.clone());
            }
        }
        Value::Null => {}
        value => {
            map.insert("value".to_owned(), value.clone());
        }
    }
    Value::Object(map)
}

#[cfg(test)]
mod tests;
