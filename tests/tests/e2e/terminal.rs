//! The terminal interface.

use codex_tracing_tests::{CodexHome, NEWEST, Scenario, Stage, skip, versions};
use serde_json::{Value, json};

use super::traces::{arrived, assert_tree, wait_for_turns, with};

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
        stopped.unwrap().unwrap();
        assert_one_turn(stage, &screen.unwrap());
    });
}

fn keys() -> Value {
    json!([
        {"text": "Say hello.", "until": "Hello from the model."},
        {"text": "/quit", "wait": 2},
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
