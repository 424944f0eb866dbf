//! A session's rows as text: one line a span, children below their parent.
//!
//! What differs from run to run is left out: ids, times, what commands print around their output.
//! Of tools that ran at once and of subagents the order differs too; they stand sorted.

use std::fmt::Write as _;

use codex_tracing_tests::{Row, Rows};
use regex::Regex;
use serde_json::Value;

/// Longest text that is shown of an input, output or error.
const SHOWN: usize = 50;

/// Name, type, what went in, what came out, what went wrong, tags:
///
/// ```text
/// turn (task) "Try." -> "Done."
///   gpt-5.5 (llm) -> exec_command
///   exec_command (tool) {"cmd":"exit 3"} ! exit code 3
///   gpt-5.5 (llm) -> "Done."
/// ```
pub(in super::super) fn outline(rows: &Rows) -> String {
    lines(rows, rows.roots()).concat()
}

/// The lines of siblings and of all below them, each sibling a text of its own.
fn lines(rows: &Rows, siblings: Vec<&Row>) -> Vec<String> {
    let mut done = Vec::new();
    // What may have run at the same time: everything between two model calls.
    let mut at_once = Vec::new();
    let mut agents = Vec::new();
    for row in siblings {
        let mut text = line(row) + "\n";
        for child in lines(rows, rows.children(row.span_id())) {
            for line in child.lines() {
                let _ = writeln!(text, "  {line}");
            }
        }
        if row.name().starts_with("subagent: ") {
            agents.push(text);
        } else if row.span_type() == "tool" {
            at_once.push(text);
        } else {
            at_once.sort();
            done.append(&mut at_once);
            done.push(text);
        }
    }
    at_once.sort();
    agents.sort();
    done.extend(at_once.into_iter().chain(agents));
    done
}

fn line(row: &Row) -> String {
    let name = row.name();
    // Turns and subagents are named by an id.
    let name = name.split_once(": 01").map_or(name, |(kind, _)| kind);
    let mut line = format!("{name} ({})", row.span_type());
    let field = |name: &str| row.fields.get(name).unwrap_or(&Value::Null);
    let is_call = row.span_type() == "llm";
    let input = if is_call {
        String::new()
    } else {
        input(field("input"))
    };
    if !input.is_empty() {
        let _ = write!(line, " {input}");
    }
    let output = match row.span_type() {
        "llm" => said(field("output")),
        "tool" => String::new(),
        _ => quoted(field("output")),
    };
    if !output.is_empty() {
        let _ = write!(line, " -> {output}");
    }
    if let Some(error) = row.error() {
        let _ = write!(line, " ! {}", short(error.as_str().unwrap_or("no text")));
    }
    for tag in field("tags").as_array().into_iter().flatten() {
        let _ = write!(line, " #{}", tag.as_str().unwrap_or_default());
    }
    line
}

/// What a user typed or a tool got; a list of parts by their types.
fn input(value: &Value) -> String {
    match value {
        Value::String(text) if text.starts_with('{') => short(text),
        Value::Array(parts) => {
            let part = |part: &Value| part.get("type")?.as_str().map(str::to_owned);
            let parts: Vec<String> = parts.iter().filter_map(part).collect();
            parts.join(" + ")
        }
        value => quoted(value),
    }
}

fn quoted(value: &Value) -> String {
    let text = value.as_str();
    text.map(|text| format!("{:?}", short(text)))
        .unwrap_or_default()
}

/// What a model said: texts, and names of the tools it called.
fn said(output: &Value) -> String {
    let one = std::slice::from_ref(output);
    let messages = output.as_array().map_or(one, Vec::as_slice);
    let mut parts = Vec::new();
    for message in messages {
        if message.get("type") == Some(&Value::from("reasoning")) {
            parts.push("reasoning".to_owned());
        }
        parts.extend(message.get("content").map(quoted));
        // Codex puts a preface of its own before a summary.
        let summary = message.get("summary").and_then(Value::as_str);
        let summary = summary.and_then(|summary| summary.lines().last());
        parts.extend(summary.map(|line| quoted(&Value::from(line))));
        let calls = message.get("tool_calls").and_then(Value::as_array);
        let names = calls.into_iter().flatten();
        let name = |call: &Value| call.pointer("/function/name")?.as_str().map(str::to_owned);
        parts.extend(names.filter_map(name));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

/// The first line of a text, up to a length, ids left out.
fn short(text: &str) -> String {
    let id = Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}").unwrap();
    let line = text.lines().next().unwrap_or_default();
    let line = id.replace_all(line, "ID");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.into_owned(),
    }
}
