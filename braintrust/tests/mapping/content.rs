//! What is in the spans. Tests are named after the defects of other tracers that they rule out.

use codex_tracing_delivery::Mode;
use codex_tracing_transcript::{
    Arguments, CallError, Content, Origin, Output, Role, ToolKind, ToolStatus, TurnError,
    TurnStatus,
};
use serde_json::{Value, json};

use crate::fold::{assert_sound, names, span, spans, tokens};
use crate::support::{Scene, call, message, metadata, spawned, tool, tool_turn, turn, usage};

#[test]
fn turn_input_is_not_missing() {
    let trace = Scene::new(turn("t1")).trace();
    let row = span(&trace, "turn: t1");
    assert_eq!(row["input"], "list the files");
    assert_eq!(row["output"], "done");
    assert_eq!(metadata(row, "model"), "gpt-5.5");
}

#[test]
fn the_model_is_that_of_each_call_and_not_the_first_one_seen() {
    let mut scene = Scene::new(tool_turn("t1"));
    scene.turn.calls[1].model = Some("gpt-6-astra".to_owned());
    let trace = scene.trace();
    assert_eq!(
        metadata(span(&trace, "gpt-6-astra"), "model"),
        "gpt-6-astra"
    );
    assert_eq!(metadata(span(&trace, "gpt-5.5"), "model"), "gpt-5.5");
}

#[test]
fn all_tokens_arrive_and_only_on_model_spans() {
    let scene = Scene::new(tool_turn("t1"));
    let trace = scene.trace();
    let total = scene.turn.usage;
    assert_eq!(tokens(&trace, "prompt_tokens"), total.input);
    assert_eq!(tokens(&trace, "completion_tokens"), total.output);
    assert_eq!(tokens(&trace, "tokens"), total.total);
    assert_eq!(tokens(&trace, "prompt_cached_tokens"), total.cached);
    assert_eq!(
        tokens(&trace, "completion_reasoning_tokens"),
        total.reasoning
    );
    assert_eq!(
        tokens(&trace, "prompt_cache_creation_tokens"),
        total.cache_write
    );
    for row in trace.values() {
        let has_tokens = row["metrics"].get("tokens").is_some();
        assert_eq!(has_tokens, row["span_attributes"]["type"] == "llm", "{row}");
    }
}

#[test]
fn time_to_first_token_is_told_in_seconds() {
    let trace = Scene::new(tool_turn("t1")).trace();
    let calls = spans(&trace, "gpt-5.5");
    assert_eq!(calls[0]["metrics"]["time_to_first_token"], 0.5);
    assert_eq!(calls[1]["metrics"]["time_to_first_token"], 1.0);
}

#[test]
fn a_call_does_not_see_its_own_tool_calls() {
    let trace = Scene::new(tool_turn("t1")).trace();
    let calls = spans(&trace, "gpt-5.5");
    let asks = json!({
        "role": "assistant",
        "content": null,
        "tool_calls": [{
            "id": "c1",
            "type": "function",
            "function": { "name": "exec_command", "arguments": "{\"cmd\":\"ls\"}" },
        }],
    });
    let before = json!([
        { "role": "developer", "content": "be brief" },
        { "role": "user", "content": "list the files" },
    ]);
    assert_eq!(calls[0]["input"], before);
    assert_eq!(calls[0]["output"], asks);
    let told = json!({ "role": "tool", "tool_call_id": "c1", "content": "a.txt" });
    assert_eq!(calls[1]["input"], json!([before[0], before[1], asks, told]));
    assert_eq!(
        calls[1]["output"],
        json!({ "role": "assistant", "content": "done" })
    );
}

#[test]
fn history_does_not_grow_without_bound() {
    let mut scene = Scene::new(turn("t1"));
    for index in 0..40 {
        let text = format!("{index} {}", "x".repeat(50_000));
        scene.turn.conversations[0].push(message(Role::User, &text, 2.0));
    }
    let len = scene.turn.conversations[0].len();
    scene.turn.calls = vec![call(0, (2.0, 3.0), len, Vec::new(), usage(10))];
    let trace = scene.trace();
    let input = &span(&trace, "gpt-5.5")["input"];
    assert!(input.to_string().len() < 600 * 1024);
    let said: Vec<&str> = input
        .as_array()
        .expect("messages")
        .iter()
        .filter_map(|message| message["content"].as_str())
        .collect();
    assert_eq!(said[0], "be brief", "instructions stay");
    assert!(said.iter().any(|text| text.contains("left out here")));
    assert!(said.last().expect("newest").starts_with("39 "));
}

#[test]
fn a_long_turn_does_not_send_its_history_squared() {
    let mut scene = Scene::new(turn("t1"));
    for index in 0..200 {
        let len = scene.turn.conversations[0].len();
        let answer = message(Role::Assistant, &"x".repeat(10_000), 2.0);
        scene.turn.conversations[0].push(answer.clone());
        let call = call(index, (2.0, 3.0), len, vec![answer], usage(10));
        scene.turn.calls.push(call);
    }
    let bytes: usize = scene.rows().iter().map(|row| row.body.len()).sum();
    assert!(bytes < 24 * 1024 * 1024, "{bytes}");
}

