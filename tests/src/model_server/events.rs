//! What an entry's items become on the wire.
//!
//! Items with a `type` are output items: `message` (`text`, `phase`), `reasoning` (`text`),
//! `function_call` (`name`, `args`, `namespace`, `call_id`; a namespace `?NS` is left out if the
//! request offers the tool without one, and `NS*` is spelt as the request spells it), `custom_tool_call` (`name`, `input`), `local_shell_call`
//! (`command`), `web_search_call` (`query`), `image_generation_call` (`result`), `raw` (`item` as it
//! stands). The others steer: `{"sleep": seconds}`, `{"gate": name}` (wait until an answer with
//! `{"open": name}` opens it), `{"drop": true}` (end of stream without `response.completed`), `{"failed": {code, message}}`, `{"usage": {…}}`, and as the first item
//! `{"error": status, "message", "body"}` for an HTTP error instead of a stream.

use std::time::Duration;

use serde_json::{Value, json};

/// A message is streamed in pieces of so many characters, short enough to tear words apart.
const LONGEST_DELTA: usize = 7;
/// A long message comes in larger pieces.
const MOST_DELTAS: usize = 2000;

/// How a request is answered.
#[derive(Debug)]
pub(super) enum Answer {
    /// Status and body.
    Json(u16, Value),
    /// A stream made of these items.
    Stream(Vec<Value>),
}

/// A step of a stream.
#[derive(Debug)]
pub(super) enum Emission {
    /// Wait.
    Pause(Duration),
    /// Wait until the gate of this name is open.
    Gate(String),
    /// Open the gate of this name.
    Open(String),
    /// One server-sent event as text.
    Event(String),
}

/// An HTTP error if the first item says so, else the stream.
pub(super) fn answer(items: Vec<Value>) -> Answer {
    let Some((status, first)) = items
        .first()
        .and_then(|item| Some((item.get("error")?.as_u64()?, item)))
    else {
        return Answer::Stream(items);
    };
    let message = first.get("message").and_then(Value::as_str);
    let made_up = || {
        let message = message.unwrap_or("boom");
        json!({"error": {"message": message, "type": "server_error"}})
    };
    let body = first.get("body").cloned().unwrap_or_else(made_up);
    Answer::Json(u16::try_from(status).unwrap_or(500), body)
}

/// The stream that answers request number `index` with `items`.
pub(super) fn emissions(items: &[Value], index: usize, request: &Value) -> Vec<Emission> {
    let response = format!("resp_{index}");
    let mut out = Vec::new();
    event(
        &mut out,
        &json!({"type": "response.created", "response": {"id": response}}),
    );
    let mut usage = made_up_usage(index);
    let mut position = 0;
    for item in items {
        if let Some(seconds) = item.get("sleep").and_then(Value::as_f64) {
            out.push(Emission::Pause(Duration::from_secs_f64(seconds.max(0.0))));
        } else if let Some(name) = item.get("gate").and_then(Value::as_str) {
            out.push(Emission::Gate(name.to_owned()));
        } else if let Some(name) = item.get("open").and_then(Value::as_str) {
            out.push(Emission::Open(name.to_owned()));
        } else if let Some(given) = item.get("usage") {
            usage = given.clone();
        } else if item.get("drop").and_then(Value::as_bool) == Some(true) {
            return out;
        } else if let Some(error) = item.get("failed") {
            let response = json!({"id": response, "status": "failed", "error": error});
            event(
                &mut out,
                &json!({"type": "response.failed", "response": response}),
            );
            return out;
        } else {
            output_item(&mut out, &built(item, index, position, request), position);
            position += 1;
        }
    }
    let response = json!({"id": response, "usage": usage});
    event(
        &mut out,
        &json!({"type": "response.completed", "response": response}),
    );
    out
}

fn event(out: &mut Vec<Emission>, value: &Value) {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or("error");
    out.push(Emission::Event(format!("event: {kind}\ndata: {value}\n\n")));
}

