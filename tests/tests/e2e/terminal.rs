//! The terminal interface.

use codex_tracing_tests::{CodexHome, Scenario, skip};
use serde_json::{Value, json};

use super::traces::{VERSIONS, arrived, assert_tree, with};

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
    for version in VERSIONS {
        let keys = json!([{"text": "Say hello.", "wait": 6}, {"text": "/quit", "wait": 2}]);
        with(version, scenario(&keys), |stage| {
            let screen = stage.run().unwrap().remove(0).stdout;
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
        });
    }
}
