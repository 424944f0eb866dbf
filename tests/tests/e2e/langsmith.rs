//! LangSmith, on the real Codex.

use codex_tracing_tests::{CodexVersion, Product, Scenario, Stage, versions};
use serde_json::json;

use super::trace_text::assert_told;
use super::traces::{arrived, on_each, spent, threads};

#[test]
fn a_turn_with_two_tool_calls_of_which_one_fails_arrives_whole_and_once() {
    let scenario = || Scenario {
        run: serde_json::from_value(json!([{"exec": ["Try two things."]}])).unwrap(),
        ..Scenario::answering(json!([
            [{"type": "function_call", "name": "exec_command", "args": {"cmd": "echo fine"}}],
            [{"type": "function_call", "name": "exec_command", "args": {"cmd": "exit 3"}}],
            [{"type": "message", "text": "One worked.", "phase": "final_answer"}],
        ]))
    };
    for version in versions() {
        let Some(stage) = Stage::set(&version, scenario(), &[Product::LangSmith]).unwrap() else {
            continue;
        };
        let outputs = stage.run().unwrap();
        assert_eq!(outputs[0].code, Some(0), "{}", outputs[0].stderr);
        for said in [&outputs[0].stdout, &outputs[0].stderr] {
            assert!(
                !said.contains("codex-tracing"),
                "the hook is silent: {said}"
            );
        }
        // Ends are not before starts, children are within their parents, nothing came twice, and a
        // second flush sends nothing more.
        let runs = arrived(&stage, 1);
        let requests = stage.collector.requests().len();
        stage.flush().unwrap();
        assert_eq!(stage.collector.requests().len(), requests);
        // Tokens are on the three model calls, and on nothing else.
        assert_told(
            &runs,
            r#"
        openai.codex chain · user "Try two things." → "One worked."
          openai.codex.turn llm 1000(400)+50(10) stop=tool_calls · user "Try two things." → exec_command(call)
          exec_command tool · {"cmd":"echo fine"} → "fine"
          openai.codex.turn llm 1100(450)+51(10) stop=tool_calls · tool "fine" → exec_command(call)
          exec_command tool · {"cmd":"exit 3"} → "" ✗ "exit code 3"
          openai.codex.turn llm 1200(500)+52(10) stop=stop · tool "" → "One worked.""#,
        );
        assert_eq!(spent(&runs), stage.tokens_of_codex());
    }
}

#[test]
fn a_failing_tool_is_marked_with_what_it_printed() {
    on_each("failing-tool", |stage| {
        stage.run().unwrap();
        let runs = arrived(stage, 1);
        assert_told(
            &runs,
            r#"
        openai.codex chain · user "Try things that fail." → "Some things failed, as planned."
          openai.codex.turn llm 1000(400)+50(10) stop=tool_calls · user "Try things that fail." → exec_command(call)
          exec_command tool · {"cmd":"ls /does/not/exist; exit 3"} → "ls: cannot access '/does/not/exist': No such file or directory" ✗ "ls: cannot access '/does/not/exist': No such file or directory"
          openai.codex.turn llm 1100(450)+51(10) stop=tool_calls · tool "ls: cannot access '/does/not/exist': No such file or directory" → apply_patch(call)
          apply_patch tool · "*** Begin Patch\n*** Update File: src/main.py\n@@\n-no such line\n+other\n*** End Patch" → "apply_patch verification failed: Failed to find expected lines in <tmp>/dev/app/src/main.py:\nno such…" ✗ "apply_patch verification failed: Failed to find expected lines in <tmp>/dev/app/src/main.py:\nno such…"
          openai.codex.turn llm 1200(500)+52(10) stop=tool_calls · tool "apply_patch verification failed: Failed to find expected lines in <tmp>/dev/app/src/main.py:\nno such…" → no_such_tool(call)
          no_such_tool tool · {"a":1} → "unsupported call: no_such_tool" ✗ "unsupported call: no_such_tool"
          openai.codex.turn llm 1300(550)+53(10) stop=tool_calls · tool "unsupported call: no_such_tool" → exec_command(call)
          exec_command tool · "{not json" → "failed to parse function arguments: key must be a string at line 1 column 2" ✗ "failed to parse function arguments: key must be a string at line 1 column 2"
          openai.codex.turn llm 1400(600)+54(10) stop=tool_calls · tool "failed to parse function arguments: key must be a string at line 1 column 2" → exec_command(call)
          exec_command tool · {"cmd":"echo begun; sleep 5; echo ended","yield_time_ms":2000} → "begun"
          openai.codex.turn llm 1500(650)+55(10) stop=tool_calls · tool "begun" → write_stdin(call)
          write_stdin tool · {"session_id":<n>,"chars":"","yield_time_ms":30000} → "ended"
          openai.codex.turn llm 1600(700)+56(10) stop=stop · tool "ended" → "Some things failed, as planned.""#,
        );
        assert_eq!(spent(&runs), stage.tokens_of_codex());
    });
}

