//! Which code-mode cell made a call. No version records it.

use codex_tracing_transcript::{ToolCall, Turn};
use serde_json::{Value, json};

use crate::script::{Script, TURN};

const FIRST: &str = "tools.exec_command({cmd: 'first'})";
const SECOND: &str = "tools.exec_command({cmd: 'second'})";
/// A script that makes its commands up at run time.
const MADE_UP: &str = "for (const n of ['fir', 'seco']) tools.exec_command({cmd: n + end(n)})";

fn answered(script: Script, id: &str) -> Script {
    output(
        script,
        id,
        "Script completed\nWall time 0.1 seconds\nOutput:\n",
    )
}

fn output(script: Script, id: &str, text: &str) -> Script {
    script.item(&json!({"type": "custom_tool_call_output", "call_id": id, "output": text}))
}

fn waits(script: Script, id: &str, cell: &str) -> Script {
    script.call(id, "wait", &json!({ "cell_id": cell }))
}

fn tool<'t>(turn: &'t Turn, id: &str) -> &'t ToolCall {
    turn.tools.iter().find(|tool| tool.id == id).unwrap()
}

fn parent<'t>(turn: &'t Turn, id: &str) -> Option<&'t str> {
    tool(turn, id).parent.as_deref()
}

#[test]
fn a_command_belongs_to_the_cell_whose_script_holds_it() {
    let turn = Script::begun()
        .cell("one", FIRST)
        .cell("two", SECOND)
        .ran("exec-1", "first")
        .ran("exec-2", "second")
        .ran("exec-3", "made up at run time")
        .end(TURN)
        .turn();
    let parents = ["exec-1", "exec-2", "exec-3"].map(|id| parent(&turn, id));
    assert_eq!(parents, [Some("one"), Some("two"), Some("two")]);
}

#[test]
fn a_patch_and_a_tool_of_a_server_belong_to_the_cell_whose_script_names_them() {
    let patch = json!({"type": "FileChange", "id": "exec-1", "status": "completed",
        "changes": {"/home/dev/app/notes.txt": {"type": "add", "content": "a note"}}});
    let tool = json!({"type": "McpToolCall", "id": "exec-2", "server": "notes",
        "tool": "add_note", "status": "completed"});
    let ended = |item: &Value| json!({"type": "item_completed", "turn_id": TURN, "item": item});
    let turn = Script::begun()
        .cell(
            "one",
            "tools.apply_patch('*** Add File: notes.txt'); tools.notes.add_note()",
        )
        .cell("two", SECOND)
        .event(&ended(&patch))
        .event(&ended(&tool))
        .end(TURN)
        .turn();
    let parents = ["exec-1", "exec-2"].map(|id| parent(&turn, id));
    assert_eq!(parents, [Some("one"); 2]);
}

#[test]
fn a_command_whose_end_is_recorded_after_the_answer_of_its_cell_belongs_to_it() {
    let script = Script::begun().cell("one", FIRST);
    let script = answered(script, "one")
        .ran("exec-1", "first")
        .ran("exec-2", "made up at run time")
        .cell("two", SECOND)
        .ran("exec-3", "first");
    let turn = answered(script, "two").end(TURN).turn();
    let cell = tool(&turn, "one");
    for id in ["exec-1", "exec-2", "exec-3"] {
        let late = tool(&turn, id);
        assert_eq!(late.parent.as_deref(), Some("one"), "{id}");
        assert_eq!(late.model_call, cell.model_call);
        assert!(late.window.started_at >= cell.window.started_at, "{id}");
        assert!(late.window.ended_at <= cell.window.ended_at, "{id}");
        assert!(late.outcome.output.is_some(), "{id}");
        assert!(late.details.contains_key("process_ended_at"), "{id}");
    }
}

#[test]
fn a_command_that_ended_before_a_cell_began_is_none_of_it() {
    let script = Script::begun().cell("one", MADE_UP);
    let script = answered(script, "one");
    let ended = script.millis;
    let mut script = script;
    script.millis += 100;
    let script = script.cell("two", SECOND).ran_at("exec-1", "second", ended);
    let turn = answered(script, "two").end(TURN).turn();
    assert_eq!(parent(&turn, "exec-1"), Some("one"));
}

#[test]
fn a_cell_whose_record_is_stamped_a_little_late_keeps_its_quick_command() {
    let script = Script::begun().cell("one", MADE_UP);
    let script = answered(script, "one").cell("two", SECOND);
    let stamped = script.millis;
    let script = script.ran_at("exec-1", "second", stamped - 30);
    let turn = answered(script, "two").end(TURN).turn();
    assert_eq!(parent(&turn, "exec-1"), Some("two"));
}

