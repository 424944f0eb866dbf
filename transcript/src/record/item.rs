//! `response_item` payloads: entries of the conversation.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Body, Verdict};
use crate::wire::{self, Flex, ItemWire, Part, raw_value};
use crate::{Arguments, Content, Item, ItemBody, Output, Role, Scrub};

/// The most levels of a structured value: `serde_json`, and perhaps a server, reads 128, and what is sent
/// has its own around this one.
const DEEPEST: usize = 96;

/// One entry of the conversation and what follows from it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) item: Arc<Item>,
    pub(crate) side: Side,
    /// `status` of a hosted call.
    pub(crate) status: Option<String>,
    /// What a tool output says of its execution.
    pub(crate) verdict: Option<Verdict>,
    pub(crate) asked: Asked,
}

/// What a call's arguments refer to, taken from the original: scrubbing must not tear calls apart.
#[derive(Debug, Default, Clone)]
pub(crate) struct Asked {
    /// The process `write_stdin` continues.
    pub(crate) process: Option<String>,
    /// The cell `wait` continues.
    pub(crate) cell: Option<String>,
    /// The role a spawn asks for.
    pub(crate) role: Option<String>,
    /// The thread a message to an agent is for.
    pub(crate) agent: Option<String>,
}

impl Asked {
    fn of(arguments: &Value) -> Self {
        // Some models write ids as numbers.
        let argument = |name| match arguments.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        Self {
            process: argument("session_id"),
            cell: argument("cell_id"),
            role: argument("agent_type").or_else(|| argument("role")),
            agent: argument("target").or_else(|| argument("id")),
        }
    }
}

/// Whose words an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The model's.
    Output,
    /// A tool's answer.
    Answer,
    /// Any other part of the model's input.
    Input,
}

/// Converts an item; those without a type of their own are read again, whole, from `line`.
pub(super) fn entry(
    wire: ItemWire<'_>,
    at: Timestamp,
    line: &str,
    scrub: &dyn Scrub,
) -> Body<'static> {
    let verdict = verdict(&wire);
    let status = wire.status.owned();
    let mut asked = Asked::default();
    let whole = || wire::payload_of(line);
    let item = item(wire, at, scrub, whole, &mut asked);
    let side = side(&item.body);
    Body::Entry(Box::new(Entry {
        item: Arc::new(item),
        side,
        status,
        verdict,
        asked,
    }))
}

/// An item of a replacement history. `None` for what is no item at all.
pub(super) fn replacement(raw: &RawValue, at: Timestamp, scrub: &dyn Scrub) -> Option<Item> {
    let wire: ItemWire<'_> = serde_json::from_str(raw.get()).ok()?;
    let whole = || raw_value(Some(raw));
    Some(item(wire, at, scrub, whole, &mut Asked::default()))
}

fn verdict(wire: &ItemWire<'_>) -> Option<Verdict> {
    if !wire.kind.as_str().ends_with("_output") {
        return None;
    }
    Some(match &wire.output {
        wire::Body::Text(text) => Verdict::of_text(text.as_str()),
        wire::Body::Parts(parts) => {
            let texts = parts
                .iter()
                .filter_map(|part| part.text.as_ref().map(wire_text));
            Verdict::of_parts(texts)
        }
        wire::Body::Json(value) => Verdict::of_json(value),
        wire::Body::Missing => Verdict::default(),
    })
}

fn wire_text<'t>(text: &'t crate::wire::Str<'_>) -> &'t str {
    text.as_str()
}

fn side(body: &ItemBody) -> Side {
    match body {
        ItemBody::Message {
            role: Role::Assistant,
            ..
        }
        | ItemBody::Reasoning { .. }
        | ItemBody::ToolCall { .. } => Side::Output,
        ItemBody::ToolOutput { .. } => Side::Answer,
        ItemBody::Other { kind, .. } if kind.ends_with("_call") => Side::Output,
        _ => Side::Input,
    }
}

