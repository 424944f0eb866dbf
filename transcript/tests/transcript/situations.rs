//! Situations no recording has, written by hand after the recorded shapes.

use codex_tracing_transcript::{Content, Origin, ToolStatus, TurnStatus, Usage};
use serde_json::json;

use crate::script::{Script, THREAD, TURN};

const PARENT: &str = "01a1f880-0000-7961-8288-2fca5debe037";
const OLD_TURN: &str = "01a1f881-0000-7011-8026-ab203d51e97c";
const NEXT: &str = "01a1f886-5d74-7011-8026-ab203d51e97c";

fn tokens(n: u64) -> Usage {
    Usage {
        input: n,
        total: n,
        ..Usage::default()
    }
}

#[test]
fn keys_may_come_in_any_order() {
    let mut script = Script::begun();
    let lines = [
        r#"{"payload":{"content":[{"text":"hi","type":"output_text"}],"role":"assistant","type":"message"},"type":"response_item","timestamp":"2026-11-20T10:00:05Z"}"#,
        r#"{"payload":{"item":{"exit_code":3,"id":"x","type":"CommandExecution"},"type":"item_completed"},"type":"event_msg","timestamp":"2026-11-20T10:00:05Z"}"#,
    ];
    for line in lines {
        script.assembler.push(9, line.as_bytes());
    }
    let turn = script.end(TURN).turn();
    assert_eq!(turn.answer.unwrap().text, "hi");
    assert_eq!(turn.tools[0].outcome.exit_code, Some(3));
}

#[test]
fn odd_values_lose_a_field_and_not_the_record() {
    let script = Script::begun()
        .item(&json!({"type": "message", "role": 7, "content": "bare text", "phase": {}}))
        .event(&json!({"type": "item_completed", "turn_id": TURN,
            "item": {"type": "CommandExecution", "id": "c", "exit_code": "3", "status": [1]}}))
        .event(&json!({"type": "new_event", "x": 1}))
        .line("new_record", &json!({}))
        .event(&json!({"type": "item_completed", "item": {"type": "NewItem"}}));
    let skipped: Vec<String> = script.assembler.skipped().counts.keys().cloned().collect();
    let expected = [
        "unknown_event:new_event",
        "unknown_item:NewItem",
        "unknown_record:new_record",
    ];
    assert_eq!(skipped, expected);
    let turn = script.end(TURN).turn();
    assert_eq!(turn.tools[0].outcome.exit_code, Some(3));
}