#[test]
fn parallel_tools_each_have_their_run() {
    on_each("parallel-tools", |stage| {
        stage.run().unwrap();
        let runs = arrived(stage, 1);
        assert_told(
            &runs,
            r#"
        openai.codex chain · user "Look at everything at once." → "All seen."
          openai.codex.turn llm 1000(400)+50(10) stop=tool_calls · user "Look at everything at once." → "Three looks at once." exec_command(call) exec_command(call) exec_command(call) apply_patch(call)
          exec_command tool · {"cmd":"sleep 0.6; echo slow"} → "slow"
          exec_command tool · {"cmd":"echo fast"} → "fast"
          exec_command tool · {"cmd":"sleep 0.3; echo middle"} → "middle"
          apply_patch tool · "*** Begin Patch\n*** Add File: notes.txt\n+first line\n+second line\n*** Update File: src/main.py\n@@\n-pr…" → "Success. Updated the following files:\nA notes.txt\nM src/main.py"
          openai.codex.turn llm 1100(450)+51(10) stop=tool_calls · tool "Success. Updated the following files:\nA notes.txt\nM src/main.py" → exec_command(call) exec_command(call)
          exec_command tool · {"cmd":"cat notes.txt"} → "first line\nsecond line"
          exec_command tool · {"cmd":"git status --short"} → "M src/main.py\n?? notes.txt"
          openai.codex.turn llm 1200(500)+52(10) stop=stop · tool "M src/main.py\n?? notes.txt" → "All seen.""#,
        );
        assert_eq!(spent(&runs), stage.tokens_of_codex());
    });
}

