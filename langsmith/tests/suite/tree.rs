//! Which runs a turn gives, and how they hang together.

use codex_tracing_transcript::{Content, ItemBody, Role, ToolStatus, TurnStatus};
use serde_json::{Value, json};

use crate::support::{Given, item, metadata, named, text, tool, turn};

/// What the server checks of every run, and what makes a tree a tree.
pub(crate) fn check_tree(runs: &[Value]) {
    for run in runs {
        let order = text(run, "dotted_order");
        let segments: Vec<_> = order
            .split('.')
            .map(|part| part.split_once('Z').unwrap())
            .collect();
        let times: Vec<_> = segments.iter().map(|(time, _)| *time).collect();
        let ids: Vec<_> = segments.iter().map(|(_, id)| *id).collect();
        assert!(times.is_sorted(), "starts before its parent: {order}");
        assert_eq!(ids.last(), Some(&text(run, "id")), "{order}");
        assert_eq!(ids.first(), Some(&text(run, "trace_id")), "{order}");
        let parent = ids.len().checked_sub(2).map(|index| ids[index]);
        assert_eq!(run["parent_run_id"].as_str(), parent, "{order}");
        let start = text(run, "start_time");
        let digits: String = start.chars().filter(char::is_ascii_digit).collect();
        assert_eq!(digits, times.last().unwrap().replace('T', ""), "{order}");
        assert!(
            text(run, "end_time").is_empty() || text(run, "end_time") >= start,
            "{order}"
        );
        let millis = i64::from_str_radix(&text(run, "id").replace('-', "")[..12], 16).unwrap();
        let start: jiff::Timestamp = start.parse().unwrap();
        assert_eq!(
            start.as_millisecond(),
            millis,
            "id and start differ: {order}"
        );
    }
    let mut ids: Vec<_> = runs.iter().map(|run| text(run, "id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), runs.len(), "an id stands twice");
}

/// `name (type)` of each run, indented by depth, in the order in which LangSmith shows them.
pub(crate) fn outline(runs: &[Value]) -> String {
    let mut sorted: Vec<_> = runs.iter().collect();
    sorted.sort_by_key(|run| text(run, "dotted_order"));
    let line = |run: &&Value| {
        let depth = text(run, "dotted_order").matches('.').count();
        format!(
            "{}{} ({})\n",
            "  ".repeat(depth),
            text(run, "name"),
            text(run, "run_type")
        )
    };
    sorted.iter().map(line).collect()
}

#[test]
fn a_turn_is_a_chain_over_its_model_and_tool_calls() {
    let runs = Given::new(turn()).runs();
    check_tree(&runs);
    assert_eq!(
        outline(&runs),
        "openai.codex (chain)\n  openai.codex.turn (llm)\n  exec_command (tool)\n  openai.codex.turn (llm)\n"
    );
    let root = named(&runs, "openai.codex");
    assert_eq!(root["session_name"], "codex");
    assert_eq!(root["start_time"], "2026-11-20T10:34:12.020000Z");
    assert_eq!(root["end_time"], "2026-11-20T10:34:12.210000Z");
    assert_eq!(
        root["inputs"],
        json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "List the files."}]}]})
    );
    assert_eq!(
        root["outputs"],
        json!({"messages": [
            {"role": "ai", "content": [
                {"type": "text", "text": "I will list the files."},
                {"type": "tool_call", "name": "exec_command", "id": "call_1", "args": {"cmd": "ls"}},
            ]},
            {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "README.md\n"}]},
            {"role": "ai", "content": [{"type": "text", "text": "There is a README."}]},
        ]})
    );
}

#[test]
fn the_images_of_a_prompt_are_those_the_model_was_given() {
    let image = |url: &str| Content::Image(url.to_owned());
    let check = |prompt: Vec<Content>, expected: &[&str]| {
        let mut turn = turn();
        turn.prompt = prompt;
        let content = vec![
            Content::Text("<image name=[Image #1]>".to_owned()),
            image("data:image/png;base64,AAAA"),
            Content::Text("List the files.".to_owned()),
        ];
        let body = ItemBody::Message {
            role: Role::User,
            content,
            phase: None,
        };
        turn.conversations[0][1] = item(30, body);
        let inputs = named(&Given::new(turn).runs(), "openai.codex")["inputs"].clone();
        let blocks = inputs["messages"][0]["content"].as_array().unwrap().clone();
        let url = |block: &Value| block.pointer("/image_url/url").cloned();
        let found: Vec<_> = blocks.iter().filter_map(url).collect();
        assert_eq!(found, expected);
    };
    let words = || Content::Text("List the files.".to_owned());
    check(
        vec![image("in.png"), words()],
        &["data:image/png;base64,AAAA"],
    );
    // Of a prompt that cannot be found again the path is all there is.
    check(
        vec![image("in.png"), image("b.png"), words()],
        &["in.png", "b.png"],
    );
    let others = Content::Text("Something else.".to_owned());
    check(vec![image("in.png"), others], &["in.png"]);
    check(vec![words()], &[]);
}