#[test]
fn approvals_are_granted_by_the_outcome() {
    let wish = json!({"cmd": "rm", "sandbox_permissions": "require_escalated",
        "justification": "clean", "prefix_rule": ["rm"]});
    let turn = Script::begun()
        .call("a", "exec_command", &wish)
        .call("b", "exec_command", &wish)
        .call("c", "exec_command", &wish)
        .answer("a", "Process exited with code 0\nOutput:\n")
        .answer("b", "exec command rejected by user")
        .event(&json!({"type": "turn_aborted", "turn_id": TURN, "reason": "interrupted"}))
        .turn();
    let seen: Vec<_> = turn
        .tools
        .iter()
        .map(|tool| (tool.outcome.status, tool.approval.clone().unwrap().granted))
        .collect();
    let expected = [
        (ToolStatus::Completed, Some(true)),
        (ToolStatus::Declined, Some(false)),
        (ToolStatus::Interrupted, None),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn records_copied_from_the_parent_of_a_fork_are_not_counted() {
    let script = Script::new()
        .meta(THREAD, json!({"forked_from_id": PARENT}))
        .meta(PARENT, json!({}))
        .start(OLD_TURN)
        .item(&json!({"type": "message", "role": "user",
            "content": [{"type": "input_text", "text": "old prompt"}]}))
        .event(&json!({"type": "user_message", "message": "old prompt"}))
        .say("old answer")
        .count(100, 100)
        .end(OLD_TURN)
        .start(TURN)
        .event(&json!({"type": "user_message", "message": "new prompt"}))
        .say("new answer")
        .count(130, 30)
        .end(TURN);
    assert_eq!(script.assembler.totals(), tokens(30));
    assert_eq!(script.assembler.session().unwrap().thread_id, THREAD);
    let turn = script.turn();
    assert_eq!((turn.number, turn.id.as_str()), (1, TURN));
    assert_eq!(turn.prompt, [Content::Text("new prompt".to_owned())]);
    assert_eq!(turn.usage, tokens(30));
    // The model saw the copied conversation.
    assert_eq!(turn.input_of(&turn.calls[0]).len(), 2);
}

#[test]
fn an_agent_that_was_given_its_parents_history_has_only_its_own_turn() {
    let source = json!({"subagent": {"thread_spawn": {"parent_thread_id": PARENT, "depth": 1}}});
    let script = Script::new()
        .meta(THREAD, json!({"source": source}))
        .say("said by the parent")
        .count(100, 100)
        .start(TURN)
        .say("said by the child")
        .count(130, 30)
        .end(TURN);
    let session = script.assembler.session().unwrap();
    assert!(matches!(
        session.origin,
        Origin::Spawned { depth: Some(1), .. }
    ));
    assert_eq!(session.parent_thread_id.as_deref(), Some(PARENT));
    assert_eq!(script.assembler.totals(), tokens(30));
    assert_eq!(script.turn().calls.len(), 1);
}

#[test]
fn a_turn_that_never_ended_is_cut_off_by_the_next() {
    let turns = Script::begun()
        .call("a", "exec_command", &json!({"cmd": "sleep 9"}))
        .start(NEXT)
        .end(NEXT)
        .turns();
    assert_eq!(turns[0].status, TurnStatus::CutOff);
    assert_eq!(turns[0].tools[0].outcome.status, ToolStatus::Interrupted);
    assert!(turns[0].window.ended_at < Some(turns[1].window.started_at));
    assert_eq!(turns[1].status, TurnStatus::Completed);
}

#[test]
fn a_turn_taken_back_is_no_longer_seen() {
    let turns = Script::begun()
        .say("one")
        .end(TURN)
        .start(NEXT)
        .say("two")
        .end(NEXT)
        .event(&json!({"type": "thread_rolled_back", "num_turns": 1}))
        .start("01a1f887-5d74-7011-8026-ab203d51e97c")
        .say("three")
        .turns();
    assert_eq!(turns.len(), 2);
    let script = Script::begun()
        .say("one")
        .end(TURN)
        .start(NEXT)
        .say("two")
        .end(NEXT)
        .event(&json!({"type": "thread_rolled_back", "num_turns": 1}))
        .start("01a1f887-5d74-7011-8026-ab203d51e97c")
        .say("three");
    let open = script.assembler.open_turn().unwrap();
    assert_eq!(open.input_of(&open.calls[0]).len(), 1);
}

#[test]
fn errors_on_the_way_belong_to_the_call_that_met_them() {
    let turn = Script::begun()
        .event(&json!({"type": "stream_error", "message": "reconnecting 1/5"}))
        .say("at last")
        .count(10, 10)
        .end(TURN)
        .turn();
    assert_eq!(turn.status, TurnStatus::Completed);
    assert_eq!(turn.calls.len(), 1);
    assert_eq!(turn.calls[0].retries, 1);
    assert_eq!(turn.calls[0].errors[0].message, "reconnecting 1/5");
}

#[test]
fn time_does_not_run_backwards_within_a_turn() {
    let mut script = Script::begun().say("one");
    script.millis = 0;
    let turn = script.say("two").end(TURN).turn();
    assert!(turn.window.ended_at >= turn.calls[0].window.ended_at);
    assert!(turn.window.ended_at >= Some(turn.window.started_at));
}

#[test]
fn a_file_without_turn_records_has_one_running_turn() {
    let script = Script::new()
        .meta(THREAD, json!({}))
        .event(&json!({"type": "user_message", "message": "hello"}))
        .say("hi");
    let turn = script.assembler.open_turn().unwrap();
    assert_eq!((turn.id.as_str(), turn.number), ("turn-1", 1));
    assert_eq!(turn.prompt, [Content::Text("hello".to_owned())]);
}

#[test]
fn an_mcp_call_that_was_interrupted_keeps_its_start_when_its_end_comes_late() {
    let turns = Script::begun()
        .call("a", "mcp__notes__read", &json!({}))
        .event(&json!({"type": "turn_aborted", "turn_id": TURN, "reason": "interrupted"}))
        .event(&json!({"type": "mcp_tool_call_end", "call_id": "a",
            "duration": {"secs": 0, "nanos": 1_000_000},
            "invocation": {"server": "notes", "tool": "read", "arguments": {}},
            "result": {"Ok": {"content": [], "isError": false}}}))
        .turns();
    assert_eq!(turns.len(), 2, "the turn comes again");
    let starts = [0, 1].map(|turn: usize| turns[turn].tools[0].window.started_at);
    assert_eq!(starts[0], starts[1]);
}

#[test]
fn a_process_that_outlives_its_call_ends_with_the_poll_that_saw_it() {
    let turn = Script::begun()
        .call("a", "exec_command", &json!({"cmd": "make"}))
        .answer("a", "Process running with session ID 7\nOutput:\n")
        .call("b", "write_stdin", &json!({"session_id": 7}))
        .answer("b", "Process running with session ID 7\nOutput:\n")
        .call("c", "write_stdin", &json!({"session_id": "7"}))
        .answer("c", "Process exited with code 2\nOutput:\n")
        .end(TURN)
        .turn();
    let seen: Vec<_> = turn
        .tools
        .iter()
        .map(|tool| {
            (
                tool.id.as_str(),
                tool.outcome.status,
                tool.outcome.exit_code,
            )
        })
        .collect();
    let expected = [
        ("a", ToolStatus::Failed, Some(2)),
        ("b", ToolStatus::Completed, None),
        ("c", ToolStatus::Failed, Some(2)),
    ];
    assert_eq!(seen, expected);
    assert_eq!(turn.tools[0].window.ended_at, turn.tools[2].window.ended_at);
}

#[test]
fn a_call_that_the_user_heard_of_wrote_no_summary() {
    let calls = |announced: bool| {
        let mut script = Script::begun();
        if announced {
            script = script.event(&json!({"type": "agent_message", "message": "Half way."}));
        }
        let script = script.say("Half way.").count(10, 10);
        let turn = script.line("compacted", &json!({"message": "Summary."}));
        turn.end(TURN).turn().calls.len()
    };
    assert_eq!(calls(true), 1);
    assert_eq!(calls(false), 0);
}

#[test]
fn calls_that_give_an_agent_more_to_do_are_known_whatever_the_version_records() {
    let activity = |id: &str, kind: &str| json!({"type": "SubAgentActivity", "id": id, "kind": kind, "agent_thread_id": "agent-2"});
    let turn = Script::begun()
        .call("call-1", "spawn_agent", &json!({}))
        .answer("call-1", r#"{"agent_id":"agent-1","nickname":"Ada"}"#)
        .call(
            "call-2",
            "send_input",
            &json!({"id": "agent-1", "message": "More."}),
        )
        .answer("call-2", r#"{"submission_id":"turn-2"}"#)
        .call("call-3", "followup_task", &json!({"target": "/root/beta"}))
        .event(&json!({"type": "item_completed", "item": activity("call-3", "interacted")}))
        .call("call-4", "wait_agent", &json!({"id": "agent-1"}))
        .end(TURN)
        .turn();
    let follow_up = |thread, call, led_to: Option<&str>| json!({"thread_id": thread, "call_id": call, "led_to": led_to});
    let expected = [
        follow_up("agent-1", "call-2", Some("turn-2")),
        follow_up("agent-2", "call-3", None),
    ];
    assert_eq!(json!(turn.follow_ups), json!(expected));
    assert_eq!(turn.subagents.len(), 1);
}

#[test]
fn a_torn_line_costs_nothing_but_itself() {
    let half_a_line =
        r#"{"timestamp":"2026-11-20T10:00:00.500Z","type":"response_item","payload":{"ty"#;
    let turn = Script::begun()
        .call("call-1", "exec_command", &json!({"cmd": "ls"}))
        .raw(half_a_line)
        .answer("call-1", "README.md")
        .raw("not even JSON")
        .say("There is a README.")
        .end(TURN)
        .turn();
    assert_eq!(turn.status, TurnStatus::Completed);
    assert_eq!(turn.tools[0].outcome.status, ToolStatus::Completed);
    assert_eq!(turn.calls.len(), 2);
}
