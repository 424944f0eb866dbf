//! Rollouts that nobody but an attacker writes.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::sync::Arc;

use codex_tracing_transcript::{Arguments, Assembler, Tail, Verbatim};
use serde_json::{Value, json};

use crate::script::Script;

const META: &str = r#"{"timestamp":"2026-11-20T10:00:00.000Z","type":"session_meta","payload":{"id":"01a1f885-5d62-7961-8288-2fca5debe037","timestamp":"2026-11-20T10:00:00.000Z","cwd":"/w","originator":"codex_exec","cli_version":"0.169.0"}}"#;

#[test]
fn a_line_of_100_megabytes_is_passed_over_and_the_lines_around_it_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rollout.jsonl");
    let mut file = std::fs::File::create(&path).unwrap();
    writeln!(file, "{META}").unwrap();
    // A hole: long to read, quick to write.
    file.seek(SeekFrom::Current(100 << 20)).unwrap();
    writeln!(file, "\n{{}}").unwrap();
    let mut lines = Vec::new();
    let mut tail = Tail::open(&path).unwrap();
    let progress = tail.read(&mut |_, line| lines.push(line.to_vec())).unwrap();
    assert_eq!(lines, [META.as_bytes(), b"{}"]);
    assert_eq!(progress.too_long, 1);
}

#[test]
fn values_too_deep_to_be_read_again_inside_others_are_texts_from_there_on() {
    for (depth, is_kept) in [(60, true), (120, false)] {
        let deep = "[".repeat(depth) + "\"word\"" + &"]".repeat(depth);
        let call = json!({"type": "function_call", "name": "n", "call_id": "c", "arguments": deep});
        let output = json!({"type": "function_call_output", "call_id": "c", "output": "done"});
        let mut script = Script::begun().item(&call).item(&output);
        script.assembler.cut_off();
        let turns = script.assembler.take_turns();
        let Arguments::Json(arguments) = &turns[0].tools[0].arguments else {
            panic!("{turns:?}");
        };
        assert_eq!(*arguments == deep.parse::<Value>().unwrap(), is_kept);
        let text = serde_json::to_string(&turns).unwrap();
        assert!(text.contains("word"), "{text}");
        // What is sent puts values into further ones; readers of JSON take 128 of them.
        let around = format!("{}{text}{}", "[".repeat(10), "]".repeat(10));
        assert!(around.parse::<Value>().is_ok(), "{depth}");
    }
}

#[test]
fn json_nested_100_000_deep_is_skipped_without_exhausting_the_stack() {
    let open = "[".repeat(100_000);
    let close = "]".repeat(100_000);
    let members = "{\"a\":".repeat(100_000);
    let record = |payload: &str| {
        format!(
            "{{\"timestamp\":\"2026-11-20T10:00:01.000Z\",\"type\":\"response_item\",\
             \"payload\":{payload}}}"
        )
    };
    let in_string = serde_json::to_string(&format!("{open}{close}")).unwrap();
    let call = format!(
        "{{\"type\":\"function_call\",\"name\":\"n\",\"call_id\":\"c\",\"arguments\":{in_string}}}"
    );
    let mut assembler = Assembler::new(Arc::new(Verbatim));
    let mut offset = 0;
    for line in [
        META.to_owned(),
        open.clone(),
        members.clone(),
        record(&format!("{open}{close}")),
        record(&format!(
            "{{\"type\":\"message\",\"content\":{open}{close}}}"
        )),
        record(&members),
        record(&call),
    ] {
        assembler.push(offset, line.as_bytes());
        offset += line.len() as u64 + 1;
    }
    assembler.cut_off();
    let _ = assembler.take_turns();
    assert!(assembler.session().is_some(), "what is sound was read");
    let skipped: u64 = assembler.skipped().counts.values().sum();
    assert!(skipped >= 3, "{:?}", assembler.skipped());
}

#[test]
fn no_instant_and_no_duration_is_too_extreme() {
    let instants = [
        "-009999-01-02T01:59:59Z",
        "1970-01-01T00:00:00Z",
        "9999-12-30T22:00:00.999Z",
    ];
    let numbers = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX];
    let nanos = [i64::from(i32::MIN), -1, 0, i64::from(i32::MAX), i64::MAX];
    let mut ended = 0;
    for at in instants {
        for number in numbers {
            for nanos in nanos {
                let events = [
                    json!({"type": "task_started", "turn_id": "t1", "started_at": number}),
                    json!({"type": "mcp_tool_call_begin", "call_id": "c1",
                        "invocation": {"server": "s", "tool": "t", "arguments": {}}}),
                    json!({"type": "mcp_tool_call_end", "call_id": "c1",
                        "invocation": {"server": "s", "tool": "t", "arguments": {}},
                        "duration": {"secs": number, "nanos": nanos},
                        "result": {"Ok": {"content": []}}}),
                    json!({"type": "item_completed", "turn_id": "t1", "item": {"type": "McpToolCall",
                        "id": "c2", "server": "s", "tool": "t", "status": "completed",
                        "started_at_ms": number, "duration": {"secs": number, "nanos": nanos}}}),
                    json!({"type": "task_complete", "turn_id": "t1", "duration_ms": number,
                        "completed_at": number, "time_to_first_token_ms": number}),
                ];
                let mut assembler = Assembler::new(Arc::new(Verbatim));
                assembler.push(0, META.as_bytes());
                for (offset, event) in (1..).zip(events) {
                    let line = json!({"timestamp": at, "type": "event_msg", "payload": event});
                    assembler.push(offset, line.to_string().as_bytes());
                }
                ended += assembler.take_turns().len();
            }
        }
    }
    assert_eq!(ended, instants.len() * numbers.len() * nanos.len());
}
