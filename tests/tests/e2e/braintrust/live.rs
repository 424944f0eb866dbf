//! Turns are seen while they run.

use std::time::SystemTime;

use codex_tracing_tests::{Collector, Content, Row, Rows, Scenario, Stage, versions};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{arrived, stage, tree, turns};

/// The tool waits for a file that only the test makes, so that the turn cannot end before the test
/// has seen it.
pub(super) fn waiting() -> Scenario {
    let wait = "for i in $(seq 6000); do test -e go && break; sleep 0.05; done; echo gone";
    let poll = r#"{"session_id":${sid},"chars":"","yield_time_ms":30000}"#;
    Scenario {
        run: serde_json::from_value(json!([{"exec": ["Wait for me."]}])).unwrap(),
        vars: json!({"sid": r"session ID (\d+)"}),
        ..Scenario::answering(json!([
            // Codex lets a model wait for half a minute at most.
            {"last": "Process running with session ID", "any": true,
                "items": [{"type": "function_call", "name": "write_stdin", "args": poll}]},
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

/// How far spans may be behind the rollout.
const BEHIND: SignedDuration = SignedDuration::from_secs(2);
/// What the script of [`slow`] takes by itself.
const SCRIPTED: SignedDuration = SignedDuration::from_secs(13);
/// What Codex takes beside that, and more, on a machine of today.
const USUAL: SignedDuration = SignedDuration::from_millis(500);

/// A slow model, a slow tool and a quick one.
fn slow() -> Scenario {
    let call = |cmd: &str| {
        json!({"type": "function_call", "name": "exec_command",
            "args": {"cmd": cmd, "yield_time_ms": 30_000}})
    };
    Scenario {
        run: serde_json::from_value(json!([{"exec": ["Take your time."]}])).unwrap(),
        ..Scenario::answering(json!([
            [{"sleep": 3.0}, call("sleep 4; echo slow")],
            [{"type": "message", "text": "Half way.", "phase": "commentary"}, {"sleep": 3.0},
                call("echo quick")],
            [{"sleep": 3.0}, {"type": "message", "text": "Done.", "phase": "final_answer"}],
        ]))
    }
}

/// When a row was first at the collector in a form that `shows` it.
fn shown_at(stage: &Stage, id: &str, shows: impl Fn(&Value) -> bool) -> Option<Timestamp> {
    let requests = stage.collector.requests();
    let arrived = requests.into_iter().find(|request| {
        let Content::Json(body) = &request.content else {
            return false;
        };
        let rows = body.get("rows").and_then(Value::as_array);
        let mut rows = rows.into_iter().flatten();
        rows.any(|row| row.get("id") == Some(&Value::from(id)) && shows(row))
    });
    Timestamp::try_from(arrived?.at).ok()
}

#[test]
fn every_span_and_every_end_is_there_at_most_two_seconds_after_its_record() {
    for version in versions() {
        // Other tests run beside this one: it is looked at again before anything counts as late.
        let late: Vec<_> = (0..3)
            .map_while(|_| late(&version).filter(|late| !late.is_empty()))
            .collect();
        assert!(late.len() < 3, "{version}: {late:#?}");
    }
}

/// What was later than it may be; `None` if this Codex cannot be had.
fn late(version: &str) -> Option<Vec<String>> {
    let stage = stage(version, slow())?;
    let outputs = stage.run().unwrap();
    assert_eq!(outputs[0].code, Some(0), "{}", outputs[0].stderr);
    // Where Codex itself is slow, on another machine or a busy one, we are not faster.
    let own = SignedDuration::try_from(outputs[0].took).unwrap() - SCRIPTED;
    let most = BEHIND + (own - USUAL).max(SignedDuration::ZERO);
    let behind = behind(&stage, version);
    let late = behind.into_iter().filter(|(_, behind)| {
        let in_time = |behind: &SignedDuration| *behind <= most;
        !behind.as_ref().is_some_and(in_time)
    });
    let told = late.map(|(what, behind)| format!("{what}: {behind:?}, not {most:?}"));
    Some(told.collect())
}

/// How far each thing that came due was behind its record; `None` if it never came.
fn behind(stage: &Stage, version: &str) -> Vec<(&'static str, Option<SignedDuration>)> {
    let rows = arrived(stage, 1);
    let (turn, root) = (turns(&rows)[0].id(), rows.roots()[0].id());
    let calls: Vec<&str> = rows.typed("llm").into_iter().map(Row::id).collect();
    let tools: Vec<&str> = rows.typed("tool").into_iter().map(Row::id).collect();
    let exists = |_: &Value| true;
    let ended = |row: &Value| row.pointer("/metrics/end").is_some();
    let counted = |row: &Value| row.pointer("/metrics/tokens").is_some();
    let answered = |row: &Value| row.get("output").is_some();
    let rollout = rollout(stage);
    let (mut called, mut returned) = (0, 0);
    let mut seen = Vec::new();
    for line in rollout.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let kind = record.pointer("/payload/type").and_then(Value::as_str);
        let at: Timestamp = record["timestamp"].as_str().unwrap().parse().unwrap();
        let mut due = |what: &'static str, shown: Option<Timestamp>| {
            let behind = shown.map(|shown| shown.duration_since(at));
            eprintln!("{version}: {what} {behind:?} after {at}");
            seen.push((what, behind));
        };
        match kind {
            Some("task_started") => {
                due("turn", shown_at(stage, turn, exists));
                due("root", shown_at(stage, root, exists));
            }
            Some("function_call") => {
                due("call", shown_at(stage, calls[called], exists));
                due("tool", shown_at(stage, tools[called], exists));
                called += 1;
            }
            Some("message") if line.contains("Half way.") => {
                due("call", shown_at(stage, calls[called], exists));
            }
            Some("function_call_output") => {
                due("tool's end", shown_at(stage, tools[returned], ended));
                due("call's tokens", shown_at(stage, calls[returned], counted));
                returned += 1;
            }
            Some("task_complete") => {
                due("last call", shown_at(stage, calls[called], counted));
                due("answer", shown_at(stage, turn, answered));
                due("turn's end", shown_at(stage, turn, ended));
                due("root's end", shown_at(stage, root, ended));
            }
            _ => {}
        }
    }
    assert_eq!((called, returned, seen.len()), (2, 2, 15), "{rollout}");
    seen
}
