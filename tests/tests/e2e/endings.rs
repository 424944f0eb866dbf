//! How Codex can end, and that its turn arrives whatever the end.

use std::time::{Duration, Instant};

use codex_tracing_tests::{Fault, PATIENCE, Scenario, Stage, versions};
use serde_json::json;

use super::traces::{NEWEST, arrived, assert_tree, on_each, wait_for_turns, with};

/// A command that has begun, and goes on for longer than the test.
fn in_the_middle() -> Scenario {
    let args = json!({"cmd": "touch begun; sleep 300", "yield_time_ms": 30000});
    Scenario::answering(json!([[
        {"type": "message", "text": "This takes a while.", "phase": "commentary"},
        {"type": "function_call", "name": "exec_command", "args": args},
    ]]))
}

/// Whether the command runs and its call stands in a rollout.
fn command_has_begun(stage: &Stage) -> bool {
    if !stage.home.app().join("begun").exists() {
        return false;
    }
    let rollouts = stage.home.rollouts();
    let mut texts = rollouts
        .iter()
        .filter_map(|file| std::fs::read_to_string(file).ok());
    texts.any(|text| text.contains("function_call") && text.contains("touch begun"))
}

/// Kills Codex in the middle of a turn; what was sent, after how long.
fn killed(version: &str, signal: &str) {
    with(version, in_the_middle(), |stage| {
        let mut codex = stage
            .home
            .spawn_exec(&["Run something long."], &[])
            .unwrap();
        let until = Instant::now() + PATIENCE;
        while !command_has_begun(stage) {
            assert!(
                !codex.has_ended() && Instant::now() < until,
                "the command never began"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        codex.signal(signal).unwrap();
        let output = codex.wait(PATIENCE).unwrap();
        assert_eq!(output.code, None, "{}", output.stderr);
        let killed_at = Instant::now();
        wait_for_turns(stage, 1);
        eprintln!(
            "{version}: delivered {:?} after SIG{signal}",
            killed_at.elapsed()
        );
        let runs = arrived(stage, 1);
        assert_tree(
            &runs,
            "
            openai.codex (chain) !
              openai.codex.turn (llm)
              exec_command (tool) !",
        );
        let error = runs.roots()[0].error().unwrap_or_default().to_lowercase();
        assert!(error.contains("codex went away"), "{error}");
    });
}

#[test]
fn a_turn_arrives_marked_as_cut_off_though_sigterm_fires_no_hook() {
    for version in &versions() {
        killed(version, "TERM");
    }
}

#[test]
fn a_turn_arrives_marked_as_cut_off_though_codex_was_killed_at_once() {
    for version in &versions() {
        killed(version, "KILL");
    }
}

#[test]
fn exec_ends_without_waiting_for_delivery_and_the_trace_arrives_afterwards() {
    on_each("exec-tool", |stage| {
        // Nothing can be delivered before Codex has ended.
        stage.collector.inject("/", Fault::Status(503, None));
        let outputs = stage.run().unwrap();
        assert_eq!(outputs[0].code, Some(0), "{}", outputs[0].stderr);
        stage.collector.heal();
        // No flush: the worker that outlives Codex does it.
        wait_for_turns(stage, 1);
        arrived(stage, 1);
    });
}

#[test]
fn with_flush_on_turn_end_the_trace_is_there_when_exec_ends() {
    let scenario = Scenario::answering(json!([
        [{"type": "message", "text": "Here.", "phase": "final_answer"}],
    ]));
    with(NEWEST, scenario, |stage| {
        let env = [("LANGSMITH_CODEX_FLUSH_ON_TURN_END", "true")];
        let output = stage.home.exec("Are you there?", &env).unwrap();
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let roots = stage.collector.runs().roots().len();
        assert_eq!(roots, 1, "{}", stage.logs());
        // What Codex wrote after the hook is added to the same runs.
        stage.flush().unwrap();
        let runs = stage.collector.runs();
        runs.assert_sound();
        assert_tree(
            &runs,
            "
            openai.codex (chain)
              openai.codex.turn (llm)",
        );
    });
}
