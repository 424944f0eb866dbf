//! Whole traces as text, one run a line, so that a test can hold the trace it expects:
//!
//! ```text
//! openai.codex chain · user "List the files." → "There is one."
//!   openai.codex.turn llm 1000+50 stop=tool_calls · user "List the files." → exec_command(call)
//!   exec_command tool · {"cmd":"ls"} → "README.md"
//!   openai.codex.turn llm 1100+51 stop=stop · tool "README.md" → "There is one."
//! ```
//!
//! Name, type, token usage, stop reason, the last message that went in, what came out, and after
//! `✗` the error; children below their parents in LangSmith's order. What differs from run to run
//! (ids, folders, durations) is left out or replaced.

use std::fmt::Write as _;
use std::sync::LazyLock;

use codex_tracing_tests::{Run, Runs};
use regex::Regex;
use serde_json::Value;

/// Longest text shown of one thing.
const LONGEST: usize = 100;

/// The traces as text.
pub(super) fn told(runs: &Runs) -> String {
    let mut out = String::new();
    for root in runs.roots() {
        below(runs, root, 0, &mut out);
    }
    out
}

/// The trace below `run`, itself included, as text.
pub(super) fn told_below(runs: &Runs, run: &Run) -> String {
    let mut out = String::new();
    below(runs, run, 0, &mut out);
    out
}

/// Asserts that the traces are these; `expected` may be indented as a whole.
#[track_caller]
pub(super) fn assert_told(runs: &Runs, expected: &str) {
    assert_same(&told(runs), expected);
}

/// Asserts that `found` is `expected`, which may be indented as a whole.
#[track_caller]
pub(super) fn assert_same(found: &str, expected: &str) {
    let lines = || expected.lines().filter(|line| !line.trim().is_empty());
    let indent = lines().map(|line| line.len() - line.trim_start().len());
    let indent = indent.min().unwrap_or_default();
    let expected = lines().fold(String::new(), |text, line| {
        text + line.get(indent..).unwrap_or_default() + "\n"
    });
    assert!(found == expected, "found:\n{found}expected:\n{expected}");
}

fn below(runs: &Runs, run: &Run, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    writeln!(out, "{indent}{}", line(run)).unwrap();
    for child in runs.children(run.id()) {
        below(runs, child, depth + 1, out);
    }
}

fn line(run: &Run) -> String {
    let mut line = format!("{} {}", run.name(), run.run_type());
    if let Some(usage) = run.usage() {
        line += &tokens(usage);
    }
    for (name, key) in [
        ("stop", "stop_reason"),
        ("retries", "retries"),
        ("compaction", "compaction_trigger"),
    ] {
        if let Some(value) = run.metadata(key) {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            write!(line, " {name}={value}").unwrap();
        }
    }
    write!(line, " · {} → {}", given(run), came(run)).unwrap();
    if let Some(error) = run.error() {
        write!(line, " ✗ {}", quoted(error)).unwrap();
    }
    line
}

/// Input and output, and in brackets what of them was cached or reasoning.
fn tokens(usage: &Value) -> String {
    let count = |path: &str| {
        usage
            .pointer(path)
            .and_then(Value::as_u64)
            .unwrap_or_default()
    };
    let part = |path: &str| match count(path) {
        0 => String::new(),
        count => format!("({count})"),
    };
    let sum = count("/input_tokens") + count("/output_tokens");
    assert_eq!(count("/total_tokens"), sum, "{usage}");
    format!(
        " {}{}+{}{}",
        count("/input_tokens"),
        part("/input_token_details/cache_read"),
        count("/output_tokens"),
        part("/output_token_details/reasoning"),
    )
}

fn given(run: &Run) -> String {
    if let Some(input) = run.pointer("/inputs/input") {
        return match input {
            Value::String(text) => quoted(text),
            input => cut(&steady(&input.to_string())),
        };
    }
    let messages = run.pointer("/inputs/messages").and_then(Value::as_array);
    // An agent's end is told to its parent whenever it comes.
    let is_told = |message: &&Value| !blocks(message, 1).contains("<subagent_notification>");
    let last = messages.and_then(|messages| messages.iter().rfind(is_told));
    // Before the prompt a user's message to the model may have words of Codex.
    let most = if run.run_type() == "chain" {
        usize::MAX
    } else {
        1
    };
    last.map_or_else(
        || "nothing".to_owned(),
        |message| {
            format!(
                "{} {}",
                message["role"].as_str().unwrap_or("?"),
                blocks(message, most)
            )
        },
    )
}

fn came(run: &Run) -> String {
    let messages = run.pointer("/outputs/messages").and_then(Value::as_array);
    let last = messages.and_then(|messages| messages.last());
    last.map_or_else(
        || "nothing".to_owned(),
        |message| blocks(message, usize::MAX),
    )
}

/// The last blocks of a message, `most` at most.
fn blocks(message: &Value, most: usize) -> String {
    let all = message["content"].as_array().map_or(&[][..], Vec::as_slice);
    let all = all
        .get(all.len().saturating_sub(most)..)
        .unwrap_or_default();
    let said: Vec<_> = all
        .iter()
        .map(block)
        .filter(|said| !said.is_empty())
        .collect();
    match (said.is_empty(), all.is_empty()) {
        (false, _) => said.join(" "),
        (true, false) => quoted(""),
        (true, true) => "nothing".to_owned(),
    }
}

/// A block of content; nothing of those that Codex adds for the model.
fn block(block: &Value) -> String {
    let text = |path: &str| {
        block
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    match text("/type") {
        "text" => match quoted(text("/text")) {
            empty if empty == quoted("") => String::new(),
            codex if codex.starts_with("\"<environment_context>") => String::new(),
            said => said,
        },
        "tool_call" | "tool_call_chunk" => format!("{}(call)", text("/name")),
        "image_url" => {
            let url = text("/image_url/url");
            format!(
                "image({})",
                url.split_once(',').map_or(url, |(head, _)| head)
            )
        }
        "non_standard" => text("/value/type").to_owned(),
        other => other.to_owned(),
    }
}

/// In quotes, on one line.
fn quoted(text: &str) -> String {
    // Codex 0.128 wraps what a patch says.
    let wrapped: Option<Value> = serde_json::from_str(text).ok();
    let wrapped = wrapped.filter(|value| value.get("metadata").is_some());
    let text = wrapped
        .as_ref()
        .and_then(|it| it["output"].as_str())
        .unwrap_or(text);
    format!("{:?}", cut(steady(text).trim()))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Without what differs from run to run or from version to version.
fn steady(text: &str) -> String {
    static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let folder = regex::escape(&std::env::temp_dir().display().to_string());
        [
            // What Codex puts before the output of a command for the model.
            (
                r"(?s)\A(Chunk ID|Exit code|Wall time|Script \w+)\b.*?\nOutput:(\n|\z)".to_owned(),
                "",
            ),
            (r"\AWall time: [0-9.]+ seconds\n".to_owned(), ""),
            (r" after [0-9.]+s\z".to_owned(), ""),
            (
                r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b".to_owned(),
                "<id>",
            ),
            (format!("{folder}/[^/\"\\s]+"), "<tmp>"),
            (r#"("session_id":)[0-9]+"#.to_owned(), "$1<n>"),
            (r#"("nickname":")[^"]+"#.to_owned(), "$1<name>"),
            ("’".to_owned(), "'"),
        ]
        .map(|(pattern, by)| (Regex::new(&pattern).unwrap(), by))
        .into()
    });
    RULES.iter().fold(text.to_owned(), |text, (rule, by)| {
        rule.replace_all(&text, *by).into_owned()
    })
}