#[test]
fn a_model_call_has_the_conversation_before_and_its_response() {
    let runs = Given::new(turn()).runs();
    let last = runs
        .iter()
        .rfind(|run| run["name"] == "openai.codex.turn")
        .unwrap();
    assert_eq!(
        last["inputs"],
        json!({"messages": [
            {"role": "system", "content": [{"type": "text", "text": "You are a coding agent."}]},
            {"role": "user", "content": [
                {"type": "text", "text": "<environment_context>"},
                {"type": "text", "text": "List the files."},
            ]},
            {"role": "ai", "content": [
                {"type": "text", "text": "I will list the files."},
                {"type": "tool_call", "name": "exec_command", "id": "call_1", "args": {"cmd": "ls"}},
            ]},
            {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "README.md\n"}]},
        ]})
    );
    assert_eq!(
        last["outputs"],
        json!({"messages": [{"role": "ai", "content": [{"type": "text", "text": "There is a README."}]}]})
    );
    assert_eq!(
        metadata(last)["usage_metadata"],
        json!({
            "input_tokens": 1100, "output_tokens": 50, "total_tokens": 1150,
            "input_token_details": {"cache_read": 400, "cache_creation": 30},
            "output_token_details": {"reasoning": 10},
        })
    );
    assert_eq!(metadata(last)["stop_reason"], "stop");
}

#[test]
fn a_tool_call_has_arguments_output_and_error() {
    let mut turn = turn();
    turn.tools[0].outcome.status = ToolStatus::Failed;
    turn.tools[0].outcome.exit_code = Some(3);
    turn.tools[0].outcome.error = Some("no such file".to_owned());
    turn.tools[0]
        .details
        .insert("parsed_cmd".to_owned(), json!([{"type": "list_files"}]));
    let runs = Given::new(turn).runs();
    let tool = named(&runs, "exec_command");
    assert_eq!(tool["inputs"], json!({"input": {"cmd": "ls"}}));
    assert_eq!(tool["error"], "no such file");
    let message = json!({"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "README.md\n"}]});
    assert_eq!(
        tool["outputs"],
        json!({"parsed_cmd": [{"type": "list_files"}], "exit_code": 3, "status": "failed", "messages": [message]})
    );
}

#[test]
fn the_same_turn_gives_the_same_bytes() {
    let (first, second) = (Given::new(turn()).items(0), Given::new(turn()).items(0));
    assert_eq!(first, second);
    assert!(first.iter().all(|item| item.id.len() == 36));
}

#[test]
fn what_a_cell_ran_hangs_below_it_if_it_ended_within_it() {
    let mut turn = turn();
    turn.tools = vec![
        tool("cell", "exec", 92, 140),
        tool("in", "exec_command", 93, 120),
    ];
    turn.tools.push(tool("late", "sleep", 94, 149));
    for nested in &mut turn.tools[1..] {
        nested.parent = Some("cell".to_owned());
    }
    let runs = Given::new(turn).runs();
    check_tree(&runs);
    assert_eq!(
        outline(&runs),
        "openai.codex (chain)\n  openai.codex.turn (llm)\n  exec (tool)\n    exec_command (tool)\n  \
         sleep (tool)\n  openai.codex.turn (llm)\n"
    );
    assert_eq!(
        metadata(named(&runs, "sleep"))["parent_tool_call_id"],
        "cell"
    );
}

#[test]
fn turns_that_did_not_end_well_say_why() {
    let check = |status: TurnStatus, expected: &str| {
        let mut turn = turn();
        turn.status = status;
        let runs = Given::new(turn).runs();
        let root = named(&runs, "openai.codex");
        assert_eq!(text(root, "error"), expected, "{status:?}");
        let is_interrupt = metadata(root).contains_key("ls_is_error_interrupt");
        let cut = matches!(status, TurnStatus::Interrupted | TurnStatus::CutOff);
        assert_eq!(is_interrupt, cut, "{status:?}");
    };
    check(TurnStatus::Completed, "");
    check(TurnStatus::Interrupted, "Turn interrupted");
    check(TurnStatus::Failed, "Turn failed");
    check(TurnStatus::CutOff, "Turn cut off: Codex ended before it");
}

#[test]
fn what_happens_in_one_instant_lies_within_its_parent() {
    let mut turn = turn();
    turn.tools = vec![tool("cell", "exec", 210, 210)];
    for index in 0..20 {
        let mut nested = tool(&format!("nested-{index}"), "exec_command", 210, 210);
        nested.parent = (index < 10).then(|| "cell".to_owned());
        turn.tools.push(nested);
    }
    let runs = Given::new(turn).runs();
    check_tree(&runs);
    for run in &runs {
        let parent = runs
            .iter()
            .find(|other| other["id"] == run["parent_run_id"]);
        let inside = parent.is_none_or(|parent| text(run, "end_time") <= text(parent, "end_time"));
        assert!(inside, "{run}");
    }
    assert_eq!(outline(&runs).matches("    exec_command").count(), 10);
}