fn item(
    wire: ItemWire<'_>,
    at: Timestamp,
    scrub: &dyn Scrub,
    whole: impl FnOnce() -> Option<Value>,
    asked: &mut Asked,
) -> Item {
    let id = wire.id.owned();
    let call = |name: Option<String>, arguments: Arguments, wire: &ItemWire<'_>| {
        let kind = wire.kind.0.as_ref().to_owned();
        ItemBody::ToolCall {
            call_id: wire
                .call_id
                .owned()
                .or_else(|| wire.id.owned())
                .unwrap_or_default(),
            name: name.unwrap_or_else(|| kind.trim_end_matches("_call").to_owned()),
            kind,
            namespace: wire.namespace.owned(),
            arguments,
        }
    };
    let body = match wire.kind.as_str() {
        "message" => ItemBody::Message {
            role: role(wire.role.as_str()),
            phase: wire.phase.owned(),
            content: contents(wire.content, scrub),
        },
        "reasoning" => ItemBody::Reasoning {
            summary: texts(wire.summary, scrub),
            content: texts(wire.content, scrub),
            encrypted: wire.encrypted_content.0,
        },
        "function_call" | "tool_search_call" => {
            let mut wire = wire;
            let arguments = arguments(std::mem::take(&mut wire.arguments), scrub, asked);
            call(wire.name.owned(), arguments, &wire)
        }
        "custom_tool_call" => {
            let mut wire = wire;
            let arguments = match std::mem::take(&mut wire.input) {
                Flex::Text(text) => Arguments::Text(scrub.text(text.0)),
                other => arguments(other, scrub, asked),
            };
            call(wire.name.owned(), arguments, &wire)
        }
        "local_shell_call" | "computer_call" => {
            let action = structured(raw_value(wire.action).unwrap_or_default(), scrub);
            call(wire.name.owned(), Arguments::Json(action), &wire)
        }
        "function_call_output"
        | "custom_tool_call_output"
        | "local_shell_call_output"
        | "computer_call_output"
        | "mcp_tool_call_output"
        | "tool_search_output" => ItemBody::ToolOutput {
            call_id: wire.call_id.0.into_owned(),
            output: output(wire.output, wire.tools, scrub),
        },
        "agent_message" => ItemBody::AgentMessage {
            author: wire.author.owned(),
            recipient: wire.recipient.owned(),
            content: contents(wire.content, scrub),
        },
        kind => ItemBody::Other {
            kind: kind.to_owned(),
            value: of_kind(whole().unwrap_or_default(), scrub),
        },
    };
    Item { at, id, body }
}

fn role(name: &str) -> Role {
    match name {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "developer" => Role::Developer,
        "system" => Role::System,
        other => Role::Other(other.to_owned()),
    }
}

/// Arguments as Codex passes them: JSON in a string.
fn arguments(wire: Flex<'_>, scrub: &dyn Scrub, asked: &mut Asked) -> Arguments {
    let mut json = |value: Value| {
        *asked = Asked::of(&value);
        Arguments::Json(structured(value, scrub))
    };
    match wire {
        Flex::Text(text) => match serde_json::from_str(text.as_str()) {
            Ok(value) => json(value),
            Err(_) if text.as_str().trim().is_empty() => Arguments::Json(Value::Null),
            Err(_) => Arguments::Malformed(scrub.text(text.0)),
        },
        Flex::Json(value) => json(value),
        Flex::Missing => Arguments::Json(Value::Null),
    }
}

fn output(wire: wire::Body<'_>, tools: Option<&RawValue>, scrub: &dyn Scrub) -> Output {
    match wire {
        wire::Body::Text(text) => Output::Text(scrub.text(text.0)),
        wire::Body::Parts(parts) => Output::Parts(parts_of(parts, scrub)),
        wire::Body::Json(value) => Output::Json(structured(value, scrub)),
        wire::Body::Missing => match raw_value(tools) {
            Some(tools) => Output::Json(structured(tools, scrub)),
            None => Output::Text(String::new()),
        },
    }
}

/// A structured value, through the gate. Codex takes any; readers of what it becomes a part of do not.
pub(crate) fn structured(mut value: Value, scrub: &dyn Scrub) -> Value {
    scrub.json(&mut value);
    flatten(&mut value, DEEPEST, scrub);
    value
}

