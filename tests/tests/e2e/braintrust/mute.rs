//! The prompts that mute and unmute a conversation.

use codex_tracing_tests::{Content, Request, Scenario, Stage, assert_outline, versions};
use serde_json::json;

use super::outline::outline;
use super::{arrived, ended_turns, stage};

/// What stands in place of content, as far as an outline shows it.
const NOTICE: &str = r#""[codex-tracing notice: content omitted because tra…""#;
/// Said in the two muted turns by user, tool and model.
const MUTED: [&str; 5] = [
    "quokka one",
    "quokka two",
    "numbat argument",
    "numbat output",
    "wombat answer",
];

fn scenario() -> Scenario {
    let say = |text: &str| json!({"type": "message", "text": text, "phase": "final_answer"});
    let command = "echo numbat argument > /dev/null; echo numbat $((0)) | sed 's/0/output/'";
    Scenario::answering(json!([
        [say("Open before.")],
        [
            {"type": "reasoning", "text": "**Thinking** wombat answer"},
            {"type": "function_call", "name": "exec_command", "args": {"cmd": command}},
        ],
        [say("The wombat answer.")],
        [say("Another wombat answer.")],
        [say("Open again.")],
    ]))
}

/// `codex exec`, on in the first session once there is one.
fn say(stage: &Stage, prompt: &str) {
    match stage.home.first_session() {
        Some(session) => stage.home.exec_resume(&session, prompt, &[]),
        None => stage.home.exec(prompt, &[]),
    }
    .unwrap();
}

fn everything_sent(stage: &Stage) -> String {
    let body = |request: Request| match request.content {
        Content::Json(body) => body.to_string(),
        other => format!("{other:?}"),
    };
    stage.collector.requests().into_iter().map(body).collect()
}

#[test]
fn between_mute_and_unmute_no_content_leaves_and_the_commands_never_reach_the_model() {
    for version in versions() {
        let Some(stage) = stage(&version, scenario()) else {
            continue;
        };
        say(&stage, "Not muted yet.");
        say(&stage, "braintrust-tracing:mute");
        assert_eq!(stage.model.responses_asked(), 1, "the prompt is blocked");
        say(&stage, "quokka one");
        say(&stage, "quokka two");
        say(&stage, "braintrust-tracing:unmute");
        assert_eq!(stage.model.responses_asked(), 4, "the prompt is blocked");
        say(&stage, "Not muted any more.");
        let rows = arrived(&stage, 4);
        let asked = format!("{:?}", stage.model.requests());
        assert!(!asked.contains("braintrust-tracing"), "{asked}");
        assert!(!asked.contains("codex-tracing"), "{asked}");

        assert_outline(
            &outline(&rows).replace(NOTICE, "-"),
            r#"
            codex: app (task) -> "Open again."
              turn (task) "Not muted yet." -> "Open before."
                gpt-5.5 (llm) -> "Open before."
              turn (task) - -> -
                gpt-5.5 (llm) -> reasoning, exec_command
                exec_command (tool) -
                gpt-5.5 (llm) -> -
              turn (task) - -> -
                gpt-5.5 (llm) -> -
              turn (task) "Not muted any more." -> "Open again."
                gpt-5.5 (llm) -> "Open again."
            "#,
        );
        let sent = everything_sent(&stage);
        for muted in MUTED {
            assert!(asked.contains(muted), "{muted} is part of the conversation");
            assert!(!sent.contains(muted), "{version}: {muted} left:\n{sent}");
        }
        let counted = |row: &&codex_tracing_tests::Row| row.metric("tokens").is_some();
        assert!(rows.typed("llm").iter().all(counted));
    }
}

#[test]
fn a_thread_muted_before_its_first_turn_tells_nothing() {
    for version in versions() {
        let Some(stage) = stage(&version, scenario()) else {
            continue;
        };
        say(&stage, "braintrust-tracing:mute");
        say(&stage, "quokka one");
        stage.wait_for("a turn", |collector| ended_turns(collector) == 1);
        stage.flush().unwrap();
        let rows = stage.collector.rows();
        rows.assert_sound();
        assert_outline(
            &outline(&rows).replace(NOTICE, "-"),
            "
            codex session (task)
              turn (task) - -> -
                gpt-5.5 (llm) -> -
            ",
        );
        let root = rows.roots()[0];
        assert_eq!(root.metadata("model"), Some(&json!("gpt-5.5")));
        let sent = everything_sent(&stage);
        for said in ["quokka", "Open before."] {
            assert!(!sent.contains(said), "{version}: {said} left:\n{sent}");
        }
    }
}
