//! Ends that are recorded late. Codex writes them in other tasks than the answers of its tools: on
//! a busy machine they come after these, or after the next call.

use std::fs;

use codex_tracing_transcript::{ToolStatus, Turn};
use serde_json::Value;

use crate::corpus::{all, assemble};
use crate::invariants::check_turn;

/// So many records later at most.
const LATEST: usize = 4;

/// Words in records that begin or end a turn. An end beyond the end of its turn is another matter.
const BOUNDARIES: [&str; 4] = [
    r#""type":"task_started""#,
    r#""type":"task_complete""#,
    r#""type":"turn_aborted""#,
    r#""type":"turn_context""#,
];

/// Whether a line tells of the end of something that a tool did.
fn is_end(line: &str) -> bool {
    let Ok(record) = serde_json::from_str::<Value>(line) else {
        return false;
    };
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str);
    match text("/payload/type") {
        Some("item_completed") => matches!(
            text("/payload/item/type"),
            Some("CommandExecution" | "FileChange" | "McpToolCall")
        ),
        Some(kind) => matches!(
            kind,
            "exec_command_end" | "patch_apply_end" | "mcp_tool_call_end"
        ),
        None => false,
    }
}

/// What must not depend on when an end was recorded: everything but times.
fn told(turns: &[Turn]) -> Vec<String> {
    let mut told = Vec::new();
    for turn in turns {
        told.push(format!(
            "turn {} {:?} {:?} {:?}",
            turn.number, turn.status, turn.error, turn.usage
        ));
        for call in &turn.calls {
            told.push(format!("call {:?} {:?}", call.response_id, call.usage));
        }
        let mut tools: Vec<String> = turn
            .tools
            .iter()
            .map(|tool| {
                format!(
                    "tool {} {} of {:?} in {:?}: {:?} {:?} {:?} {:?}",
                    tool.id,
                    tool.name,
                    tool.model_call,
                    tool.parent,
                    tool.arguments,
                    tool.outcome,
                    tool.approval,
                    tool.changes
                )
            })
            .collect();
        tools.sort();
        told.extend(tools);
    }
    told
}

/// What a cell made lies within it.
fn check_cells(what: &str, turn: &Turn) {
    for tool in &turn.tools {
        let parent = tool.parent.as_ref();
        let cell = turn.tools.iter().find(|cell| Some(&cell.id) == parent);
        let Some(cell) = cell.filter(|cell| cell.outcome.status != ToolStatus::Interrupted) else {
            continue;
        };
        let (inner, outer) = (tool.window, cell.window);
        assert!(inner.started_at >= outer.started_at, "{what}: {}", tool.id);
        assert!(inner.ended_at <= outer.ended_at, "{what}: {}", tool.id);
    }
}

#[test]
fn an_end_that_is_recorded_late_changes_nothing_but_times() {
    let mut moved = 0;
    for (name, path) in all() {
        let text = fs::read_to_string(path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let (_, turns) = assemble(text.as_bytes(), &[]);
        let expected = told(&turns);
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| is_end(line)) {
            for late in 1..=LATEST {
                let Some(between) = lines.get(at + 1..=at + late) else {
                    break;
                };
                let ends = |line: &&str| BOUNDARIES.iter().any(|word| line.contains(word));
                if between.iter().any(ends) {
                    break;
                }
                let mut lines = lines.clone();
                lines.remove(at);
                lines.insert(at + late, line);
                let (_, turns) = assemble((lines.join("\n") + "\n").as_bytes(), &[]);
                let what = format!("{name}, line {} {late} records later", at + 1);
                assert_eq!(told(&turns), expected, "{what}");
                for turn in &turns {
                    check_turn(&what, turn);
                    check_cells(&what, turn);
                }
                moved += 1;
            }
        }
    }
    assert!(moved > 300, "only {moved} cases");
}
