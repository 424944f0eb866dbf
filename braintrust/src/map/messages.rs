//! Conversation items as chat messages.

use codex_tracing_transcript::{Arguments, Content, ItemBody, Output, Role};
use serde_json::{Map, Value, json};

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
