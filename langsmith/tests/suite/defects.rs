//! What the JavaScript plugin got wrong, one test each. The numbers are those of the list these
//! were collected in; what concerns files, settings and delivery is tested there.

use std::collections::BTreeMap;

use codex_tracing_config::Replica;
use codex_tracing_delivery::{Backend, Facts, Mode, Step};
use codex_tracing_transcript::{
    Arguments, Content, ItemBody, ModelInput, Output, Role, ToolKind, ToolStatus, Turn, TurnStatus,
};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::{
    Given, answers, asks, at, call, item, metadata, named, says, text, tool, turn,
};
use crate::tree::{check_tree, outline};

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

/// 7: replica keys stood in the metadata of every run.
#[test]
fn no_key_is_in_any_run() {
    let mut given = Given::new(turn());
    given.settings.api_key = Some(SecretString::from("lsv2_pt_primary"));
    let mut replica = Replica::new("https://a.example.com");
    replica.api_key = Some(SecretString::from("lsv2_pt_replica"));
    given.settings.replicas = vec![replica];
    for item in given.items(0) {
        assert!(!String::from_utf8(item.body).unwrap().contains("lsv2"));
    }
    assert!(!format!("{:?}", given.backend().destinations()).contains("lsv2"));
}

/// 8: a password in the address of a git remote went out in clear.
#[test]
fn the_password_of_a_remote_stays_here() {
    for run in Given::new(turn()).runs() {
        assert_eq!(
            metadata(&run)["repository_url"],
            "https://github.com/org/app"
        );
    }
}

/// 8: nor did anybody look for secrets in custom metadata and what is merged into it.
#[test]
fn secrets_in_what_is_added_to_a_turn_are_redacted() {
    let secret = format!("ghp_{}", "Fake".repeat(9));
    let mut given = Given::new(turn());
    given
        .settings
        .common
        .metadata
        .insert("note".to_owned(), json!({"deep": [secret]}));
    let mut replica = Replica::new("https://a.example.com");
    replica
        .updates
        .insert("metadata".to_owned(), json!({"token": secret}));
    given.settings.replicas = vec![replica];
    given.settings.parent_headers = Some(codex_tracing_config::ParentHeaders {
        langsmith_trace: "20261120T103411000000Z01a1f880-0000-7000-8000-000000000001".to_owned(),
        baggage: Some(format!(
            "langsmith-metadata=%7B%22key%22%3A%22{secret}%22%7D,langsmith-tags={secret}"
        )),
    });
    let runs = given.runs();
    assert!(
        runs.iter()
            .all(|run| metadata(run)["key"] == "[SECRET_DETECTED]")
    );
    assert!(
        runs.iter()
            .all(|run| metadata(run)["token"] == "[SECRET_DETECTED]")
    );
    assert!(!Value::Array(runs).to_string().contains("ghp_"));
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

/// 13: reasoning tokens were reported, and priced, as cache writes. 14: tokens landed on tools.
#[test]
fn tokens_are_on_model_calls_only_and_under_their_names() {
    let mut turn = turn();
    turn.calls[0].usage.as_mut().unwrap().cache_write = 0;
    for run in Given::new(turn).runs() {
        let usage = metadata(&run).get("usage_metadata");
        assert_eq!(usage.is_some(), run["run_type"] == "llm", "{}", run["name"]);
        if let Some(usage) = usage {
            assert_eq!(usage["output_token_details"], json!({"reasoning": 10}));
            let details = &usage["input_token_details"];
            assert!(*details == json!({"cache_read": 400}) || details["cache_creation"] == 30);
        }
    }
}

/// 15: the thread's running total stood on every run as the turn's.
#[test]
fn raw_usage_is_the_turns_own_and_on_the_turn_only() {
    let runs = Given::new(turn()).runs();
    let with: Vec<_> = runs
        .iter()
        .filter(|run| metadata(run).contains_key("ls_raw_aggregated_usage"))
        .collect();
    assert_eq!(with.len(), 1);
    assert_eq!(
        metadata(with[0])["ls_raw_aggregated_usage"]["input_tokens"],
        2100
    );
    assert!(
        runs[1..]
            .iter()
            .all(|run| !metadata(run).contains_key("effort"))
    );
}

/// 16: tools began with the model call that asked for them, and model calls with the wait before.
#[test]
fn runs_have_their_own_times() {
    let runs = Given::new(turn()).runs();
    let times: Vec<_> = runs
        .iter()
        .map(|run| (text(run, "start_time"), text(run, "end_time")))
        .collect();
    let time = |millis: i64| at(millis).strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string();
    let expected =
        [(20, 210), (31, 95), (92, 149), (151, 205)].map(|(from, to)| (time(from), time(to)));
    let expected: Vec<_> = expected
        .iter()
        .map(|(from, to)| (from.as_str(), to.as_str()))
        .collect();
    assert_eq!(times, expected);
}

/// 17: hosted tools split the message of a model call in two and had no run.
#[test]
fn a_hosted_tool_is_a_part_of_one_message_and_a_run() {
    let mut turn = turn();
    let value = json!({"type": "web_search_call", "status": "completed"});
    let search = item(
        60,
        ItemBody::Other {
            kind: "web_search_call".to_owned(),
            value: value.clone(),
        },
    );
    turn.calls[0].output.insert(1, search);
    let mut web = tool("ws_1", "web_search", 60, 61);
    web.kind = ToolKind::WebSearch;
    turn.tools.push(web);
    let runs = Given::new(turn).runs();
    let first = runs
        .iter()
        .find(|run| run["name"] == "openai.codex.turn")
        .unwrap();
    let messages = first["outputs"]["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 1);
    assert_eq!(
        messages[0]["content"][1],
        json!({"type": "non_standard", "value": value})
    );
    assert_eq!(named(&runs, "web_search")["run_type"], "tool");
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

/// 19: deep subagents named their parent's thread; a child older than its parent broke the batch.
#[test]
fn all_runs_of_a_session_name_the_root_thread() {
    let child = Turn {
        id: "turn-a".to_owned(),
        ..turn()
    };
    let child = Given::child(child, "thread-a", &turn(), "call_1");
    let mut deep = Turn {
        id: "turn-b".to_owned(),
        ..turn()
    };
    deep.window.started_at = at(-5000);
    let mut deep = Given::child(deep, "thread-b", &child.turn, "call_1");
    deep.lineage.insert(0, child.lineage[0].clone());
    let runs = deep.runs();
    check_tree(&runs);
    assert!(
        runs.iter()
            .all(|run| metadata(run)["thread_id"] == crate::support::ROOT)
    );
    assert_eq!(metadata(&runs[0])["ls_subagent_id"], "thread-b");
    assert_eq!(metadata(&runs[0])["ls_subagent_type"], "explorer");
    assert_eq!(metadata(&runs[0])["spawned_by_tool_call_id"], "call_1");
}

/// 21: images were bare strings, and the message format was called what it is not.
#[test]
fn images_and_message_format_are_as_langsmith_reads_them() {
    let mut turn = turn();
    turn.prompt
        .push(Content::Image("data:image/png;base64,AA==".to_owned()));
    let runs = Given::new(turn).runs();
    let image = &runs[0]["inputs"]["messages"][0]["content"][1];
    assert_eq!(
        *image,
        json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}})
    );
    let llm = runs.iter().filter(|run| run["run_type"] == "llm");
    assert!(
        llm.into_iter()
            .all(|run| metadata(run)["ls_message_format"] == "langchain")
    );
}

