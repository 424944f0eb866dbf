//! Which span hangs under which, and from when to when.

use codex_tracing_transcript::{Compaction, ModelInput, Role, ToolKind, TurnKind};
use serde_json::{Value, json};

use crate::fold::{Trace, assert_sound, fold, latest, span, spans, tokens};
use crate::support::{Scene, at, message, metadata, spawned, tool, tool_turn, turn, usage, window};

fn parent<'a>(trace: &'a Trace, row: &Value) -> &'a str {
    let id = row["span_parents"][0].as_str().expect("a parent");
    trace[id]["span_attributes"]["name"].as_str().expect("name")
}

#[test]
fn a_session_has_turns_and_turns_have_calls_and_tools() {
    let trace = Scene::new(tool_turn("t1")).trace();
    assert_sound(&trace);
    assert_eq!(trace.len(), 5);
    let root = span(&trace, "codex: app");
    assert!(root.get("span_parents").is_none());
    assert_eq!(root["span_id"], root["root_span_id"]);
    assert_eq!(
        root["input"],
        json!({ "model": "gpt-5.5", "cwd": "/home/dev/app", "source": "startup" })
    );
    assert_eq!(root["output"], "done");
    assert_eq!(parent(&trace, span(&trace, "turn: t1")), "codex: app");
    assert_eq!(parent(&trace, span(&trace, "exec_command")), "turn: t1");
}

#[test]
fn a_session_without_directory_is_named_so() {
    let mut scene = Scene::new(turn("t1"));
    scene.root.cwd = None;
    span(&scene.trace(), "codex session");
}

#[test]
fn the_roots_end_moves_with_the_last_turn_and_never_back() {
    let first = Scene::new(turn("t1"));
    let mut second = Scene::new(turn("t2"));
    second.turn.number = 2;
    second.turn.window = window(100.0, 120.0);
    second.session_ended_at = Some(at(120.0));
    second.turn.answer.as_mut().expect("answer").text = "later".to_owned();
    let mut again = first.clone();
    again.session_ended_at = Some(at(120.0));
    let rows = [first.rows(), second.rows(), again.rows()].concat();
    let trace = fold(&rows);
    assert_eq!(
        fold(&latest(&rows)),
        trace,
        "also if only the latest items are sent"
    );
    assert_sound(&trace);
    let root = span(&trace, "codex: app");
    assert_eq!(
        root["metrics"]["end"],
        span(&trace, "turn: t2")["metrics"]["end"]
    );
    assert_eq!(root["output"], "later");
}

#[test]
fn a_nested_subagent_does_not_end_up_under_the_root() {
    let top = Scene::new(turn("t1"));
    let mut middle = turn("m1");
    middle.window = window(2.0, 8.0);
    let middle = spawned(Scene::new(middle), &[("root-thread", "t1", "mid")], 2.0);
    let mut inner = tool_turn("i1");
    inner.window = window(3.0, 7.0);
    let chain = [("root-thread", "t1", "mid"), ("mid", "m1", "inner")];
    let mut inner = spawned(Scene::new(inner), &chain, 3.0);
    inner.lineage[1].turn_started_at = at(2.0);
    inner.session_ended_at = Some(at(9.0));
    let rows = [top.rows(), middle.rows(), inner.rows()].concat();
    let trace = fold(&rows);
    assert_eq!(parent(&trace, span(&trace, "subagent: mid")), "turn: t1");
    assert_eq!(parent(&trace, span(&trace, "turn: m1")), "subagent: mid");
    assert_eq!(parent(&trace, span(&trace, "subagent: inner")), "turn: m1");
    assert_eq!(parent(&trace, span(&trace, "turn: i1")), "subagent: inner");
    assert_eq!(parent(&trace, span(&trace, "exec_command")), "turn: i1");
    let agent = span(&trace, "subagent: inner");
    assert_eq!(metadata(agent, "agent_id"), "inner");
    assert_eq!(metadata(agent, "agent_type"), "worker");
    assert_eq!(metadata(agent, "model"), "gpt-5.5");
    assert_sound(&trace);
}