fn output_item(out: &mut Vec<Emission>, item: &Value, position: usize) {
    let added = |changes: Value| {
        let mut item = item.clone();
        if let (Value::Object(item), Value::Object(changes)) = (&mut item, changes) {
            item.extend(changes);
        }
        json!({"type": "response.output_item.added", "output_index": position, "item": item})
    };
    match item.get("type").and_then(Value::as_str) {
        Some("message") => {
            event(out, &added(json!({"content": [], "status": "in_progress"})));
            let text = item.pointer("/content/0/text").and_then(Value::as_str);
            let text: Vec<char> = text.unwrap_or_default().chars().collect();
            for piece in text.chunks(LONGEST_DELTA.max(text.len().div_ceil(MOST_DELTAS))) {
                event(
                    out,
                    &json!({
                        "type": "response.output_text.delta", "output_index": position,
                        "item_id": item.get("id"), "content_index": 0,
                        "delta": piece.iter().collect::<String>(),
                    }),
                );
            }
        }
        Some("reasoning" | "web_search_call" | "image_generation_call") => {
            event(out, &added(json!({"status": "in_progress"})));
        }
        _ => {}
    }
    event(
        out,
        &json!({"type": "response.output_item.done", "output_index": position, "item": item}),
    );
}

/// The output item as the API would send it.
fn built(item: &Value, index: usize, position: usize, request: &Value) -> Value {
    let field = |name: &str| item.get(name).cloned().unwrap_or(Value::Null);
    let id = |prefix: &str| format!("{prefix}_{index}_{position}");
    let call = item.get("call_id").cloned();
    let call = call.unwrap_or_else(|| id("call").into());
    match item.get("type").and_then(Value::as_str).unwrap_or_default() {
        "message" => {
            let mut message = json!({
                "type": "message", "id": id("msg"), "role": "assistant",
                "content": [{"type": "output_text", "text": field("text")}],
            });
            set(&mut message, "phase", item.get("phase"));
            message
        }
        "reasoning" => json!({
            "type": "reasoning", "id": id("rs"), "encrypted_content": "ENC",
            "summary": [{"type": "summary_text", "text": field("text")}],
        }),
        "function_call" => {
            let arguments = match item.get("args") {
                Some(Value::String(text)) => text.clone(),
                Some(value) => value.to_string(),
                None => "{}".to_owned(),
            };
            let mut built = json!({
                "type": "function_call", "id": id("fc"), "call_id": call,
                "name": field("name"), "arguments": arguments,
            });
            set(&mut built, "namespace", namespace(item, request).as_ref());
            built
        }
        "custom_tool_call" => json!({
            "type": "custom_tool_call", "id": id("ctc"), "call_id": call,
            "name": field("name"), "input": field("input"), "status": "completed",
        }),
        "local_shell_call" => json!({
            "type": "local_shell_call", "id": id("lsc"), "call_id": call, "status": "completed",
            "action": {"type": "exec", "command": field("command"), "timeout_ms": 10_000},
        }),
        "web_search_call" => json!({
            "type": "web_search_call", "id": id("ws"), "status": "completed",
            "action": {"type": "search", "query": field("query"), "queries": [field("query")]},
        }),
        "image_generation_call" => json!({
            "type": "image_generation_call", "id": id("ig"), "status": "completed",
            "revised_prompt": item.get("prompt").cloned().unwrap_or_else(|| "a square".into()),
            "result": field("result"),
        }),
        "raw" => field("item"),
        _ => item.clone(),
    }
}

fn set(object: &mut Value, name: &str, value: Option<&Value>) {
    if let (Value::Object(object), Some(value)) = (object, value) {
        object.insert(name.to_owned(), value.clone());
    }
}

/// The namespace of a function call. `?NS` counts only if the tool is not offered without one; `NS*`
/// is the one offered that differs by underscores at its end at most, as Codex 0.128 adds.
fn namespace(item: &Value, request: &Value) -> Option<Value> {
    let name = item.get("namespace")?.as_str()?;
    let tools = request.get("tools").and_then(Value::as_array);
    let offered = || {
        tools
            .into_iter()
            .flatten()
            .filter_map(|tool| tool.get("name"))
    };
    let optional = name.strip_prefix('?');
    if optional.is_some() && offered().any(|tool| Some(tool) == item.get("name")) {
        return None;
    }
    let name = optional.unwrap_or(name);
    let spelt = name.strip_suffix('*').map(|name| {
        let mut names = offered().filter_map(Value::as_str);
        let same = names.find(|offered| offered.trim_end_matches('_') == name);
        same.unwrap_or(name)
    });
    let name = spelt.unwrap_or(name);
    (!name.is_empty()).then(|| name.into())
}

/// Token counts that differ from request to request.
fn made_up_usage(index: usize) -> Value {
    json!({
        "input_tokens": 1000 + 100 * index,
        "input_tokens_details": {"cached_tokens": 400 + 50 * index},
        "output_tokens": 50 + index,
        "output_tokens_details": {"reasoning_tokens": 10},
        "total_tokens": 1050 + 101 * index,
    })
}
