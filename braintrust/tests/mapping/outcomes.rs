//! How turns and tools ended: failures, interruptions, approvals.

use codex_tracing_delivery::Item;
use codex_tracing_transcript::{Approval, Output, ToolStatus, TurnStatus};
use serde_json::json;

use crate::fold::{assert_sound, fold, span, spans};
use crate::support::{Scene, metadata, tool_turn, window};

#[test]
fn an_aborted_turn_does_not_stay_open() {
    let mut aborted = tool_turn("t1");
    aborted.status = TurnStatus::Interrupted;
    aborted.answer = None;
    aborted.calls[1].completed = false;
    aborted.calls[1].usage = None;
    aborted.calls[1].window.ended_at = None;
    aborted.tools[0].outcome.status = ToolStatus::Interrupted;
    aborted.tools[0].window.ended_at = None;
    let trace = Scene::new(aborted).trace();
    assert_sound(&trace);
    let row = span(&trace, "turn: t1");
    assert_eq!(row["error"], "Interrupted");
    assert_eq!(metadata(row, "status"), "interrupted");
    let calls = spans(&trace, "gpt-5.5");
    assert_eq!(calls[1]["error"], "Interrupted");
    assert_eq!(
        metadata(calls[1], "usage_unavailable_reason"),
        "codex_transcript_missing_token_count"
    );
    for row in trace.values() {
        assert!(row["metrics"]["end"].is_number(), "{row}");
    }
    let command = span(&trace, "exec_command");
    assert_eq!(command["error"], "Tool output missing before turn ended");
}

#[test]
fn a_turn_that_was_cut_off_and_goes_on_loses_its_error() {
    let mut cut_off = Scene::new(tool_turn("t1"));
    let turn = &mut cut_off.turn;
    turn.status = TurnStatus::CutOff;
    turn.answer = None;
    turn.calls[1].completed = false;
    turn.tools[0].outcome.status = ToolStatus::Interrupted;
    let mut rows = cut_off.rows();
    let failed = |rows: &[Item]| {
        let trace = fold(rows);
        let failed = trace.values().filter(|row| !row["error"].is_null());
        failed.count()
    };
    assert_eq!(
        failed(&rows),
        3,
        "the turn, a call of the model and one of a tool"
    );
    let mut whole = Scene::new(tool_turn("t1"));
    let rows_as_if_first = whole.rows();
    whole.was_cut_off = true;
    rows.extend(whole.rows());
    assert_eq!(failed(&rows), 0);
    for row in rows_as_if_first {
        assert!(!String::from_utf8(row.body).unwrap().contains("\"error\""));
    }
}

#[test]
fn a_failed_command_does_not_look_successful() {
    let mut scene = Scene::new(tool_turn("t1"));
    let outcome = &mut scene.turn.tools[0].outcome;
    outcome.status = ToolStatus::Failed;
    outcome.exit_code = Some(3);
    outcome.error = Some("Process exited with code 3".to_owned());
    let trace = scene.trace();
    let row = span(&trace, "exec_command");
    assert_eq!(row["error"], "Process exited with code 3");
    assert_eq!(metadata(row, "exit_code"), 3);
    assert_eq!(metadata(row, "status"), "failed");
}

#[test]
fn a_declined_call_is_not_approved() {
    let mut scene = Scene::new(tool_turn("t1"));
    let call = &mut scene.turn.tools[0];
    call.outcome.status = ToolStatus::Declined;
    call.approval = Some(asked("require_escalated", Some(false)));
    let trace = scene.trace();
    let row = span(&trace, "exec_command");
    assert_eq!(metadata(row, "tool_approval"), "declined");
    assert_eq!(row["error"], "Declined");
    assert_eq!(row["tags"], json!(["permission-request"]));
    assert_eq!(
        metadata(row, "permission"),
        &json!({
            "sandbox_permissions": "require_escalated",
            "justification": "to reach the network",
            "prefix_rule": ["curl"],
        })
    );
}

#[test]
fn default_sandbox_permissions_are_no_request() {
    let mut scene = Scene::new(tool_turn("t1"));
    scene.turn.tools[0].approval = Some(asked("use_default", None));
    let trace = scene.trace();
    let row = span(&trace, "exec_command");
    assert!(row.get("tags").is_none());
    assert!(row["metadata"].get("permission").is_none());
    assert_eq!(metadata(row, "tool_approval"), "approved");
}

fn asked(permissions: &str, granted: Option<bool>) -> Approval {
    Approval {
        granted,
        sandbox_permissions: Some(permissions.to_owned()),
        justification: Some("to reach the network".to_owned()),
        prefix_rule: vec!["curl".to_owned()],
    }
}

#[test]
fn a_command_that_outlives_its_turn_is_cut_at_the_turns_end() {
    let mut scene = Scene::new(tool_turn("t1"));
    scene.turn.tools[0].window = window(2.0, 60.0);
    assert_sound(&scene.trace());
}

#[test]
fn a_result_with_a_null_error_has_not_failed() {
    let mut scene = Scene::new(tool_turn("t1"));
    let result = json!({ "ok": true, "error": null });
    scene.turn.tools[0].outcome.output = Some(Output::Json(result.clone()));
    let trace = scene.trace();
    let row = span(&trace, "exec_command");
    assert!(row.get("error").is_none());
    assert_eq!(row["output"], result);
    assert_eq!(metadata(row, "tool_approval"), "approved");
}

#[test]
fn a_command_left_in_the_background_has_not_failed() {
    let mut scene = Scene::new(tool_turn("t1"));
    let call = &mut scene.turn.tools[0];
    call.outcome.status = ToolStatus::Running;
    call.outcome.output = Some(Output::Text("Process running with session ID 1".to_owned()));
    call.window.ended_at = None;
    let trace = scene.trace();
    let row = span(&trace, "exec_command");
    assert!(row.get("error").is_none());
    assert_eq!(metadata(row, "status"), "running");
    assert_sound(&trace);
}

#[test]
fn a_turn_that_is_cut_off_says_so_unless_it_had_answered() {
    let mut scene = Scene::new(tool_turn("t1"));
    scene.turn.status = TurnStatus::CutOff;
    let trace = scene.trace();
    assert!(span(&trace, "turn: t1").get("error").is_none());
    scene.turn.answer = None;
    let trace = scene.trace();
    let row = span(&trace, "turn: t1");
    assert_eq!(row["error"], "Codex went away before the turn ended");
    assert_eq!(metadata(row, "status"), "cut_off");
}
