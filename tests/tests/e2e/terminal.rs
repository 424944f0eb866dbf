//! The terminal interface.

use std::process::Command;

use codex_tracing_tests::{CodexHome, ENDED, Scenario, Stage, skip, versions};
use serde_json::{Value, json};

use super::traces::{NEWEST, arrived, assert_tree, wait_for_turns, with};

fn scenario(keys: &Value) -> Scenario {
    serde_json::from_value(json!({
        "run": [{"tui": keys}],
        "model": [
            {"match": "Generate a concise", "any": true,
             "items": [{"type": "message", "text": "A title"}]},
            [{"type": "function_call", "name": "exec_command", "args": {"cmd": "echo hello"}}],
            [{"type": "message", "text": "Hello from the model.", "phase": "final_answer"}],
        ],
    }))
    .unwrap()
}

#[test]
fn a_turn_in_the_terminal_interface_arrives() {
    if !CodexHome::can_tui() {
        skip("tmux is not installed");
        return;
    }
    for version in &versions() {
        with(version, scenario(&keys()), |stage| {
            let screen = stage.run().unwrap().remove(0).stdout;
            assert_one_turn(stage, &screen);
        });
    }
}

#[test]
fn a_turn_arrives_though_the_daemon_runs_its_hooks_and_no_session_end_comes() {
    if !CodexHome::can_tui() {
        skip("tmux is not installed");
        return;
    }
    with(NEWEST, scenario(&keys()), |stage| {
        let keys = stage.scenario.run.remove(0).tui.unwrap();
        let screen = stage.home.tui_with_daemon(&keys, &[]);
        let stopped = screen.is_ok().then(|| {
            // Before the daemon ends: what arrives, arrives while it lives.
            wait_for_turns(stage, 1);
            stage.home.stop_daemon()
        });
        let screen = screen.unwrap();
        stopped.unwrap().unwrap();
        assert_one_turn(stage, &screen);
    });
}

/// The process that ran the session's last hook: the daemon.
fn process_of_hooks(stage: &Stage) -> String {
    let journals = stage.own_files();
    let mut journals = journals
        .iter()
        .filter(|file| file.ends_with("journal.jsonl"));
    let text = std::fs::read_to_string(journals.next().unwrap()).unwrap();
    let entry: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    entry["process"]["pid"].to_string()
}

#[test]
fn a_turn_arrives_marked_as_cut_off_though_the_daemon_was_killed_at_once() {
    if !CodexHome::can_tui() {
        skip("tmux is not installed");
        return;
    }
    let args = json!({"cmd": "sleep 300", "yield_time_ms": 30000});
    let keys =
        json!([{"text": "Run something long.", "until": "This takes a while."}, {"wait": 1}]);
    let scenario: Scenario = serde_json::from_value(json!({
        "run": [{"tui": keys}],
        "model": [
            {"match": "Generate a concise", "any": true,
             "items": [{"type": "message", "text": "A title"}]},
            [{"type": "message", "text": "This takes a while.", "phase": "commentary"},
             {"type": "function_call", "name": "exec_command", "args": args}],
        ],
    }))
    .unwrap();
    with(NEWEST, scenario, |stage| {
        let keys = stage.scenario.run.remove(0).tui.unwrap();
        let screen = stage.home.tui_with_daemon(&keys, &[]).unwrap();
        let daemon = process_of_hooks(stage);
        let killed = Command::new("kill").args(["-KILL", &daemon]).status();
        assert!(killed.unwrap().success(), "{daemon}\n{screen}");
        wait_for_turns(stage, 1);
        let runs = arrived(stage, 1);
        let error = runs.roots()[0].error().unwrap_or_default().to_lowercase();
        assert!(error.contains("codex went away"), "{error}");
    });
}

#[test]
fn a_turn_that_ends_in_a_model_error_under_the_daemon_arrives_though_no_stop_hook_fires() {
    if !CodexHome::can_tui() {
        skip("tmux is not installed");
        return;
    }
    let keys = json!([{"text": "Ask a broken model.", "until": "experiencing high demand"}]);
    let title = json!({"match": "Generate a concise", "any": true,
        "items": [{"type": "message", "text": "A title"}]});
    // More than Codex tries.
    let errors = vec![json!([{"error": 500, "message": "the model is on fire"}]); 12];
    let model: Vec<Value> = std::iter::once(title).chain(errors).collect();
    let scenario: Scenario = serde_json::from_value(json!({
        "run": [{"tui": keys}],
        "model": model,
    }))
    .unwrap();
    with(NEWEST, scenario, |stage| {
        let keys = stage.scenario.run.remove(0).tui.unwrap();
        let screen = stage.home.tui_with_daemon(&keys, &[]);
        let stopped = screen.is_ok().then(|| {
            wait_for_turns(stage, 1);
            stage.home.stop_daemon()
        });
        let screen = screen.unwrap();
        stopped.unwrap().unwrap();
        let runs = arrived(stage, 1);
        assert!(runs.roots()[0].error().is_some(), "{screen}");
    });
}

fn keys() -> Value {
    json!([
        {"text": "Say hello.", "until": "Hello from the model.", "ended": true},
        {"text": "/quit", "until": ENDED},
    ])
}

fn assert_one_turn(stage: &Stage, screen: &str) {
    eprintln!("{screen}");
    let runs = arrived(stage, 1);
    assert_tree(
        &runs,
        "
        openai.codex (chain)
          openai.codex.turn (llm)
          exec_command (tool)
          openai.codex.turn (llm)",
    );
    let prompt = runs.roots()[0].fields["inputs"].to_string();
    assert!(prompt.contains("Say hello."), "{prompt}");
}
