//! Subagents, on the real Codex.
//!
//! Their models answer at the same time, so each answer says what it cost.

use codex_tracing_tests::{Scenario, Stage, versions};
use serde_json::{Value, json};

use super::trace_text::assert_told;
use super::traces::{NEWEST, arrived, spent, threads, with};

/// An answer of the model for the thread that was asked `task`; it costs `tokens` of input.
pub(super) fn answer(task: &str, tokens: u64, mut items: Value) -> Value {
    // What a thread sees has its own task and those that it gave to others.
    let above: &[&str] = match task {
        "Root task" => &[],
        "Gamma task" => &["Root task", "Alpha task", "Beta task"],
        _ => &["Root task"],
    };
    items.as_array_mut().unwrap().push(json!({"usage": {
        "input_tokens": tokens, "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 10, "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": tokens + 10,
    }}));
    json!({"match": task, "not": above, "items": items})
}

pub(super) fn call(name: &str, namespace: &str, args: &Value) -> Value {
    json!({"type": "function_call", "name": name, "namespace": namespace, "args": args})
}

fn shell(command: &str) -> Value {
    json!([{"type": "function_call", "name": "exec_command", "args": {"cmd": command}}])
}

pub(super) fn says(text: &str) -> Value {
    json!([{"type": "message", "text": text, "phase": "final_answer"}])
}

/// After a moment, so that whoever waits for this is already waiting.
fn says_late(text: &str) -> Value {
    json!([{"sleep": 1}, {"type": "message", "text": text, "phase": "final_answer"}])
}

/// These items, which open a gate first.
pub(super) fn opening(gate: &str, mut items: Value) -> Value {
    items
        .as_array_mut()
        .unwrap()
        .insert(0, json!({ "open": gate }));
    items
}

/// These items once the gate is open.
pub(super) fn behind(gate: &str, mut items: Value) -> Value {
    items
        .as_array_mut()
        .unwrap()
        .insert(0, json!({ "gate": gate }));
    items
}