#[test]
fn errors_web_searches_images_and_namespaces_are_traced() {
    let mut scene = Scene::new(tool_turn("t1"));
    let mut search = tool("s1", "web_search", (4.0, 5.0));
    search.kind = ToolKind::WebSearch;
    search.arguments = Arguments::Json(json!({ "type": "search", "query": "rust" }));
    search.outcome.output = None;
    let mut note = tool("m1", "add_note", (5.0, 6.0));
    note.kind = ToolKind::Mcp;
    note.namespace = Some("mcp__notes".to_owned());
    note.mcp_server = Some("notes".to_owned());
    let mut view = tool("v1", "view_image", (6.0, 7.0));
    view.kind = ToolKind::ImageView;
    let image = Content::Image("data:image/png;base64,AA==".to_owned());
    view.outcome.output = Some(Output::Parts(vec![image.clone()]));
    scene.turn.tools.extend([search, note, view]);
    scene.turn.prompt.push(image);
    scene.turn.status = TurnStatus::Failed;
    scene.turn.error = Some(TurnError {
        message: "the server gave up".to_owned(),
        code: Some("internal_server_error".to_owned()),
    });
    scene.turn.calls[1].completed = false;
    scene.turn.calls[1].errors = vec![CallError {
        at: scene.turn.window.started_at,
        message: "HTTP 500".to_owned(),
    }];
    let trace = scene.trace();
    assert_sound(&trace);
    let search = span(&trace, "web_search");
    assert_eq!(search["input"], "{\"type\":\"search\",\"query\":\"rust\"}");
    let note = span(&trace, "add_note");
    assert_eq!(metadata(note, "tool_namespace"), "mcp__notes");
    assert_eq!(metadata(note, "mcp_server"), "notes");
    let shown =
        json!([{ "type": "image_url", "image_url": { "url": "data:image/png;base64,AA==" } }]);
    assert_eq!(span(&trace, "view_image")["output"], shown);
    let row = span(&trace, "turn: t1");
    assert_eq!(row["error"], "the server gave up");
    assert_eq!(metadata(row, "error_code"), "internal_server_error");
    assert_eq!(row["input"][0]["text"], "list the files");
    assert_eq!(row["input"][1], shown[0]);
    assert_eq!(spans(&trace, "gpt-5.5")[1]["error"], "HTTP 500");
}

#[test]
fn an_overcome_error_is_no_failure() {
    let mut scene = Scene::new(tool_turn("t1"));
    scene.turn.calls[0].retries = 1;
    scene.turn.calls[0].errors = vec![CallError {
        at: scene.turn.window.started_at,
        message: "stream closed".to_owned(),
    }];
    let trace = scene.trace();
    let row = spans(&trace, "gpt-5.5")[0];
    assert!(row.get("error").is_none());
    assert_eq!(metadata(row, "retries"), 1);
    assert_eq!(
        metadata(row, "errors_before_answer"),
        &json!(["stream closed"])
    );
}

#[test]
fn variables_prices_and_scripts_are_no_skills() {
    let mut scene = Scene::new(tool_turn("t1"));
    scene.turn.prompt = vec![Content::Text(
        "echo $HOME for $5.00, then use $release-notes".to_owned(),
    )];
    scene.turn.tools[0].arguments = Arguments::Json(json!({ "cmd": "./scripts/build.sh" }));
    let mut read = tool("c2", "exec_command", (3.0, 4.0));
    read.arguments =
        Arguments::Json(json!({ "cmd": "cat /home/dev/.codex/skills/release-notes/SKILL.md" }));
    scene.turn.tools.push(read);
    let trace = scene.trace();
    let row = span(&trace, "turn: t1");
    assert_eq!(
        metadata(row, "loaded_skill_names"),
        &json!(["release-notes"])
    );
    assert_eq!(
        metadata(row, "loaded_skills"),
        &json!([{ "name": "release-notes" }])
    );
    assert_eq!(metadata(span(&trace, "exec_command"), "tool_kind"), "shell");
    let skill = span(&trace, "skill: release-notes");
    assert_eq!(metadata(skill, "tool_kind"), "skill");
    assert_eq!(metadata(skill, "skill_name"), "release-notes");
    assert_eq!(metadata(skill, "skill_load_trigger"), "explicit");
    assert_eq!(metadata(skill, "tool_name"), "exec_command");
}

