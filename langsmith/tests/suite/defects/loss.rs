//! What was lost, sent twice or without end.

use std::collections::BTreeMap;

use codex_tracing_config::Replica;
use codex_tracing_delivery::{Backend, Facts, Mode, Step};
use codex_tracing_transcript::{
    Arguments, Content, ModelInput, Output, Role, ToolStatus, TurnStatus,
};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::{Given, answers, asks, call, named, says, text, tool, turn};
use crate::tree::check_tree;

/// 1: a string of 64 Ki anywhere lost the whole turn.
#[test]
fn strings_of_any_length_arrive() {
    let long = "é\u{0}\"".repeat(300_000);
    let mut turn = turn();
    turn.tools[0].outcome.output = Some(Output::Text(long.clone()));
    turn.prompt = vec![Content::Image(format!(
        "data:image/png;base64,{}",
        "A".repeat(100_000)
    ))];
    let runs = Given::new(turn).runs();
    assert_eq!(runs.len(), 4);
    let output = &named(&runs, "exec_command")["outputs"]["messages"][0]["content"][0]["text"];
    assert!(output.as_str() == Some(long.as_str()));
}

/// 3: what came after the first upload of a turn was never sent.
#[test]
fn a_record_that_comes_late_reaches_the_run_that_was_already_sent() {
    let given = Given::new(turn());
    let items = given.items(0);
    let backend = given.backend();
    let conflict = codex_tracing_delivery::Response {
        status: 409,
        retry_after: None,
        content_type: None,
        body: b"{\"error\":\"Conflict: payload already received\"}".to_vec(),
    };
    let mut facts = Facts::default();
    facts
        .values
        .insert("multipart".to_owned(), "false".to_owned());
    let destination = &backend.destinations()[0];
    let step = backend.settle(destination, &mut facts, &[&items[0]], 0, &conflict);
    let Step::Next(update) = step else {
        panic!("the late record is lost: {step:?}");
    };
    let update: Value = serde_json::from_slice(&update.body).unwrap();
    assert_eq!(update, json!({"post": [], "patch": [given.runs()[0]]}));
}

/// 6: replicas were all posted to the primary endpoint and project.
#[test]
fn each_replica_gets_its_own_request() {
    let mut given = Given::new(turn());
    for (name, key) in [("a", "key-a"), ("b", "key-b")] {
        let mut replica = Replica::new(format!("https://{name}.example.com"));
        replica.project = Some(format!("project-{name}"));
        replica.api_key = Some(SecretString::from(key));
        given.settings.replicas.push(replica);
    }
    let backend = given.backend();
    for (index, name) in ["a", "b"].into_iter().enumerate() {
        let items = given.items(index);
        let destination = &backend.destinations()[index];
        let request = backend.request(
            destination,
            &Facts::default(),
            &items.iter().collect::<Vec<_>>(),
        );
        assert_eq!(
            request.url,
            format!("https://{name}.example.com/runs/multipart")
        );
        let body = String::from_utf8(request.body).unwrap();
        assert!(body.contains(&format!("\"session_name\":\"project-{name}\"")));
    }
}

/// 11: inputs grew with the square of the turn's length, without bound.
#[test]
fn a_runs_input_is_bounded_and_says_what_is_missing() {
    let mut turn = turn();
    let mut conversation = vec![says(0, Role::User, "The task.")];
    conversation.extend(
        (1..=10).map(|index| answers(index, &format!("call_{index}"), &"x".repeat(1024 * 1024))),
    );
    turn.calls = vec![call(0, 31, 95, conversation.len(), &[])];
    turn.conversations = vec![conversation];
    let runs = Given::new(turn).runs();
    let run = named(&runs, "openai.codex.turn");
    assert!(run["inputs"].to_string().len() < 4 * 1024 * 1024 + 1024);
    let messages = run["inputs"]["messages"].as_array().unwrap();
    let roles: Vec<_> = messages
        .iter()
        .map(|message| text(message, "role"))
        .collect();
    assert_eq!(roles, ["system", "user", "system", "tool", "tool", "tool"]);
    assert_eq!(messages[5]["tool_call_id"], "call_10");
    assert!(
        messages[2].to_string().contains("7 earlier items"),
        "{}",
        messages[2]
    );
}

/// 18: calls without output or with broken arguments had no run; two outputs made two.
#[test]
fn every_call_is_one_run() {
    let mut turn = turn();
    let mut cut = tool("call_2", "sleep", 93, 94);
    (
        cut.window.ended_at,
        cut.outcome.output,
        cut.outcome.exit_code,
    ) = (None, None, None);
    cut.outcome.status = ToolStatus::Interrupted;
    let mut broken = tool("call_3", "broken", 94, 95);
    broken.arguments = Arguments::Malformed("{\"cmd\":".to_owned());
    turn.tools
        .extend([cut, broken, tool("call_1", "again", 100, 101)]);
    turn.status = TurnStatus::Interrupted;
    let runs = Given::new(turn).runs();
    check_tree(&runs);
    let cut = named(&runs, "sleep");
    assert_eq!(
        (text(cut, "error"), &cut["outputs"]["messages"]),
        ("Interrupted", &json!([]))
    );
    assert_eq!(
        cut["end_time"], runs[0]["end_time"],
        "it ended with the turn"
    );
    assert_eq!(
        named(&runs, "broken")["inputs"],
        json!({"input": "{\"cmd\":"})
    );
    assert_ne!(
        named(&runs, "again")["id"],
        named(&runs, "exec_command")["id"]
    );
}

/// 23: a second upload of a turn made a second trace with other ids.
#[test]
fn ids_depend_on_nothing_but_the_turn() {
    let ids = |given: &Given| -> BTreeMap<String, Value> {
        let runs = given.runs();
        runs.iter()
            .map(|run| (text(run, "dotted_order").to_owned(), run["id"].clone()))
            .collect()
    };
    let given = Given::new(turn());
    let mut other = Given::new(turn());
    other.settings.api_url = "https://elsewhere.example.com".to_owned();
    other.settings.api_key = Some(SecretString::from("other"));
    other
        .settings
        .common
        .metadata
        .insert("a".to_owned(), json!(1));
    other.mode = Mode::Metadata;
    other.turn.calls[0].usage = None;
    assert_eq!(ids(&given), ids(&other));
}

/// Not in the list either: a turn's answers begin after its prompt, also beyond a compaction.
#[test]
fn what_a_compaction_left_is_no_answer() {
    let mut turn = turn();
    turn.conversations[0].truncate(5);
    let summary = says(100, Role::User, "Summary of before.");
    let ask = asks(160, "call_2", "exec_command", json!({}));
    let answer = says(200, Role::Assistant, "Done.");
    turn.conversations.push(vec![
        summary,
        ask.clone(),
        answers(170, "call_2", "ok"),
        answer.clone(),
    ]);
    let second = ModelInput {
        conversation: 1,
        len: 1,
    };
    turn.calls[1].input = second;
    turn.calls[1].output = vec![ask];
    let mut third = call(2, 171, 205, 3, &[answer]);
    third.input.conversation = 1;
    turn.calls.push(third);
    let runs = Given::new(turn).runs();
    let messages = runs[0]["outputs"]["messages"].as_array().unwrap();
    let roles: Vec<_> = messages
        .iter()
        .map(|message| text(message, "role"))
        .collect();
    assert_eq!(roles, ["ai", "tool", "ai", "tool", "ai"]);
    assert!(
        !runs[0]["outputs"]
            .to_string()
            .contains("Summary of before.")
    );
}
