//! The server's words, fit to be kept: they go to the cursor, the log and `status`.
//!
//! Servers quote what they refuse (the `input` of a validation error is the conversation), and no
//! conversation is ever kept on disk by us. So of JSON only the members that hold messages are
//! told, and of those, as of plain text, nothing that was in what we sent.

use std::ops::Range;

use aho_corasick::AhoCorasick;
use serde_json::Value;

use crate::{Item, Response};

/// Characters told at most.
const LONGEST: usize = 300;
/// Levels of JSON in which messages are looked for.
const DEPTH: usize = 4;
/// This many characters in a row that were in a request are a quotation.
const QUOTATION: usize = 24;
/// What stands for one.
const LEFT_OUT: &str = "[…]";

/// Status and words of a response, short enough for a status line.
pub(crate) fn excerpt(response: &Response) -> String {
    let status = response.status;
    let words: String = plain(&words(response)).take(LONGEST).collect();
    match words.trim() {
        "" => format!("HTTP {status}"),
        words => format!("HTTP {status}: {words}"),
    }
}

fn words(response: &Response) -> String {
    if response.is_page() {
        return "a web page".to_owned();
    }
    match serde_json::from_slice(&response.body) {
        Ok(value) => {
            let mut told = Vec::new();
            gather(&value, DEPTH, &mut told);
            told.join("; ")
        }
        // JSON that was cut may hold anything.
        Err(_) if response.body.trim_ascii().starts_with(b"{") => String::new(),
        Err(_) if response.body.trim_ascii().starts_with(b"[") => String::new(),
        Err(_) => String::from_utf8_lossy(&response.body).trim().to_owned(),
    }
}

/// The messages in what a server said, each once.
fn gather(value: &Value, depth: usize, told: &mut Vec<String>) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    match value {
        Value::String(text) if !told.contains(text) => told.push(text.clone()),
        Value::Array(entries) => entries
            .iter()
            .filter(|entry| entry.is_object())
            .for_each(|entry| gather(entry, depth, told)),
        Value::Object(members) => {
            for (name, member) in members {
                match name.to_ascii_lowercase().as_str() {
                    "error" | "message" | "detail" => gather(member, depth, told),
                    "msg" => gather(&located(member, members), depth, told),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// A validation error's message with the place it is about and its kind:
/// `Field required (body.post.0.id, missing)`.
fn located(message: &Value, entry: &serde_json::Map<String, Value>) -> Value {
    let Some(message) = message.as_str() else {
        return Value::Null;
    };
    let step = |step: &Value| match step {
        Value::String(name) => Some(name.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let place = entry.get("loc").and_then(Value::as_array).map(|steps| {
        let steps: Vec<String> = steps.iter().filter_map(step).collect();
        steps.join(".")
    });
    let kind = entry.get("type").and_then(Value::as_str).map(str::to_owned);
    let more: Vec<String> = place.into_iter().chain(kind).collect();
    if more.is_empty() {
        return message.into();
    }
    format!("{message} ({})", more.join(", ")).into()
}

/// On one line, and fit for a terminal.
fn plain(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_control())
}

/// `words` without what they quote of `items`, as it was sent or as it was meant.
pub(crate) fn without_echoes(words: &str, items: &[&Item]) -> String {
    let starts: Vec<usize> = words.char_indices().map(|(at, _)| at).collect();
    let end = |first: usize| {
        starts
            .get(first + QUOTATION)
            .copied()
            .unwrap_or(words.len())
    };
    let windows: Vec<Range<usize>> = (0..(starts.len() + 1).saturating_sub(QUOTATION))
        .filter_map(|first| Some(*starts.get(first)?..end(first)))
        .collect();
    let patterns = windows
        .iter()
        .filter_map(|window| words.get(window.clone()));
    // Fails for more patterns than a line of words has by far; then nothing is told.
    let Ok(search) = AhoCorasick::new(patterns) else {
        return LEFT_OUT.to_owned();
    };
    let mut quoted = vec![false; windows.len()];
    if !windows.is_empty() {
        for item in items {
            mark(&search, &item.body, &mut quoted);
            if let Ok(value) = serde_json::from_slice(&item.body) {
                mark_strings(&search, &value, &mut quoted);
            }
        }
    }
    let quotations = windows
        .into_iter()
        .zip(quoted)
        .filter_map(|(window, quoted)| quoted.then_some(window));
    leave_out(words, quotations)
}

fn mark(search: &AhoCorasick, text: &[u8], quoted: &mut [bool]) {
    for found in search.find_overlapping_iter(text) {
        if let Some(window) = quoted.get_mut(found.pattern().as_usize()) {
            *window = true;
        }
    }
}

fn mark_strings(search: &AhoCorasick, value: &Value, quoted: &mut [bool]) {
    match value {
        Value::String(text) => {
            let text: String = plain(text).collect();
            mark(search, text.as_bytes(), quoted);
        }
        Value::Array(entries) => entries
            .iter()
            .for_each(|entry| mark_strings(search, entry, quoted)),
        Value::Object(members) => members
            .values()
            .for_each(|member| mark_strings(search, member, quoted)),
        _ => {}
    }
}

/// `words` without `ranges`, which ascend and may overlap.
fn leave_out(words: &str, ranges: impl Iterator<Item = Range<usize>>) -> String {
    let mut kept = String::with_capacity(words.len());
    let mut told_to = 0;
    let mut is_first = true;
    for range in ranges {
        if is_first || range.start > told_to {
            kept += words.get(told_to..range.start).unwrap_or_default();
            kept += LEFT_OUT;
        }
        is_first = false;
        told_to = range.end;
    }
    kept + words.get(told_to..).unwrap_or_default()
}

#[cfg(test)]
mod tests;
