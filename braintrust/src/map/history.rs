//! What model calls saw, within bounds.
//!
//! The same conversation goes out with each call of a turn, so that without bounds the volume
//! would grow with the square of the turn's length. What is left out here is whole in the span it
//! came from: the prompt in its turn, an answer in its call, a tool's output in its tool.

use codex_tracing_transcript::{ModelInput, Turn};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::messages::message;
use crate::row::raw;

/// Longest `input` of a model call, in bytes.
const MAX_INPUT_BYTES: usize = 512 * 1024;

/// What every call may have.
const MIN_INPUT_BYTES: usize = 64 * 1024;

/// Longest single text; the newest message thus fits into every input, beside its beginning.
const MAX_TEXT_BYTES: usize = 40 * 1024;

/// What the calls of a turn share out.
const TURN_INPUT_BYTES: usize = 4 * 1024 * 1024;

/// How long the input of the call at this position of a turn may be: 512 KiB for the first eight,
/// then less and less, down to 64 KiB. It depends on nothing that is not known when the call is
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
                    .map(|item| {
                        let mut message = message(&item.body)?;
                        shorten(&mut message);
                        raw(&message)
                    })
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

/// Cuts long texts in the middle and takes long data URLs out.
fn shorten(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > MAX_TEXT_BYTES => *text = shortened(text),
        Value::Array(values) => values.iter_mut().for_each(shorten),
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        _ => {}
    }
}

fn shortened(text: &str) -> String {
    let left_out = |bytes: usize| {
        format!("[codex-tracing notice: {bytes} bytes left out here; see the span they came from]")
    };
    if text.starts_with("data:") {
        return left_out(text.len());
    }
    let half = MAX_TEXT_BYTES / 2;
    let head = text.floor_char_boundary(half);
    let tail = text.ceil_char_boundary(text.len().saturating_sub(half));
    let (head, rest) = text.split_at(head);
    let (middle, tail) = rest.split_at(tail.saturating_sub(head.len()));
    format!("{head}{}{tail}", left_out(middle.len()))
}

#[cfg(test)]
mod tests;