/// The root spawns Alpha and Beta, and Beta spawns Gamma; at the end Alpha gets more to do.
fn family() -> Scenario {
    let agents = |name: &str, args: &Value| call(name, "?multi_agent_v1", args);
    let spawn = |message: &str| agents("spawn_agent", &json!({"message": message}));
    let wait = |agent: &str| {
        json!([agents(
            "wait_agent",
            &json!({"targets": [agent], "timeout_ms": 120_000})
        )])
    };
    let more = json!({"target": "${a[0]}", "message": "Alpha follow-up: count again."});
    Scenario {
        tables: vec!["[agents]".to_owned(), "max_depth = 3".to_owned()],
        vars: json!({"a": r#"agent_id[\\": ]+([0-9a-f-]{36})"#}),
        run: serde_json::from_value(json!([{"exec": ["Root task: use helpers."]}])).unwrap(),
        ..Scenario::answering(json!([
            answer(
                "Alpha follow-up",
                320,
                opening("again", says_late("Alpha: still one file."))
            ),
            answer("Alpha task", 300, shell("echo alpha at work")),
            answer("Alpha task", 310, says_late("Alpha: one file.")),
            answer("Gamma task", 500, shell("echo gamma at work")),
            answer("Gamma task", 510, says_late("Gamma: nothing to do.")),
            answer(
                "Beta task",
                400,
                json!([spawn("Gamma task: check the sources.")])
            ),
            answer("Beta task", 410, wait("${a}")),
            // An agent's end is told to the thread above as well: by then it has arrived.
            answer("Beta task", 420, shell("sleep 3")),
            answer("Beta task", 430, says("Beta: gamma had nothing to do.")),
            answer(
                "Root task",
                100,
                json!([
                    spawn("Alpha task: count the files."),
                    spawn("Beta task: check the tests."),
                ])
            ),
            answer("Root task", 110, wait("${a[0]}")),
            answer("Root task", 120, wait("${a[1]}")),
            answer("Root task", 130, json!([agents("send_input", &more)])),
            // Until Alpha is at it again, its old answer would be taken for an end.
            answer("Root task", 140, behind("again", wait("${a[0]}"))),
            answer("Root task", 150, shell("sleep 3")),
            answer("Root task", 160, says("Both helpers are done.")),
        ]))
    }
}

/// The same with agents of the second kind, which have names and send messages.
fn named_family() -> Scenario {
    let agents = |name: &str, args: &Value| json!([call(name, "collaboration", args)]);
    let spawn = |name: &str, message: &str| {
        agents(
            "spawn_agent",
            &json!({"task_name": name, "message": message, "fork_turns": "none"}),
        )
    };
    let wait = || agents("wait_agent", &json!({"timeout_ms": 120_000}));
    let more = json!({"target": "alpha", "message": "Alpha follow-up: count again."});
    Scenario {
        model_name: Some("gpt-5.6-sol".to_owned()),
        run: serde_json::from_value(json!([{"exec": ["Root task: use helpers."]}])).unwrap(),
        ..Scenario::answering(json!([
            answer("Alpha follow-up", 330, says_late("Alpha: still one file.")),
            answer(
                "Alpha task",
                300,
                spawn("gamma", "Gamma task: check the sources.")
            ),
            answer("Alpha task", 310, wait()),
            answer("Alpha task", 320, says_late("Alpha: one file.")),
            answer("Gamma task", 500, says_late("Gamma: nothing to do.")),
            answer(
                "Root task",
                100,
                spawn("alpha", "Alpha task: count the files.")
            ),
            answer("Root task", 110, wait()),
            answer("Root task", 120, agents("followup_task", &more)),
            answer("Root task", 130, wait()),
            answer("Root task", 140, says("The helper is done.")),
        ]))
    }
}

/// The runs once all `agents` turns of agents have arrived.
fn all_arrived(stage: &Stage, agents: usize) -> codex_tracing_tests::Runs {
    stage.run().unwrap();
    stage.wait_for("every agent's turns", |collector| {
        let runs = collector.runs();
        runs.all().iter().filter(|run| run.is_agents_turn()).count() == agents
    });
    let runs = arrived(stage, 1);
    assert_eq!(threads(&runs).len(), 1, "one LangSmith thread per session");
    assert_eq!(spent(&runs), stage.tokens_of_codex());
    runs
}

#[test]
fn subagents_nest_under_the_turn_and_call_that_led_to_them() {
    for version in &versions() {
        with(version, family(), |stage| {
            let runs = all_arrived(stage, 4);
            assert_told(
                &runs,
                r#"
            openai.codex chain · user "Root task: use helpers." → "Both helpers are done."
              openai.codex.turn llm 100+10 stop=tool_calls · user "Root task: use helpers." → spawn_agent(call) spawn_agent(call)
              spawn_agent tool · {"message":"Alpha task: count the files."} → "{\"agent_id\":\"<id>\",\"nickname\":\"<name>\"}"
                openai.codex chain · user "Alpha task: count the files." → "Alpha: one file."
                  openai.codex.turn llm 300+10 stop=tool_calls · user "Alpha task: count the files." → exec_command(call)
                  exec_command tool · {"cmd":"echo alpha at work"} → "alpha at work"
                  openai.codex.turn llm 310+10 stop=stop · tool "alpha at work" → "Alpha: one file."
              spawn_agent tool · {"message":"Beta task: check the tests."} → "{\"agent_id\":\"<id>\",\"nickname\":\"<name>\"}"
                openai.codex chain · user "Beta task: check the tests." → "Beta: gamma had nothing to do."
                  openai.codex.turn llm 400+10 stop=tool_calls · user "Beta task: check the tests." → spawn_agent(call)
                  spawn_agent tool · {"message":"Gamma task: check the sources."} → "{\"agent_id\":\"<id>\",\"nickname\":\"<name>\"}"
                    openai.codex chain · user "Gamma task: check the sources." → "Gamma: nothing to do."
                      openai.codex.turn llm 500+10 stop=tool_calls · user "Gamma task: check the sources." → exec_command(call)
                      exec_command tool · {"cmd":"echo gamma at work"} → "gamma at work"
                      openai.codex.turn llm 510+10 stop=stop · tool "gamma at work" → "Gamma: nothing to do."
                  openai.codex.turn llm 410+10 stop=tool_calls · tool "{\"agent_id\":\"<id>\",\"nickname\":\"<name>\"}" → wait_agent(call)
                  wait_agent tool · {"targets":["<id>"],"timeout_ms":120000} → "{\"status\":{\"<id>\":{\"completed\":\"Gamma: nothing to do.\"}},\"timed_out\":false}"
                  openai.codex.turn llm 420+10 stop=tool_calls · tool "{\"status\":{\"<id>\":{\"completed\":\"Gamma: nothing to do.\"}},\"timed_out\":false}" → exec_command(call)
                  exec_command tool · {"cmd":"sleep 3"} → ""
                  openai.codex.turn llm 430+10 stop=stop · tool "" → "Beta: gamma had nothing to do."
              openai.codex.turn llm 110+10 stop=tool_calls · tool "{\"agent_id\":\"<id>\",\"nickname\":\"<name>\"}" → wait_agent(call)
              wait_agent tool · {"targets":["<id>"],"timeout_ms":120000} → "{\"status\":{\"<id>\":{\"completed\":\"Alpha: one file.\"}},\"timed_out\":false}"
              openai.codex.turn llm 120+10 stop=tool_calls · tool "{\"status\":{\"<id>\":{\"completed\":\"Alpha: one file.\"}},\"timed_out\":false}" → wait_agent(call)
              wait_agent tool · {"targets":["<id>"],"timeout_ms":120000} → "{\"status\":{\"<id>\":{\"completed\":\"Beta: gamma had nothing to do.\"}},\"timed_out\":false}"
              openai.codex.turn llm 130+10 stop=tool_calls · tool "{\"status\":{\"<id>\":{\"completed\":\"Beta: gamma had nothing to do.\"}},\"timed_out\":false}" → send_input(call)
              send_input tool · {"target":"<id>","message":"Alpha follow-up: count again."} → "{\"submission_id\":\"<id>\"}"
                openai.codex chain · user "Alpha follow-up: count again." → "Alpha: still one file."
                  openai.codex.turn llm 320+10 stop=stop · user "Alpha follow-up: count again." → "Alpha: still one file."
              openai.codex.turn llm 140+10 stop=tool_calls · tool "{\"submission_id\":\"<id>\"}" → wait_agent(call)
              wait_agent tool · {"targets":["<id>"],"timeout_ms":120000} → "{\"status\":{\"<id>\":{\"completed\":\"Alpha: still one file.\"}},\"timed_out\":false}"
              openai.codex.turn llm 150+10 stop=tool_calls · tool "{\"status\":{\"<id>\":{\"completed\":\"Alpha: still one file.\"}},\"timed_out\":false}" → exec_command(call)
              exec_command tool · {"cmd":"sleep 3"} → ""
              openai.codex.turn llm 160+10 stop=stop · tool "" → "Both helpers are done.""#,
            );
        });
    }
}

#[test]
fn named_subagents_nest_under_the_turn_and_call_that_led_to_them() {
    with(NEWEST, named_family(), |stage| {
        let runs = all_arrived(stage, 3);
        assert_told(
            &runs,
            r#"
        openai.codex chain · user "Root task: use helpers." → "The helper is done."
          openai.codex.turn llm 100+10 stop=tool_calls · user "Root task: use helpers." → spawn_agent(call)
          spawn_agent tool · {"task_name":"alpha","message":"Alpha task: count the files.","fork_turns":"none"} → "{\"task_name\":\"/root/alpha\"}"
            openai.codex chain · user "Message Type: NEW_TASK\nTask name: /root/alpha\nSender: /root\nPayload:" → "Alpha: one file."
              openai.codex.turn llm 300+10 stop=tool_calls · user encrypted_content → spawn_agent(call)
              spawn_agent tool · {"task_name":"gamma","message":"Gamma task: check the sources.","fork_turns":"none"} → "{\"task_name\":\"/root/alpha/gamma\"}"
                openai.codex chain · user "Message Type: NEW_TASK\nTask name: /root/alpha/gamma\nSender: /root/alpha\nPayload:" → "Gamma: nothing to do."
                  openai.codex.turn llm 500+10 stop=stop · user encrypted_content → "Gamma: nothing to do."
              openai.codex.turn llm 310+10 stop=tool_calls · tool "{\"task_name\":\"/root/alpha/gamma\"}" → wait_agent(call)
              wait_agent tool · {"timeout_ms":120000} → "{\"message\":\"Wait completed.\",\"timed_out\":false}"
              openai.codex.turn llm 320+10 stop=stop · user "Message Type: FINAL_ANSWER\nTask name: /root/alpha\nSender: /root/alpha/gamma\nPayload:\nGamma: nothing …" → "Alpha: one file."
          openai.codex.turn llm 110+10 stop=tool_calls · tool "{\"task_name\":\"/root/alpha\"}" → wait_agent(call)
          wait_agent tool · {"timeout_ms":120000} → "{\"message\":\"Wait completed.\",\"timed_out\":false}"
          openai.codex.turn llm 120+10 stop=tool_calls · user "Message Type: FINAL_ANSWER\nTask name: /root\nSender: /root/alpha\nPayload:\nAlpha: one file." → followup_task(call)
          followup_task tool · {"target":"alpha","message":"Alpha follow-up: count again."} → ""
            openai.codex chain · user "Message Type: NEW_TASK\nTask name: /root/alpha\nSender: /root\nPayload:" → "Alpha: still one file."
              openai.codex.turn llm 330+10 stop=stop · user encrypted_content → "Alpha: still one file."
          openai.codex.turn llm 130+10 stop=tool_calls · tool "" → wait_agent(call)
          wait_agent tool · {"timeout_ms":120000} → "{\"message\":\"Wait completed.\",\"timed_out\":false}"
          openai.codex.turn llm 140+10 stop=stop · user "Message Type: FINAL_ANSWER\nTask name: /root\nSender: /root/alpha\nPayload:\nAlpha: still one file." → "The helper is done.""#,
        );
    });
}
