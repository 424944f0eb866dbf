//! What sessions are made of: tools, agents, compactions, ends of every kind.

use codex_tracing_tests::{CodexVersion, Row, Rows, Scenario, assert_outline, versions};
use serde_json::{Value, json};

use super::outline::outline;
use super::{NEWEST, arrived, on, on_each, stage, subagents, tree, turns};

fn tools(rows: &Rows) -> Vec<&str> {
    rows.typed("tool").into_iter().map(Row::name).collect()
}

fn failed(rows: &Rows) -> Vec<&str> {
    let failed = |row: &&Row| row.error().is_some();
    rows.typed("tool")
        .into_iter()
        .filter(failed)
        .map(Row::name)
        .collect()
}

#[test]
fn a_turn_with_two_tool_calls_of_which_one_fails_arrives_whole() {
    for version in versions() {
        let scenario = Scenario {
            run: serde_json::from_value(json!([{"exec": ["Try two things."]}])).unwrap(),
            ..Scenario::answering(json!([
                [{"type": "function_call", "name": "exec_command", "args": {"cmd": "echo fine"}}],
                [{"type": "function_call", "name": "exec_command", "args": {"cmd": "exit 3"}}],
                [{"type": "message", "text": "One worked.", "phase": "final_answer"}],
            ]))
        };
        let Some(stage) = stage(&version, scenario) else {
            continue;
        };
        let outputs = stage.run().unwrap();
        assert_eq!(outputs[0].code, Some(0), "{}", outputs[0].stderr);
        assert!(
            !outputs[0].stderr.contains("codex-tracing"),
            "{}",
            outputs[0].stderr
        );
        let rows = arrived(&stage, 1);
        let turn = turns(&rows)[0];
        let text = |value: &str| Some(Value::from(value));
        assert_eq!(turn.fields.get("input").cloned(), text("Try two things."));
        assert_eq!(turn.fields.get("output").cloned(), text("One worked."));
        assert!(turn.error().is_none());
        let calls = rows.typed("llm");
        assert_eq!(calls.len(), 3, "{}", tree(&rows));
        for call in &calls {
            assert_eq!(call.name(), "gpt-5.5");
            assert!(call.fields.get("input").is_some_and(Value::is_array));
        }
        assert_eq!(tools(&rows), ["exec_command"; 2]);
        let tools = rows.typed("tool");
        assert!(tools[0].error().is_none(), "{}", tree(&rows));
        assert_eq!(tools[0].metadata("tool_approval"), Some(&json!("approved")));
        assert!(tools[1].error().is_some(), "{}", tree(&rows));
        assert_eq!(tools[1].metadata("exit_code"), Some(&json!(3)));
        assert_eq!(rows.all().len(), 7, "{}", tree(&rows));
        assert_outline(
            &outline(&rows),
            r#"
            codex: app (task) -> "One worked."
              turn (task) "Try two things." -> "One worked."
                gpt-5.5 (llm) -> exec_command
                exec_command (tool) {"cmd":"echo fine"}
                gpt-5.5 (llm) -> exec_command
                exec_command (tool) {"cmd":"exit 3"} ! exit code 3
                gpt-5.5 (llm) -> "One worked."
            "#,
        );
        let root = rows.roots()[0];
        assert_eq!(root.metadata("cli_version"), Some(&json!(version)));
        assert_eq!(root.fields.get("output").cloned(), text("One worked."));
    }
}

#[test]
fn parallel_tools_each_have_their_span() {
    on_each("parallel-tools", |stage| {
        stage.run().unwrap();
        let rows = arrived(stage, 1);
        assert_eq!(tools(&rows).len(), 6, "{}", tree(&rows));
        assert!(failed(&rows).is_empty(), "{}", tree(&rows));
        assert_eq!(rows.named("apply_patch").len(), 1);
        assert_outline(
            &outline(&rows),
            r#"
            codex: app (task) -> "All seen."
              turn (task) "Look at everything at once." -> "All seen."
                gpt-5.5 (llm) -> "Three looks at once.", exec_command, exec_command, exec_command, apply_patch
                apply_patch (tool) "*** Begin Patch"
                exec_command (tool) {"cmd":"echo fast"}
                exec_command (tool) {"cmd":"sleep 0.3; echo middle"}
                exec_command (tool) {"cmd":"sleep 0.6; echo slow"}
                gpt-5.5 (llm) -> exec_command, exec_command
                exec_command (tool) {"cmd":"cat notes.txt"}
                exec_command (tool) {"cmd":"git status --short"}
                gpt-5.5 (llm) -> "All seen."
            "#,
        );
    });
}