/// Below so many levels lists and objects become their JSON text.
fn flatten(value: &mut Value, levels: usize, scrub: &dyn Scrub) {
    match value {
        Value::Array(_) | Value::Object(_) if levels == 0 => {
            *value = Value::String(scrub.text(value.to_string().into()));
        }
        Value::Array(list) => {
            for value in list {
                flatten(value, levels - 1, scrub);
            }
        }
        Value::Object(fields) => {
            for value in fields.values_mut() {
                flatten(value, levels - 1, scrub);
            }
        }
        _ => {}
    }
}

/// An item without a type of its own, scrubbed, and without what the model must not keep: encrypted
/// content and Codex's own bookkeeping. Its kind is kept beside it, but goes last: it tells the gate
/// what is binary.
fn of_kind(value: Value, scrub: &dyn Scrub) -> Value {
    let Value::Object(mut map) = value else {
        return Value::Null;
    };
    map.retain(|key, _| key != "encrypted_content" && !key.starts_with("internal_"));
    let mut value = structured(Value::Object(map), scrub);
    if let Value::Object(map) = &mut value {
        map.shift_remove("type");
    }
    value
}

/// Content parts that were left unread.
pub(super) fn contents_of(raw: &RawValue, scrub: &dyn Scrub) -> Vec<Content> {
    serde_json::from_str(raw.get())
        .map(|body| contents(body, scrub))
        .unwrap_or_default()
}

fn contents(body: wire::Body<'_>, scrub: &dyn Scrub) -> Vec<Content> {
    match body {
        wire::Body::Text(text) => vec![Content::Text(scrub.text(text.0))],
        wire::Body::Parts(parts) => parts_of(parts, scrub),
        wire::Body::Json(value) => vec![Content::Other {
            kind: "value".to_owned(),
            value: structured(value, scrub),
        }],
        wire::Body::Missing => Vec::new(),
    }
}

fn parts_of(parts: Vec<Part<'_>>, scrub: &dyn Scrub) -> Vec<Content> {
    parts.into_iter().map(|part| content(part, scrub)).collect()
}

fn content(part: Part<'_>, scrub: &dyn Scrub) -> Content {
    match (part.kind.as_str(), part.text, part.image) {
        (
            "input_text" | "output_text" | "text" | "summary_text" | "reasoning_text" | "Text",
            Some(text),
            _,
        ) => Content::Text(scrub.text(text.0)),
        ("input_image" | "local_image" | "image", _, Some(image)) => {
            Content::Image(scrub.image(image.0))
        }
        (kind, text, image) => {
            let mut rest = part.rest;
            let texts = [("text", text), ("url", image)];
            rest.extend(
                texts
                    .into_iter()
                    .filter_map(|(key, text)| Some((key.into(), text?.0.into_owned().into()))),
            );
            Content::Other {
                kind: kind.to_owned(),
                value: structured(Value::Object(rest), scrub),
            }
        }
    }
}

fn texts(body: wire::Body<'_>, scrub: &dyn Scrub) -> Vec<String> {
    match body {
        wire::Body::Text(text) => vec![scrub.text(text.0)],
        wire::Body::Parts(parts) => parts
            .into_iter()
            .filter_map(|part| part.text)
            .map(|text| scrub.text(text.0))
            .collect(),
        wire::Body::Json(_) | wire::Body::Missing => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::Verbatim;

    #[test]
    fn encrypted_content_is_noted_and_never_kept() {
        let line = r#"{"timestamp":"2026-01-01T00:00:00Z","type":"response_item","payload":{"type":"compaction","encrypted_content":"gAAA","internal_x":1,"id":"c"}}"#;
        let record = super::super::read(line, &Verbatim).unwrap();
        let Body::Entry(entry) = record.body else {
            panic!("a response item is an entry");
        };
        let ItemBody::Other { value, .. } = &entry.item.body else {
            panic!("a compaction item has no type of its own");
        };
        assert_eq!(*value, serde_json::json!({"id": "c"}));
    }

    #[test]
    fn broken_arguments_stay_visible() {
        let text = Flex::Text(crate::wire::Str(Cow::Borrowed("{not json")));
        assert_eq!(
            arguments(text, &Verbatim, &mut Asked::default()),
            Arguments::Malformed("{not json".to_owned())
        );
    }
}