#[test]
fn a_compaction_is_a_span_of_its_own_and_renames_no_turn() {
    let mut scene = Scene::new(tool_turn("t1"));
    scene.turn.compactions = vec![compaction(4.0, 5.0)];
    scene.turn.usage += usage(50);
    let trace = scene.trace();
    assert_sound(&trace);
    let row = span(&trace, "compaction");
    assert_eq!(parent(&trace, row), "turn: t1");
    assert_eq!(row["span_attributes"]["type"], "llm");
    assert_eq!(row["tags"], json!(["compaction"]));
    assert_eq!(
        metadata(row, "compaction"),
        &json!({ "trigger": "auto", "replaced_message_count": 2, "window_id": "w2" })
    );
    assert_eq!(row["input"]["messages_before_compaction"], 2);
    assert_eq!(row["input"]["history"][1]["content"], "list the files");
    assert_eq!(row["output"]["summary"], "files were listed");
    assert_eq!(row["output"]["kept_messages"][0]["content"], "summary");
    assert_eq!(tokens(&trace, "prompt_tokens"), scene.turn.usage.input);
    assert!(span(&trace, "turn: t1").get("tags").is_none());
    let root = span(&trace, "codex: app");
    assert_eq!(metadata(root, "source"), "startup");
}

#[test]
fn after_a_compaction_a_call_does_not_see_the_old_history() {
    let mut scene = Scene::new(tool_turn("t1"));
    scene.turn.compactions = vec![compaction(2.5, 2.9)];
    let kept = vec![message(Role::User, "summary", 2.9)];
    scene.turn.conversations.push(kept);
    scene.turn.calls[1].input = ModelInput {
        conversation: 1,
        len: 1,
    };
    let trace = scene.trace();
    let input = &spans(&trace, "gpt-5.5")[1]["input"];
    assert_eq!(input, &json!([{ "role": "user", "content": "summary" }]));
}

#[test]
fn a_manual_compaction_is_triggered_by_hand() {
    let mut scene = Scene::new(turn("t1"));
    scene.turn.kind = TurnKind::Compact;
    scene.turn.prompt = Vec::new();
    scene.turn.compactions = vec![compaction(2.0, 3.0)];
    let triggers = &mut scene.hooks.compaction_triggers;
    triggers.insert("t1".to_owned(), "manual".to_owned());
    let trace = scene.trace();
    let row = span(&trace, "compaction");
    assert_eq!(metadata(row, "compaction")["trigger"], "manual");
    assert_eq!(span(&trace, "turn: t1")["tags"], json!(["compaction"]));
    assert!(span(&trace, "turn: t1").get("input").is_none());
}

fn compaction(start: f64, end: f64) -> Compaction {
    Compaction {
        index: 0,
        window: window(start, end),
        trigger: "auto".to_owned(),
        model: Some("gpt-5.5".to_owned()),
        before: ModelInput {
            conversation: 0,
            len: 2,
        },
        after: vec![message(Role::User, "summary", end)],
        summary: Some("files were listed".to_owned()),
        window_id: Some("w2".to_owned()),
        usage: Some(usage(50)),
        response_id: None,
    }
}

#[test]
fn nested_commands_lie_in_their_cell_or_else_in_the_turn() {
    let mut scene = Scene::new(turn("t1"));
    let mut cell = tool("cell", "exec", (2.0, 5.0));
    cell.kind = ToolKind::Cell;
    let mut inside = tool("exec-1", "exec_command", (3.0, 4.0));
    inside.parent = Some("cell".to_owned());
    let mut beyond = tool("exec-2", "read_file", (4.0, 7.0));
    beyond.parent = Some("cell".to_owned());
    scene.turn.tools = vec![cell, inside, beyond];
    let trace = scene.trace();
    assert_sound(&trace);
    assert_eq!(parent(&trace, span(&trace, "exec_command")), "exec");
    assert_eq!(parent(&trace, span(&trace, "read_file")), "turn: t1");
    let beyond = span(&trace, "read_file");
    assert_eq!(metadata(beyond, "parent_call_id"), "cell");
}