#[test]
fn tools_of_mcp_servers_carry_their_results_and_errors() {
    on_each("mcp-tool", |stage| {
        stage.run().unwrap();
        let rows = arrived(stage, 1);
        let whole = r#"
            codex: app (task) -> "Noted."
              turn (task) "Keep a note." -> "Noted."
                gpt-5.5 (llm) -> add_note
                add_note (tool) {"text":"buy milk"}
                gpt-5.5 (llm) -> slow, fail
                fail (tool) {"text":"x"} ! the note store is full
                slow (tool) {"text":"call home"}
                gpt-5.5 (llm) -> "Noted."
            "#;
        if stage.home.cli().version() < CodexVersion::minor(129) {
            // 0.128 records what the tool said, and not that it was an error.
            let error = " ! the note store is full";
            assert_outline(&outline(&rows), &whole.replace(error, ""));
            return;
        }
        assert_outline(&outline(&rows), whole);
        for tool in rows.typed("tool") {
            assert_eq!(tool.metadata("mcp_server"), Some(&json!("notes")));
            assert_eq!(tool.metadata("tool_kind"), Some(&json!("mcp")));
        }
    });
}

#[test]
fn a_patch_tells_which_files_it_changed() {
    on_each("apply-patch", |stage| {
        stage.run().unwrap();
        let rows = arrived(stage, 1);
        let patches = rows.named("apply_patch");
        assert_eq!(patches.len(), 1, "{}", tree(&rows));
        // 0.128 keeps no record of what a patch changed; its text is all there is.
        if stage.home.cli().version() >= CodexVersion::minor(129) {
            let changes = patches[0].metadata("file_changes").unwrap().to_string();
            assert!(changes.contains("notes.txt") && changes.contains("src/main.py"));
        }
        let input = patches[0].fields.get("input").and_then(Value::as_str);
        assert!(input.unwrap_or_default().starts_with("*** Begin Patch"));
        assert_outline(
            &outline(&rows),
            r#"
            codex: app (task) -> "Done: it now says hello, world."
              turn (task) "Make the greeting friendlier." -> "Done: it now says hello, world."
                gpt-5.5 (llm) -> reasoning, apply_patch
                apply_patch (tool) "*** Begin Patch"
                gpt-5.5 (llm) -> exec_command
                exec_command (tool) {"cmd":"python3 src/main.py"}
                gpt-5.5 (llm) -> "Done: it now says hello, world."
            "#,
        );
    });
}

/// Depth of each subagent's span below the root, and that each hangs under a turn.
fn depths(rows: &Rows) -> Vec<usize> {
    let mut depths: Vec<usize> = subagents(rows)
        .into_iter()
        .map(|agent| {
            let mut row = agent;
            let mut depth = 0;
            while let Some(parent) = row.parents().first() {
                row = rows.get(parent).unwrap();
                depth += 1;
            }
            depth
        })
        .collect();
    depths.sort_unstable();
    depths
}

