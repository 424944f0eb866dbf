//! The prompts that mute and unmute a conversation.

use codex_tracing_tests::{CodexHome, ENDED, Output, Product, Scenario, Stage, skip, versions};
use serde_json::json;

use super::braintrust;
use super::traces::{NEWEST, arrived, assert_tree, everything_sent, tree};

const NOTICE: &str = "content omitted because tracing is muted";
/// Said in the second and third turn, which are muted, by user, tool and model.
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
fn say(stage: &Stage, prompt: &str) -> Output {
    let session = stage.home.first_session();
    let output = match session {
        Some(session) => stage.home.exec_resume(&session, prompt, &[]),
        None => stage.home.exec(prompt, &[]),
    };
    output.unwrap()
}

fn stage(version: &str) -> Option<Stage> {
    Stage::set(version, scenario(), &[Product::LangSmith]).unwrap()
}

#[test]
fn between_mute_and_unmute_no_content_leaves_and_the_commands_never_reach_the_model() {
    for version in &versions() {
        let Some(stage) = stage(version) else {
            continue;
        };
        say(&stage, "Not muted yet.");
        say(&stage, "langsmith-tracing:mute");
        assert_eq!(stage.model.responses_asked(), 1, "the prompt is blocked");
        say(&stage, "quokka one");
        say(&stage, "quokka two");
        say(&stage, "langsmith-tracing:unmute");
        assert_eq!(stage.model.responses_asked(), 4, "the prompt is blocked");
        say(&stage, "Not muted any more.");
        let runs = arrived(&stage, 4);
        let asked = format!("{:?}", stage.model.requests());
        assert!(!asked.contains("langsmith-tracing"), "{asked}");
        assert!(!asked.contains("codex-tracing"), "{asked}");
        assert_tree(
            &runs,
            "
            openai.codex (chain)
              openai.codex.turn (llm)
            openai.codex (chain)
              openai.codex.turn (llm)
              exec_command (tool)
              openai.codex.turn (llm)
            openai.codex (chain)
              openai.codex.turn (llm)
            openai.codex (chain)
              openai.codex.turn (llm)",
        );
        let sent = everything_sent(&stage.collector);
        for muted in MUTED {
            assert!(asked.contains(muted), "{muted} is part of the conversation");
            assert!(!sent.contains(muted), "{version}: {muted} left:\n{sent}");
        }
        let of = |turn: usize, field: &str| runs.roots()[turn].fields[field].to_string();
        assert!(of(0, "inputs").contains("Not muted yet."));
        assert!(of(0, "outputs").contains("Open before."));
        for turn in [1, 2] {
            assert!(
                of(turn, "inputs").contains(NOTICE),
                "{}",
                of(turn, "inputs")
            );
            assert!(
                of(turn, "outputs").contains(NOTICE),
                "{}",
                of(turn, "outputs")
            );
        }
        assert!(of(3, "inputs").contains("Not muted any more."));
        assert!(of(3, "outputs").contains("Open again."));
        assert!(
            runs.typed("llm").iter().all(|run| run.usage().is_some()),
            "{}",
            tree(&runs)
        );
    }
}

#[test]
fn a_thread_muted_before_its_first_turn_tells_nothing() {
    for version in &versions() {
        let Some(stage) = stage(version) else {
            continue;
        };
        say(&stage, "langsmith-tracing:mute");
        say(&stage, "quokka one");
        let runs = arrived(&stage, 1);
        let sent = everything_sent(&stage.collector);
        assert!(
            !sent.contains("quokka") && !sent.contains("Open before."),
            "{sent}"
        );
        assert!(sent.contains(NOTICE), "{}", tree(&runs));
    }
}

#[test]
fn a_command_to_one_product_leaves_nothing_in_the_trace_of_the_other() {
    let products = [Product::LangSmith, Product::Braintrust];
    for version in &versions() {
        let Some(stage) = Stage::set(version, scenario(), &products).unwrap() else {
            continue;
        };
        say(&stage, "langsmith-tracing:mute");
        say(&stage, "langsmith-tracing:unmute");
        say(&stage, "Hello.");
        say(&stage, " Braintrust-Tracing:unmute");
        assert_eq!(stage.model.responses_asked(), 1, "commands are blocked");
        say(&stage, "Hello again.");
        arrived(&stage, 2);
        braintrust::arrived(&stage, 2);
        let sent = everything_sent(&stage.collector);
        assert!(sent.contains("Hello again."), "{sent}");
        assert!(!sent.to_lowercase().contains("-tracing:"), "{sent}");
    }
}