#[test]
fn an_undefined_standard_key_does_not_delete_the_users() {
    let mut scene = Scene::new(turn("t1"));
    scene.turn.context.model = None;
    scene.settings.common.metadata = json!({ "model": "mine", "project": "mine", "team": "a" })
        .as_object()
        .expect("object")
        .clone();
    let trace = scene.trace();
    let root = span(&trace, "codex: app");
    assert_eq!(
        metadata(root, "model"),
        "mine",
        "no standard value: the user's stays"
    );
    assert_eq!(
        metadata(root, "project"),
        "codex",
        "the standard value wins"
    );
    assert_eq!(metadata(root, "team"), "a");
}

#[test]
fn git_remotes_lose_their_credentials() {
    let trace = Scene::new(turn("t1")).trace();
    let root = span(&trace, "codex: app");
    let url = metadata(root, "git_origin_url");
    assert_eq!(url, "https://example.com/o/r.git");
    assert_eq!(metadata(root, "git_branch"), "main");
    assert_eq!(metadata(root, "git_commit_sha"), "c0ffee");
}

#[test]
fn every_span_says_where_it_comes_from_and_none_names_source_files() {
    let mut scene = Scene::new(tool_turn("t1"));
    scene.settings.environment = Some(codex_tracing_config::SpanEnvironment::new(
        Some("ci".to_owned()),
        Some("github_actions".to_owned()),
    ));
    for row in scene.trace().values() {
        assert_eq!(
            row["context"],
            json!({ "span_origin": {
                "name": "braintrust.plugin.codex",
                "version": "9.9.9",
                "instrumentation": { "name": "codex-tracing" },
                "environment": { "type": "ci", "name": "github_actions" },
            }})
        );
    }
}

#[test]
fn a_muted_turn_sends_no_paths_no_git_no_errors_and_no_custom_metadata() {
    let mut scene = Scene::new(tool_turn("t1"));
    scene.mode = Mode::Metadata;
    scene.settings.common.metadata = json!({ "team": "a" }).as_object().expect("object").clone();
    scene.turn.tools[0].outcome.status = ToolStatus::Failed;
    scene.turn.tools[0].outcome.error = Some("boom".to_owned());
    scene.session.origin = Origin::User("exec".to_owned());
    let trace = scene.trace();
    let text = serde_json::to_string(&trace).expect("JSON");
    for word in [
        "/home/dev",
        "example.com",
        "c0ffee",
        "boom",
        "\"team\"",
        "codex: app",
    ] {
        assert!(!text.contains(word), "{word}");
    }
    assert!(names(&trace).contains(&"codex session"));
    assert_eq!(tokens(&trace, "prompt_tokens"), 300);
}

#[test]
fn a_muted_subagent_tells_its_role_and_never_what_the_model_called_it_or_its_task() {
    for mode in [Mode::Full, Mode::Metadata] {
        let scene = Scene::new(tool_turn("t1"));
        let mut scene = spawned(scene, &[("root-thread", "t0", "child")], 1.0);
        scene.session.origin = Origin::Spawned {
            depth: Some(1),
            path: Some("/root/find_the_leak".to_owned()),
            nickname: Some("Ada".to_owned()),
            role: Some("explorer".to_owned()),
        };
        scene.mode = mode;
        let text = serde_json::to_string(&scene.trace()).expect("JSON");
        assert!(text.contains("explorer"), "{text}");
        for word in ["find_the_leak", "Ada"] {
            assert_eq!(text.contains(word), mode == Mode::Full, "{word}: {text}");
        }
    }
}

#[test]
fn a_session_has_name_and_model_from_the_first_turn_that_is_delivered() {
    let root = |number: u32, hooks_from: Option<&str>, mode: Mode, source: &str| {
        let mut scene = Scene::new(tool_turn("t"));
        scene.turn.number = number;
        scene.mode = mode;
        scene.hooks.source = Some(source.to_owned());
        scene.hooks.first_turn_id = hooks_from.map(str::to_owned);
        let trace = scene.trace();
        let mut rows = trace.values();
        let root = rows.find(|row| row.get("span_parents").is_none());
        let root = root.expect("a root");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        (
            text(&root["span_attributes"]["name"]),
            text(&root["metadata"]["model"]),
        )
    };
    let said = |name: Option<&str>, model: Option<&str>| {
        (name.map(str::to_owned), model.map(str::to_owned))
    };
    let nameless = Some("codex session");
    let model = Some("gpt-5.5");
    let check = |found, name, model| assert_eq!(found, said(name, model));
    check(root(1, None, Mode::Metadata, "startup"), nameless, model);
    // The turn before was the command to mute.
    let muted = root(2, Some("t"), Mode::Metadata, "startup");
    check(muted, nameless, model);
    let later = root(3, Some("other"), Mode::Metadata, "startup");
    check(later, None, None);
    // Tracing came on with this turn.
    let full = root(2, Some("t"), Mode::Full, "startup");
    check(full, Some("codex: app"), model);
    // Turns before may have been sent by a state directory that is gone.
    let resumed = root(2, Some("t"), Mode::Full, "resume");
    check(resumed, Some("codex: app"), None);
}