#[test]
fn subagents_nest_under_the_turn_that_spawned_them_at_any_depth() {
    on_each("subagents", |stage| {
        stage.run().unwrap();
        let rows = arrived(stage, 4);
        // root, turn, agent; and below it: its turn, its agent.
        assert_eq!(depths(&rows), [2, 2, 4], "{}", tree(&rows));
        for agent in subagents(&rows) {
            let parent = rows.get(agent.parents()[0]).unwrap();
            assert!(parent.name().starts_with("turn: "), "{}", tree(&rows));
            assert!(agent.metadata("spawned_by_call_id").is_some());
        }
        // What its helper says may reach Beta once more when it has answered: then it says so again.
        let answer = "        gpt-5.5 (llm) -> \"Beta result: gamma had nothing to do.\"\n";
        assert_outline(
            &outline(&rows).replace(&answer.repeat(2), answer),
            r#"
            codex: app (task) -> "Both helpers are done."
              turn (task) "Root task: use helpers." -> "Both helpers are done."
                gpt-5.5 (llm) -> "I use two helpers.", spawn_agent, spawn_agent
                spawn_agent (tool) {"message":"Alpha task: count the files."}
                spawn_agent (tool) {"message":"Beta task: check the tests."}
                gpt-5.5 (llm) -> wait_agent
                wait_agent (tool) {"targets":["ID"],"timeout_ms":120000}
                gpt-5.5 (llm) -> wait_agent
                wait_agent (tool) {"targets":["ID"],"timeout_ms":120000}
                gpt-5.5 (llm) -> close_agent, close_agent
                close_agent (tool) {"target":"ID"}
                close_agent (tool) {"target":"ID"}
                gpt-5.5 (llm) -> "Both helpers are done."
                subagent (task) "Alpha task: count the files." -> "Alpha result: one file."
                  turn (task) "Alpha task: count the files." -> "Alpha result: one file."
                    gpt-5.5 (llm) -> exec_command
                    exec_command (tool) {"cmd":"echo alpha at work"}
                    gpt-5.5 (llm) -> "Alpha result: one file."
                subagent (task) "Beta task: check the tests." -> "Beta result: gamma had nothing to do."
                  turn (task) "Beta task: check the tests." -> "Beta result: gamma had nothing to do."
                    gpt-5.5 (llm) -> reasoning, spawn_agent
                    spawn_agent (tool) {"message":"Gamma task: check the sources."}
                    gpt-5.5 (llm) -> wait_agent
                    wait_agent (tool) {"targets":["ID"],"timeout_ms":120000}
                    gpt-5.5 (llm) -> "Beta result: gamma had nothing to do."
                    subagent (task) "Gamma task: check the sources." -> "Gamma result: nothing to do."
                      turn (task) "Gamma task: check the sources." -> "Gamma result: nothing to do."
                        gpt-5.5 (llm) -> exec_command
                        exec_command (tool) {"cmd":"sleep 0.3; echo gamma at work"}
                        gpt-5.5 (llm) -> "Gamma result: nothing to do."
            "#,
        );
    });
}

#[test]
fn agents_of_the_second_kind_nest_as_well_and_repeat_nothing_of_their_parent() {
    on(NEWEST, "subagents-v2", |stage| {
        stage.run().unwrap();
        stage.wait_for("three agents", |collector| {
            subagents(&collector.rows()).len() == 3
        });
        let turns = stage.home.rollouts().iter().map(|file| started(file)).sum();
        let rows = arrived(stage, turns);
        assert_eq!(depths(&rows), [2, 2, 4], "{}", tree(&rows));
    });
}