#[test]
fn a_command_to_a_product_that_is_not_installed_is_a_prompt_like_any_other() {
    let Some(stage) = Stage::set(NEWEST, scenario(), &[Product::Braintrust]).unwrap() else {
        return;
    };
    say(&stage, "langsmith-tracing:mute");
    assert_eq!(stage.model.responses_asked(), 1);
    let rows = braintrust::arrived(&stage, 1);
    let sent = everything_sent(&stage.collector);
    assert!(sent.contains("langsmith-tracing:mute"), "{sent}");
    assert_eq!(rows.typed("llm").len(), 1);
}

/// A muted turn, then one that spawns a subagent and gives it the conversation.
fn informing(version: &str) -> Scenario {
    let (model_name, namespace, args) = if version == NEWEST {
        let args = json!({"task_name": "alpha", "message": "Child task.", "fork_turns": "all"});
        (Some("gpt-5.6-sol".to_owned()), "collaboration", args)
    } else {
        let args = json!({"message": "Child task.", "fork_context": true});
        (None, "?multi_agent_v1", args)
    };
    let say = |text: &str| json!({"type": "message", "text": text, "phase": "final_answer"});
    let spawn = json!({"type": "function_call", "name": "spawn_agent", "namespace": namespace,
        "args": args});
    // Root and subagent see the task alike; the root takes its time.
    let end = json!({"match": "Child task", "items": [{"sleep": 3}, say("Done.")]});
    Scenario {
        model_name,
        ..Scenario::answering(json!([
            {"match": "quokka", "not": ["Root task"], "items": [say("The wombat answer.")]},
            {"match": "Root task", "not": ["Child task"], "items": [spawn]},
            end, end, end,
        ]))
    }
}

#[test]
fn a_subagent_that_is_given_the_conversation_repeats_nothing_that_was_said_while_muted() {
    for version in &versions() {
        let scenario = informing(version);
        let Some(stage) = Stage::set(version, scenario, &[Product::LangSmith]).unwrap() else {
            continue;
        };
        say(&stage, "langsmith-tracing:mute");
        say(&stage, "quokka one");
        say(&stage, "langsmith-tracing:unmute");
        say(&stage, "Root task.");
        let runs = arrived(&stage, 2);
        let copies = stage.home.rollouts().into_iter().filter(|rollout| {
            let text = std::fs::read_to_string(rollout).unwrap();
            text.contains("forked_from_id") && text.contains("quokka one")
        });
        assert_eq!(copies.count(), 1, "the subagent has a copy");
        let sent = everything_sent(&stage.collector);
        assert!(sent.contains("Child task."), "{}", tree(&runs));
        for muted in ["quokka", "wombat"] {
            assert!(!sent.contains(muted), "{version}: {muted} left:\n{sent}");
        }
    }
}

#[test]
fn a_command_typed_into_a_running_turn_takes_nothing_of_it_and_counts_from_the_next() {
    if !CodexHome::can_tui() {
        skip("tmux is not installed");
        return;
    }
    let message =
        |text: &str, phase: &str| json!({"type": "message", "text": text, "phase": phase});
    let args = json!({"cmd": "sleep 6", "yield_time_ms": 30000});
    let scenario = Scenario {
        run: serde_json::from_value(json!([{"tui": [
            {"text": "Take your time.", "until": "This takes a while."},
            {"text": "langsmith-tracing:mute", "until": "Tracing is muted", "ended": true},
            {"text": "/quit", "until": ENDED},
        ]}]))
        .unwrap(),
        ..Scenario::answering(json!([
            {"match": "Generate a concise", "any": true,
             "items": [{"type": "message", "text": "A title"}]},
            [message("This takes a while.", "commentary"),
             {"type": "function_call", "name": "exec_command", "args": args}],
            [message("The wombat answer.", "final_answer")],
            [message("The wombat answer.", "final_answer")],
        ]))
    };
    for version in &versions() {
        let Some(stage) = Stage::set(version, scenario.clone(), &[Product::LangSmith]).unwrap()
        else {
            continue;
        };
        stage.run().unwrap();
        say(&stage, "quokka one");
        let runs = arrived(&stage, 2);
        let of = |turn: usize| runs.roots()[turn].fields["inputs"].to_string();
        assert!(of(0).contains("Take your time."), "{}", of(0));
        assert!(of(1).contains(NOTICE), "{}", of(1));
        assert_eq!(runs.named("exec_command").len(), 1, "{}", tree(&runs));
        let asked = format!("{:?}", stage.model.requests());
        assert!(!asked.contains("langsmith-tracing"), "{asked}");
    }
}
