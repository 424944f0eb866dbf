//! Turns are seen while they run.

use std::time::SystemTime;

use codex_tracing_tests::{Collector, Row, Rows, Scenario, Stage, versions};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{arrived, stage, tree, turns};

/// The tool waits for a file that only the test makes, so that the turn cannot end before the test
/// has seen it.
pub(super) fn waiting() -> Scenario {
    let wait = "for i in $(seq 600); do test -e go && break; sleep 0.05; done; echo gone";
    Scenario {
        run: serde_json::from_value(json!([{"exec": ["Wait for me."]}])).unwrap(),
        ..Scenario::answering(json!([
            [{"type": "function_call", "name": "exec_command",
                "args": {"cmd": wait, "yield_time_ms": 30_000}}],
            [{"type": "message", "text": "Waited.", "phase": "final_answer"}],
        ]))
    }
}

fn open_tool(rows: &Rows) -> Option<Row> {
    let open = |row: &&&Row| row.end_at().is_none();
    rows.typed("tool")
        .iter()
        .find(open)
        .map(|row| (*row).clone())
}

#[test]
fn spans_of_a_running_turn_are_there_before_it_ends() {
    for version in versions() {
        let Some(stage) = stage(&version, waiting()) else {
            continue;
        };
        let running = stage.home.spawn_exec(&["Wait for me."], &[]).unwrap();
        stage.wait_for("a running tool", |collector: &Collector| {
            open_tool(&collector.rows()).is_some()
        });
        let seen_at = SystemTime::now();
        let rollout = rollout(&stage);
        assert!(!rollout.contains("task_complete"), "the turn is over");
        let rows = stage.collector.rows();
        let turn = turns(&rows)[0];
        assert_eq!(turn.fields["input"], json!("Wait for me."));
        assert!(turn.end_at().is_none() && turn.fields.get("output").is_none());
        assert!(rows.roots()[0].end_at().is_none(), "{}", tree(&rows));
        let tool = open_tool(&rows).unwrap();
        assert_eq!(tool.parents(), [turn.span_id()]);
        let seen_at = Timestamp::try_from(seen_at).unwrap();
        let behind = seen_at.duration_since(written_at(&rollout));
        eprintln!("{version}: the tool's span came {behind:#} after its record");
        std::fs::write(stage.home.app().join("go"), "").unwrap();
        let output = running.wait(codex_tracing_tests::PATIENCE).unwrap();
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let rows = arrived(&stage, 1);
        let (now, tool_now) = (turns(&rows)[0], rows.get(tool.id()).unwrap());
        assert_eq!(now.fields["output"], json!("Waited."));
        assert_eq!(tool_now.start_at(), tool.start_at());
        assert!(tool_now.end_at().is_some() && tool_now.error().is_none());
    }
}

fn rollout(stage: &Stage) -> String {
    std::fs::read_to_string(&stage.home.rollouts()[0]).unwrap()
}

/// When the record of the tool call was written.
fn written_at(rollout: &str) -> Timestamp {
    let line = rollout
        .lines()
        .find(|line| line.contains("\"function_call\""));
    let record: Value = serde_json::from_str(line.unwrap()).unwrap();
    record["timestamp"].as_str().unwrap().parse().unwrap()
}