/// How many turns a rollout tells the start of.
fn started(rollout: &std::path::Path) -> usize {
    let text = std::fs::read_to_string(rollout).unwrap();
    text.matches(r#""type":"task_started""#).count()
}

#[test]
fn tools_called_by_a_script_lie_within_the_script() {
    on(NEWEST, "code-mode", |stage| {
        stage.run().unwrap();
        let rows = arrived(stage, 1);
        let cells: Vec<_> = rows
            .typed("tool")
            .into_iter()
            .filter(|row| row.metadata("tool_kind") == Some(&json!("cell")))
            .collect();
        assert_eq!(cells.len(), 4, "{}", tree(&rows));
        let inside: Vec<usize> = cells
            .iter()
            .map(|cell| rows.children(cell.span_id()).len())
            .collect();
        assert!(
            inside.starts_with(&[2, 2, 1]),
            "{inside:?}\n{}",
            tree(&rows)
        );
        assert!(cells[2].error().is_some(), "{}", tree(&rows));
    });
}

#[test]
fn an_interrupted_turn_arrives_marked_as_such() {
    on_each("interrupted", |stage| {
        stage.run().unwrap();
        let rows = arrived(stage, 1);
        let error = turns(&rows)[0].error().unwrap().to_string().to_lowercase();
        assert!(error.contains("interrupt"), "{error}");
        assert_eq!(failed(&rows), ["exec_command"], "{}", tree(&rows));
        assert_outline(
            &outline(&rows),
            r#"
            codex: app (task)
              turn (task) "Run something long." ! interrupted by the user
                gpt-5.5 (llm) -> "This takes a while.", exec_command
                exec_command (tool) {"cmd":"echo begun; sleep 30; echo ended","yield_t… ! aborted by the user
            "#,
        );
    });
}

#[test]
fn a_turn_that_ends_in_a_model_error_arrives_though_no_stop_hook_fires() {
    on_each("model-error", |stage| {
        stage.run().unwrap();
        let rows = arrived(stage, 1);
        assert!(turns(&rows)[0].error().is_some(), "{}", tree(&rows));
        assert!(failed(&rows).is_empty(), "{}", tree(&rows));
        let error = turns(&rows)[0].error().and_then(Value::as_str).unwrap();
        // Codex before 0.147 does not record the reason.
        let words = if stage.home.cli().version() < CodexVersion::minor(147) {
            "the turn ended without an answer"
        } else {
            "currently experiencing high demand"
        };
        assert!(error.contains(words), "{error}");
        let shown: String = error.chars().take(50).collect();
        assert_outline(
            &outline(&rows).replace(&shown, "the reason"),
            r#"
            codex: app (task)
              turn (task) "Ask a broken model." ! the reason…
                gpt-5.5 (llm) -> exec_command
                exec_command (tool) {"cmd":"echo fine"}
                gpt-5.5 (llm) ! the reason…
            "#,
        );
    });
}

#[test]
fn compactions_are_spans_of_their_own_and_the_tokens_add_up() {
    on_each("auto-compact", |stage| {
        stage.run().unwrap();
        let rows = arrived(stage, 2);
        let compactions = rows.named("compaction");
        assert_eq!(compactions.len(), 2, "{}", tree(&rows));
        for compaction in compactions {
            assert_eq!(compaction.fields.get("tags"), Some(&json!(["compaction"])));
            let parent = rows.get(compaction.parents()[0]).unwrap();
            assert!(parent.name().starts_with("turn: "));
            assert!(parent.fields.get("tags").is_none(), "the turn is none");
        }
        let calls = rows.typed("llm");
        let last = calls.last().unwrap();
        let input = last.fields.get("input").unwrap().to_string();
        assert!(!input.contains("echo first"), "old history: {input}");
        assert_outline(
            &outline(&rows),
            r#"
            codex: app (task) -> "Second answer."
              turn (task) "Read much." -> "First answer."
                gpt-5.5 (llm) -> exec_command
                exec_command (tool) {"cmd":"echo first"}
                compaction (llm) -> "Summary: one command was run." #compaction
                gpt-5.5 (llm) -> exec_command
                exec_command (tool) {"cmd":"echo second"}
                gpt-5.5 (llm) -> "First answer."
              turn (task) "Go on." -> "Second answer."
                compaction (llm) -> "Summary: two commands were run, one answer given." #compaction
                gpt-5.5 (llm) -> "Second answer."
            "#,
        );
    });
}

#[test]
fn searches_of_the_web_are_tool_spans() {
    on_each("web-search", |stage| {
        stage.run().unwrap();
        let rows = arrived(stage, 1);
        assert_eq!(tools(&rows).len(), 2, "{}", tree(&rows));
        for tool in rows.typed("tool") {
            assert_eq!(tool.metadata("tool_kind"), Some(&json!("web_search")));
        }
    });
}

#[test]
fn a_review_arrives_though_no_hook_tells_of_its_end() {
    on_each("review", |stage| {
        stage.run().unwrap();
        stage.wait_for("every end", |collector| {
            let rows = collector.rows();
            rows.typed("tool").len() == 1 && rows.all().iter().all(|row| row.end_at().is_some())
        });
        stage.flush().unwrap();
        let rows = stage.collector.rows();
        super::check(stage, &rows);
        assert_eq!(tools(&rows), ["exec_command"], "{}", tree(&rows));
    });
}