#[test]
fn a_process_that_outlives_its_cell_stays_the_cells_though_another_runs_when_it_ends() {
    let script = Script::begun().cell("one", MADE_UP);
    let begun = script.millis + 50;
    let mut script = answered(script, "one");
    script.millis += 20_000;
    let script = script.cell("two", MADE_UP);
    let turn = script
        .ran_from("exec-1", "npm run dev", begun)
        .end(TURN)
        .turn();
    assert_eq!(parent(&turn, "exec-1"), Some("one"));
}

#[test]
fn a_cell_that_answered_long_ago_gets_no_command_of_a_running_one() {
    let script = Script::begun().cell("one", FIRST);
    let mut script = answered(script, "one");
    script.millis += 1000;
    let script = script.cell("two", MADE_UP).ran("exec-1", "first");
    let turn = answered(script, "two").end(TURN).turn();
    assert_eq!(parent(&turn, "exec-1"), Some("two"));
}

#[test]
fn of_cells_that_hold_the_same_command_a_running_one_made_it_before_one_that_answered() {
    let script = Script::begun().cell("one", FIRST).cell("two", FIRST);
    let turn = answered(script, "two").ran("exec-1", "first");
    let turn = answered(turn, "one")
        .ran("exec-2", "first")
        .end(TURN)
        .turn();
    let parents = ["exec-1", "exec-2"].map(|id| parent(&turn, id));
    assert_eq!(parents, [Some("one"); 2]);
}

#[test]
fn without_a_running_cell_only_what_a_cell_can_have_made_belongs_to_the_last_one() {
    let script = Script::begun().cell("one", FIRST);
    let mut script = answered(script, "one");
    script.millis += 5000;
    let turn = script
        .ran("exec-1", "made up at run time")
        .ran("other", "first")
        .end(TURN)
        .turn();
    let parents = ["exec-1", "other"].map(|id| parent(&turn, id));
    assert_eq!(parents, [Some("one"), None]);
}

#[test]
fn a_cell_that_a_wait_saw_to_its_end_is_waited_for_in_vain() {
    let script = Script::begun().cell("one", FIRST);
    let script = output(
        script,
        "one",
        "Script running with cell ID 7\nWall time 1 seconds\n",
    );
    let script = answered(waits(script, "wait-1", "7"), "wait-1").cell("two", MADE_UP);
    // It has nothing more to run, whoever asks for it.
    let script = waits(script, "wait-2", "7").ran("exec-1", "made up at run time");
    let turn = answered(answered(script, "wait-2"), "two").end(TURN).turn();
    assert_eq!(parent(&turn, "exec-1"), Some("two"));
}

#[test]
fn a_command_of_an_interrupted_cell_comes_late_and_belongs_to_it() {
    let turns = Script::begun()
        .cell("cell", "tools.exec_command({cmd: 'sleep 30'})")
        .item(
            &json!({"type": "custom_tool_call_output", "call_id": "cell",
            "output": "aborted by user after 1.5s"}),
        )
        .event(&json!({"type": "turn_aborted", "turn_id": TURN, "reason": "interrupted"}))
        .ran("exec-1", "sleep 30")
        .turns();
    assert_eq!(turns.len(), 2, "the turn comes again");
    assert_eq!((turns[0].number, turns[1].number), (1, 1));
    let late = &turns[1].tools[1];
    assert_eq!(late.parent.as_deref(), Some("cell"));
    assert_eq!(late.model_call, Some(0));
    assert!(late.window.ended_at <= turns[1].window.ended_at);
}

#[test]
fn a_command_of_a_cell_that_was_cut_short_while_waited_for_keeps_its_own_end() {
    let script = Script::begun().cell("cell", "tools.exec_command({cmd: 'sleep 30'})");
    let script = output(
        script,
        "cell",
        "Script running with cell ID 7\nWall time 1 seconds\n",
    );
    let script = waits(script, "wait", "7");
    let script = output(script, "wait", "aborted by user after 1.5s");
    let aborted = script.millis;
    let turn = script.ran("exec-1", "sleep 30").end(TURN).turn();
    let late = tool(&turn, "exec-1");
    assert_eq!(late.parent.as_deref(), Some("cell"));
    let ended_at = late.window.ended_at.unwrap().as_millisecond();
    assert_eq!(ended_at, Script::instant(aborted + 100));
}
