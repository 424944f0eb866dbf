//! `recordFile` and `replay`.

use codex_tracing_tests::{Collector, PATIENCE, Scenario, versions};
use serde_json::{Value, json};

use super::{ended_turns, stage, tree};

const SECRET: &str = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ";
const KEY: &str = "sk-0123456789abcdef";

#[test]
fn recorded_events_hold_no_secret_and_a_replay_delivers_the_same_rows() {
    for version in versions() {
        let prompt = format!("My key is {SECRET}.");
        let scenario = Scenario {
            run: serde_json::from_value(json!([{"exec": [prompt]}])).unwrap(),
            ..Scenario::answering(json!([
                [{"type": "function_call", "name": "exec_command", "args": {"cmd": "echo fine"}}],
                [{"type": "message", "text": "Noted.", "phase": "final_answer"}],
            ]))
        };
        let Some(mut stage) = stage(&version, scenario) else {
            continue;
        };
        let file = stage.home.home().join("events.ndjson");
        let file = file.to_str().unwrap().to_owned();
        stage
            .home
            .set_env("BRAINTRUST_EVENT_SERVER_RECORD_FILE", &file);
        stage.run().unwrap();
        stage.wait_for("a turn", |collector| ended_turns(collector) == 1);
        stage.flush().unwrap();

        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.contains(SECRET) && !text.contains(KEY), "{text}");
        let events: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let names: Vec<_> = events
            .iter()
            .map(|event| event["eventName"].clone())
            .collect();
        for name in ["SessionStart", "UserPromptSubmit", "Stop"] {
            assert!(names.contains(&json!(name)), "{names:?}");
        }
        assert_private(&file);

        let first = stage.collector.rows();
        first.assert_sound();
        let sent = format!("{:?}", first.all());
        assert!(!sent.contains(SECRET), "{sent}");

        stage.collector = Collector::start().unwrap();
        let key = "sk-of-the-replay-0123";
        stage.home.set_env("BRAINTRUST_API_KEY", key);
        stage
            .home
            .set_env("BRAINTRUST_API_URL", &stage.collector.url());
        stage
            .home
            .set_env("BRAINTRUST_APP_URL", &stage.collector.url());
        stage
            .home
            .set_env("BRAINTRUST_EVENT_SERVER_RECORD_FILE", "");
        let output = stage.tool(&["replay", &file]).unwrap();
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let there = stage
            .collector
            .wait_until(PATIENCE, |collector| ended_turns(collector) == 1);
        assert!(there, "{}", stage.logs());
        stage.flush().unwrap();
        let second = stage.collector.rows();
        second.assert_sound();
        assert_eq!(second.of_key(key).all().len(), second.all().len());
        let fields = |rows: &codex_tracing_tests::Rows| -> Vec<Value> {
            let fields = rows.all().iter().map(|row| json!(row.fields));
            fields.collect()
        };
        assert_eq!(fields(&first), fields(&second), "{}", tree(&second));
    }
}

#[cfg(unix)]
fn assert_private(file: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
}

#[cfg(not(unix))]
fn assert_private(_: &str) {}
