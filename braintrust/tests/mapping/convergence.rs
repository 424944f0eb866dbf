//! Any order and repetition of the writes of a growing turn folds to the same trace.

use codex_tracing_delivery::Item as Row;
use codex_tracing_transcript::{ToolKind, ToolStatus, Turn, TurnStatus};
use proptest::prelude::*;
use serde_json::Map;

use crate::fold::{Trace, assert_sound, fold, latest, span};
use crate::support::{Scene, at, call, tool, tool_turn, usage};

/// The turn as it stood at `seconds`: what had not happened is not there.
fn as_of(whole: &Turn, seconds: f64) -> Turn {
    let now = at(seconds);
    let mut turn = whole.clone();
    if turn.window.ended_at.is_some_and(|end| end <= now) {
        return turn;
    }
    turn.window.ended_at = None;
    turn.status = TurnStatus::Running;
    turn.answer = None;
    turn.time_to_first_token_ms = None;
    turn.context.effort = None;
    turn.calls.retain(|call| call.window.started_at <= now);
    for call in &mut turn.calls {
        if call.window.ended_at.is_none_or(|end| end > now) {
            call.window.ended_at = None;
            call.usage = None;
            call.output.retain(|item| item.at <= now);
            call.completed = false;
        }
    }
    for tool in &mut turn.tools {
        // Until its end tells better, a call of an MCP server began when it was asked for.
        if tool.kind == ToolKind::Mcp && tool.window.ended_at.is_none_or(|end| end > now) {
            tool.window.started_at = at(2.0);
        }
    }
    turn.tools.retain(|tool| tool.window.started_at <= now);
    for tool in &mut turn.tools {
        if tool.window.ended_at.is_none_or(|end| end > now) {
            tool.window.ended_at = None;
            tool.outcome.status = ToolStatus::Running;
            tool.outcome.output = None;
            tool.outcome.exit_code = None;
        }
    }
    turn
}

/// A turn with calls, a command, a code-mode cell and a command in it.
fn busy_turn() -> Turn {
    let mut turn = tool_turn("t1");
    let mut cell = tool("cell", "exec", (4.0, 7.0));
    cell.kind = ToolKind::Cell;
    let mut nested = tool("exec-1", "read_file", (5.0, 6.0));
    nested.parent = Some("cell".to_owned());
    let mut note = tool("c2", "add_note", (5.5, 6.5));
    note.kind = ToolKind::Mcp;
    note.model_call = Some(0);
    turn.tools.extend([cell, nested, note]);
    turn.calls
        .push(call(2, (7.0, 8.0), 4, Vec::new(), usage(300)));
    turn
}

/// Rows of the turn at every half second, and of the whole turn at last.
fn snapshots() -> Vec<Row> {
    let whole = busy_turn();
    (2..=18)
        .flat_map(|half| {
            let mut scene = Scene::new(as_of(&whole, f64::from(half) / 2.0));
            scene.session_ended_at = scene.turn.window.ended_at;
            scene.rows()
        })
        .collect()
}

fn whole() -> Trace {
    let mut scene = Scene::new(busy_turn());
    scene.session_ended_at = scene.turn.window.ended_at;
    scene.trace()
}

#[test]
fn a_running_turn_is_shown_as_far_as_it_is_known() {
    let trace = Scene::new(as_of(&busy_turn(), 2.5)).trace();
    let turn = span(&trace, "turn: t1");
    assert_eq!(turn["input"], "list the files");
    assert!(turn["metrics"].get("end").is_none());
    assert!(turn.get("output").is_none());
    let command = span(&trace, "exec_command");
    assert!(command["metrics"].get("end").is_none());
    assert!(command["metadata"].get("tool_approval").is_none());
    let note = span(&trace, "add_note");
    assert_eq!(note["metrics"].as_object().map(Map::len), Some(0), "{note}");
    let call = span(&trace, "gpt-5.5");
    assert!(call["metrics"]["end"].is_number());
    assert!(span(&trace, "codex: app")["metrics"].get("end").is_none());
}

#[test]
fn partial_rows_are_subsets_of_the_final_ones() {
    let whole = whole();
    assert_sound(&whole);
    let rows = snapshots();
    assert_eq!(fold(&rows), whole, "in order");
    assert_eq!(fold(rows.iter().rev()), whole, "backwards");
    assert_eq!(fold(&latest(&rows)), whole, "only the latest of each");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_repetition_folds_to_the_same_trace(
        order in Just((0..snapshots().len()).collect::<Vec<_>>()).prop_shuffle(),
        repeated in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let rows = snapshots();
        let mut written: Vec<&Row> = order.iter().map(|at| &rows[*at]).collect();
        written.extend(repeated.iter().map(|at| at.get(&rows)));
        prop_assert_eq!(fold(written), whole());
    }
}

#[test]
fn a_running_call_is_shown_once_it_cannot_be_the_summary_of_a_compaction() {
    let shown = |announced: bool, ended: bool| {
        let mut turn = as_of(&busy_turn(), 4.5);
        turn.calls.truncate(2);
        let call = &mut turn.calls[1];
        call.announced = announced;
        if !ended {
            call.window.ended_at = None;
            call.usage = None;
            call.completed = false;
        }
        let trace = Scene::new(turn).trace();
        let mut rows = trace.values();
        rows.find(|row| row["metrics"]["start"] == at(3.0).as_second() as f64)
            .filter(|row| row["span_attributes"]["type"] == "llm")
            .cloned()
    };
    assert_eq!(shown(false, false), None);
    assert_eq!(shown(false, true), None);
    let running = shown(true, false).expect("a span");
    assert!(running["metrics"].get("end").is_none(), "{running}");
    assert!(running.get("output").is_none(), "{running}");
    assert!(running["input"].is_array(), "{running}");
    let ended = shown(true, true).expect("a span");
    assert!(ended["metrics"]["tokens"].is_number(), "{ended}");
    assert_eq!(ended["output"]["content"], "done");
}
