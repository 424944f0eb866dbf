//! A running turn whose `Stop` hook has come, as the finished turn it is. Pure.
//!
//! Codex writes a turn's end record only after its `Stop` hook has returned. Whoever must deliver
//! before that takes the hook's word: the turn is over, it ended with its last record, and the
//! model's last message is its answer.

use codex_tracing_transcript::{Answer, Content, Item, ItemBody, Role, Turn, TurnStatus};
use jiff::Timestamp;

/// `turn` as completed; one that is not running is returned as it is.
pub(crate) fn close(mut turn: Turn) -> Turn {
    if !turn.is_running() {
        return turn;
    }
    turn.status = TurnStatus::Completed;
    turn.window.ended_at = Some(last_record_at(&turn));
    if turn.answer.is_none() {
        turn.answer = last_message(&turn).map(|text| Answer { text });
    }
    turn
}

/// The latest time anything of the turn is known to have happened.
pub(crate) fn last_record_at(turn: &Turn) -> Timestamp {
    let calls = turn.calls.iter().flat_map(|call| {
        let outputs = call.output.iter().map(|item| item.at);
        outputs
            .chain(call.window.ended_at)
            .chain([call.window.started_at])
    });
    let tools = turn
        .tools
        .iter()
        .map(|tool| tool.window.ended_at.unwrap_or(tool.window.started_at));
    let compactions = turn
        .compactions
        .iter()
        .filter_map(|compaction| compaction.window.ended_at);
    calls
        .chain(tools)
        .chain(compactions)
        .chain(turn.window.ended_at)
        .fold(turn.window.started_at, Timestamp::max)
}

fn last_message(turn: &Turn) -> Option<String> {
    turn.calls
        .iter()
        .rev()
        .flat_map(|call| call.output.iter().rev())
        .find_map(|item| assistant_text(item))
}

fn assistant_text(item: &Item) -> Option<String> {
    let ItemBody::Message {
        role: Role::Assistant,
        content,
        ..
    } = &item.body
    else {
        return None;
    };
    let texts: Vec<&str> = content
        .iter()
        .filter_map(|part| match part {
            Content::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}
