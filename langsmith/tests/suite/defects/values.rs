//! What arrived, but wrong.

use codex_tracing_transcript::{Content, ItemBody, ToolKind, Turn};
use serde_json::json;

use crate::support::{Given, at, item, metadata, named, text, tool, turn};
use crate::tree::{check_tree, outline};

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
