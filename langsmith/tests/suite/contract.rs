//! The metadata contract `coding-agent-v1`, as data.

use codex_tracing_transcript::{Turn, TurnStatus, Usage};
use serde_json::{Map, Value, json};

use crate::support::{Given, metadata, turn, window};

/// Run types of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Root,
    Interrupted,
    Subagent,
    Llm,
    Tool,
}

use Type::{Interrupted, Llm, Root, Subagent, Tool};

const ALL: &[Type] = &[Root, Interrupted, Subagent, Llm, Tool];

/// What a value has to look like.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Text,
    Number,
    OneOf(&'static [&'static str]),
}

use Shape::{Number, OneOf, Text};

/// Key, the run types that may have it, whether each of them must (given that Codex tells the
/// value, as it does in these turns), and its shape.
const CONTRACT: &[(&str, &[Type], bool, Shape)] = &[
    ("ls_agent_purpose", ALL, true, OneOf(&["coding"])),
    ("ls_integration", ALL, true, OneOf(&["openai-codex"])),
    ("ls_agent_runtime", ALL, true, OneOf(&["Codex"])),
    ("thread_id", ALL, true, Text),
    (
        "ls_trace_schema_version",
        ALL,
        true,
        OneOf(&["coding-agent-v1"]),
    ),
    (
        "ls_agent_type",
        ALL,
        true,
        OneOf(&["root", "subagent", "middleware", "compaction"]),
    ),
    ("ls_integration_version", ALL, true, Text),
    ("ls_agent_runtime_version", ALL, true, Text),
    ("turn_id", ALL, true, Text),
    ("turn_number", ALL, true, Number),
    ("repository_url", ALL, true, Text),
    (
        "repository_provider",
        ALL,
        true,
        OneOf(&["github", "gitlab", "bitbucket", "other"]),
    ),
    ("repository_name", ALL, true, Text),
    ("git_branch", ALL, true, Text),
    ("git_commit_sha", ALL, true, Text),
    ("cwd", ALL, true, Text),
    ("user_id", ALL, false, Text),
    ("local_username", ALL, false, Text),
    ("user_email", ALL, false, Text),
    ("sandbox_type", ALL, false, Text),
    ("approval_policy", &[Root, Interrupted], false, Text),
    ("ls_subagent_id", &[Subagent], false, Text),
    ("ls_subagent_type", &[Subagent], false, Text),
    ("ls_tool_name", &[Tool], false, Text),
    ("ls_skill_name", &[Tool], false, Text),
];

/// LangSmith's own keys, and where they may stand.
const LANGSMITH: &[(&str, &[Type])] = &[
    ("ls_provider", &[Llm, Tool]),
    ("ls_model_name", &[Llm, Tool]),
    ("ls_model_type", &[Llm]),
    ("ls_invocation_params", &[Llm]),
    ("usage_metadata", &[Llm]),
    ("ls_message_format", &[Root, Interrupted, Subagent, Llm]),
    ("ls_raw_aggregated_usage", &[Root, Interrupted, Subagent]),
    ("ls_is_error_interrupt", &[Interrupted]),
];

fn type_of(run: &Value, turn: Type) -> Type {
    match run["run_type"].as_str().unwrap() {
        "llm" => Llm,
        "tool" => Tool,
        _ => turn,
    }
}

fn check(given: &Given, turn: Type) {
    for run in given.runs() {
        let (kind, metadata) = (type_of(&run, turn), metadata(&run));
        for (key, types, required, shape) in CONTRACT {
            let value = metadata.get(*key);
            assert!(
                value.is_none() || types.contains(&kind),
                "{key} on {kind:?}"
            );
            assert!(
                value.is_some() || !required || !types.contains(&kind),
                "{key} missing on {kind:?}"
            );
            if let Some(value) = value {
                check_shape(key, value, *shape);
            }
        }
        for key in metadata
            .keys()
            .filter(|key| key.starts_with("ls_") || *key == "usage_metadata")
        {
            let known = LANGSMITH.iter().find(|(name, _)| name == key);
            let allowed = known.is_some_and(|(_, types)| types.contains(&kind));
            let in_contract = CONTRACT.iter().any(|(name, ..)| name == key);
            assert!(allowed || in_contract, "{key} on {kind:?}");
        }
    }
}

fn check_shape(key: &str, value: &Value, shape: Shape) {
    let fits = match shape {
        Text => value.as_str().is_some_and(|text| !text.is_empty()),
        Number => value.as_u64().is_some_and(|number| number >= 1),
        OneOf(words) => value.as_str().is_some_and(|word| words.contains(&word)),
    };
    assert!(fits, "{key} is {value}, not {shape:?}");
}

fn child() -> Given {
    let child = Turn {
        id: "child-turn".to_owned(),
        ..turn()
    };
    Given::child(child, "child-thread", &turn(), "call_1")
}

fn interrupted() -> Given {
    let mut turn = turn();
    turn.status = TurnStatus::Interrupted;
    turn.calls[1].completed = false;
    Given::new(turn)
}

#[test]
fn every_run_type_has_its_keys_and_no_others() {
    check(&Given::new(turn()), Root);
    check(&interrupted(), Interrupted);
    check(&child(), Subagent);
}

#[test]
fn hostile_custom_metadata_changes_no_key_of_the_contract() {
    let mut hostile = Map::new();
    for (key, ..) in CONTRACT {
        if !["user_id", "local_username", "user_email", "sandbox_type"].contains(key) {
            hostile.insert((*key).to_owned(), json!({"not": "yours"}));
        }
    }
    for (key, _) in LANGSMITH {
        hostile.insert((*key).to_owned(), json!({"not": "yours"}));
    }
    for (given, kind) in [(Given::new(turn()), Root), (child(), Subagent)] {
        let mut hostile_given = given;
        let plain = hostile_given.runs();
        hostile_given.settings.common.metadata = hostile.clone();
        assert_eq!(hostile_given.runs(), plain);
        check(&hostile_given, kind);
    }
}

#[test]
fn custom_metadata_is_on_every_run() {
    let mut given = child();
    given
        .settings
        .common
        .metadata
        .insert("team".to_owned(), json!("agents"));
    given
        .settings
        .common
        .metadata
        .insert("user_id".to_owned(), json!("u-1"));
    for run in given.runs() {
        assert_eq!(metadata(&run)["team"], "agents");
        assert_eq!(metadata(&run)["user_id"], "u-1");
    }
}

#[test]
fn a_compaction_is_a_run_of_its_own_with_its_own_usage() {
    let mut turn = turn();
    turn.compactions.push(codex_tracing_transcript::Compaction {
        index: 0,
        window: window(96, 120),
        trigger: "auto".to_owned(),
        model: Some("gpt-5.5".to_owned()),
        before: turn.calls[1].input,
        after: Vec::new(),
        summary: Some("We listed files.".to_owned()),
        window_id: None,
        usage: Some(Usage {
            input: 7,
            output: 3,
            total: 10,
            ..Usage::default()
        }),
        response_id: None,
    });
    let runs = Given::new(turn).runs();
    let run = crate::support::named(&runs, "openai.codex.compaction");
    assert_eq!(run["run_type"], "llm");
    assert_eq!(metadata(run)["ls_agent_type"], "compaction");
    assert_eq!(metadata(run)["usage_metadata"]["total_tokens"], 10);
    assert_eq!(
        metadata(run)["usage_metadata"]["input_token_details"],
        json!({"cache_read": 0})
    );
    let summary = json!({"messages": [{"role": "ai", "content": [{"type": "text", "text": "We listed files."}]}]});
    assert_eq!(run["outputs"], summary);
}