/// 21: more than 999 runs of one trace came out of order.
#[test]
fn a_trace_of_thousands_of_runs_keeps_its_order() {
    let mut turn = turn();
    turn.tools = (0..3000)
        .map(|index| tool(&format!("call_{index}"), &format!("{index:04}"), 93, 94))
        .collect();
    let runs = Given::new(turn).runs();
    check_tree(&runs);
    let names: Vec<_> = outline(&runs).lines().map(str::to_owned).collect();
    let tools: Vec<_> = names
        .iter()
        .filter(|name| name.ends_with("(tool)"))
        .collect();
    assert!(tools.is_sorted() && tools.len() == 3000);
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

/// Not in the list, but next to it: a muted turn keeps its shape and loses what is private.
#[test]
fn a_muted_turn_has_neither_custom_metadata_nor_paths_nor_errors() {
    let mut given = Given::new(turn());
    given.mode = Mode::Metadata;
    given
        .settings
        .common
        .metadata
        .insert("team".to_owned(), json!("agents"));
    given.turn.status = TurnStatus::Failed;
    given.turn.tools[0].outcome.status = ToolStatus::Failed;
    let runs = given.runs();
    check_tree(&runs);
    for run in &runs {
        let gone = [
            "team",
            "cwd",
            "repository_url",
            "git_branch",
            "approval_policy",
            "sandbox_type",
            "ls_invocation_params",
            "effort",
        ];
        assert!(
            gone.iter().all(|key| !metadata(run).contains_key(*key)),
            "{run}"
        );
        assert!(run.get("error").is_none() && run["extra"].get("runtime").is_none());
        assert_eq!(metadata(run)["ls_tracing_mode"], "metadata");
    }
    assert_eq!(metadata(&runs[0])["status"], "failed");
    assert!(metadata(&runs[1]).contains_key("usage_metadata"));
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