#[test]
fn tools_of_mcp_servers_carry_their_results_and_errors() {
    on_each("mcp-tool", |stage| {
        stage.run().unwrap();
        let runs = arrived(stage, 1);
        let expected = r#"
        openai.codex chain · user "Keep a note." → "Noted."
          openai.codex.turn llm 1000(400)+50(10) stop=tool_calls · user "Keep a note." → add_note(call)
          add_note tool · {"text":"buy milk"} → "{\"count\":1}"
          openai.codex.turn llm 1100(450)+51(10) stop=tool_calls · tool "{\"count\":1}" → slow(call) fail(call)
          slow tool · {"text":"call home"} → "{\"count\":1}"
          fail tool · {"text":"x"} → "the note store is full" ✗ "the note store is full"
          openai.codex.turn llm 1200(500)+52(10) stop=stop · tool "the note store is full" → "Noted.""#;
        let version = stage.home.cli().version();
        let mut expected = expected.to_owned();
        if version < CodexVersion::minor(129) {
            // 0.128 does not record that what the tool said was an error.
            expected = expected.replace(r#" ✗ "the note store is full""#, "");
        }
        if version < CodexVersion::minor(148) {
            // Before, the model was given the parts of what the tool said, and not their text.
            let said = r#""[{\"type\":\"text\",\"text\":\"the note store is full\"}]""#;
            for before in ["→", "tool"] {
                let plain = format!(r#"{before} "the note store is full""#);
                expected = expected.replace(&plain, &format!("{before} {said}"));
            }
        }
        // Servers are asked at the same time: either of the two may have begun first.
        let begun: Vec<_> = runs.typed("tool").iter().map(|run| run.name()).collect();
        if begun == ["add_note", "fail", "slow"] {
            let mut lines: Vec<&str> = expected.lines().collect();
            let slow = lines.iter().position(|line| line.contains("slow tool"));
            let slow = slow.unwrap();
            lines.swap(slow, slow + 1);
            expected = lines.join("\n");
        }
        assert_told(&runs, &expected);
        assert_eq!(spent(&runs), stage.tokens_of_codex());
    });
}

#[test]
fn a_turn_interrupted_in_a_command_arrives_once_and_marked_as_such() {
    on_each("interrupted", |stage| {
        stage.run().unwrap();
        let runs = arrived(stage, 1);
        assert_told(
            &runs,
            r#"
        openai.codex chain · user "Run something long." → "<turn_aborted>\nThe user interrupted the previous turn on purpose. Any running unified exec processes…" ✗ "interrupted by the user"
          openai.codex.turn llm 1000(400)+50(10) stop=tool_calls · user "Run something long." → "This takes a while." exec_command(call)
          exec_command tool · {"cmd":"echo begun; sleep 30; echo ended","yield_time_ms":25000} → "aborted by user" ✗ "aborted by the user""#,
        );
    });
}

#[test]
fn a_turn_interrupted_while_the_model_speaks_is_marked_as_such() {
    on_each("interrupted-model", |stage| {
        stage.run().unwrap();
        let runs = arrived(stage, 1);
        assert_told(
            &runs,
            r#"
        openai.codex chain · user "Think for long." → "<turn_aborted>\nThe user interrupted the previous turn on purpose. Any running unified exec processes…" ✗ "interrupted by the user"
          openai.codex.turn llm 1000(400)+50(10) stop=tool_calls · user "Think for long." → exec_command(call)
          exec_command tool · {"cmd":"echo quick"} → "quick"
          openai.codex.turn llm stop=interrupted · tool "quick" → reasoning ✗ "interrupted by the user""#,
        );
    });
}

#[test]
fn a_turn_that_ends_in_a_model_error_arrives_though_no_stop_hook_fires() {
    on_each("model-error", |stage| {
        stage.run().unwrap();
        let runs = arrived(stage, 1);
        let (said, code) = if stage.home.cli().version() < CodexVersion::minor(147) {
            let said = "the turn ended without an answer; this version of Codex records no reason, \
                        which is most often an er…";
            (said, "")
        } else {
            let said =
                "We're currently experiencing high demand, which may cause temporary errors.";
            (said, " — internal_server_error")
        };
        let expected = r#"
        openai.codex chain · user "Ask a broken model." → "fine" ✗ "SAID CODE"
          openai.codex.turn llm 1000(400)+50(10) stop=tool_calls · user "Ask a broken model." → exec_command(call)
          exec_command tool · {"cmd":"echo fine"} → "fine"
          openai.codex.turn llm stop=error · tool "fine" → nothing ✗ "SAID""#;
        assert_told(
            &runs,
            &expected.replace(" CODE", code).replace("SAID", said),
        );
    });
}

#[test]
fn a_call_that_was_asked_again_is_one_run() {
    on_each("model-retry", |stage| {
        stage.run().unwrap();
        let runs = arrived(stage, 1);
        assert_told(
            &runs,
            r#"
        openai.codex chain · user "Ask a shaky model." → "This answer breaks" "This answer is whole."
          openai.codex.turn llm 1000(400)+50(10) stop=tool_calls · user "Ask a shaky model." → exec_command(call)
          exec_command tool · {"cmd":"echo fine"} → "fine"
          openai.codex.turn llm stop=error · tool "fine" → "This answer breaks" ✗ "the stream broke before the response was complete; Codex asked again"
          openai.codex.turn llm 1300(550)+53(10) stop=stop retries=1 · ai "This answer breaks" → "This answer is whole.""#,
        );
    });
}

#[test]
fn compactions_are_seen_and_the_tokens_add_up() {
    on_each("auto-compact", |stage| {
        stage.run().unwrap();
        let runs = arrived(stage, 2);
        assert_told(
            &runs,
            r#"
        openai.codex chain · user "Read much." → "First answer."
          openai.codex.turn llm 25000(400)+60 stop=tool_calls · user "Read much." → exec_command(call)
          exec_command tool · {"cmd":"echo first"} → "first"
          openai.codex.compaction llm 25100(25000)+40 compaction=auto · tool "first" → "Read much." "Another language model started to solve this problem and produced a summary of its thinking process.…"
          openai.codex.turn llm 3000+60 stop=tool_calls · user "Another language model started to solve this problem and produced a summary of its thinking process.…" → exec_command(call)
          exec_command tool · {"cmd":"echo second"} → "second"
          openai.codex.turn llm 26000(3000)+60 stop=stop · tool "second" → "First answer."
        openai.codex chain · user "Go on." → "Second answer."
          openai.codex.compaction llm 1400(600)+54(10) compaction=auto · ai "First answer." → "Read much." "Another language model started to solve this problem and produced a summary of its thinking process.…"
          openai.codex.turn llm 1500(650)+55(10) stop=stop · user "Go on." → "Second answer.""#,
        );
        assert_eq!(spent(&runs), stage.tokens_of_codex());
    });
}

#[test]
fn a_session_resumed_by_another_process_goes_on_where_it_was() {
    on_each("resume", |stage| {
        stage.run().unwrap();
        let runs = arrived(stage, 2);
        assert_told(
            &runs,
            r#"
        openai.codex chain · user "First prompt." → "First answer."
          openai.codex.turn llm 1000(400)+50(10) stop=tool_calls · user "First prompt." → exec_command(call)
          exec_command tool · {"cmd":"echo one"} → "one"
          openai.codex.turn llm 1100(450)+51(10) stop=stop · tool "one" → "First answer."
        openai.codex chain · user "Second prompt." → "Second answer."
          openai.codex.turn llm 1200(500)+52(10) stop=tool_calls · user "Second prompt." → exec_command(call)
          exec_command tool · {"cmd":"echo two"} → "two"
          openai.codex.turn llm 1300(550)+53(10) stop=stop · tool "two" → "Second answer.""#,
        );
        let numbers: Vec<_> = runs
            .roots()
            .iter()
            .map(|run| run.metadata("turn_number").unwrap().clone())
            .collect();
        assert_eq!(numbers, [json!(1), json!(2)]);
        assert_eq!(threads(&runs).len(), 1, "one LangSmith thread per session");
        assert_eq!(spent(&runs), stage.tokens_of_codex());
    });
}

#[test]
fn with_the_endpoint_down_the_turn_runs_normally_and_flush_delivers_it_later() {
    on_each("exec-tool", |stage| {
        stage
            .collector
            .inject("/", codex_tracing_tests::Fault::Status(503, None));
        let outputs = stage.run().unwrap();
        assert_eq!(outputs[0].code, Some(0), "{}", outputs[0].stderr);
        assert!(stage.collector.runs().all().is_empty());
        stage.collector.heal();
        let runs = arrived(stage, 1);
        assert_told(
            &runs,
            r#"
        openai.codex chain · user "List the files." → "There is a README and a src folder."
          openai.codex.turn llm 1000(400)+50(10) stop=tool_calls · user "List the files." → reasoning "I will list the files." exec_command(call)
          exec_command tool · {"cmd":"ls && echo done"} → "README.md\nsrc\ndone"
          openai.codex.turn llm 1100(450)+51(10) stop=stop · tool "README.md\nsrc\ndone" → "There is a README and a src folder.""#,
        );
    });
}
