//! The `braintrust` plugin: an MCP server and a skill.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use codex_tracing_tests::{
    McpRequest, McpServer, PATIENCE, Running, Scenario, Stage, bundles, versions,
};
use serde_json::json;

use super::{NEWEST, arrived, stage, tree};

const KEY: &str = "sk-0123456789abcdef";
const TOOL: &str = "list_recent_objects";

fn asking() -> Scenario {
    Scenario {
        run: serde_json::from_value(json!([{"exec": ["What is new in Braintrust?"]}])).unwrap(),
        ..Scenario::answering(json!([
            [{"type": "function_call", "name": TOOL, "args": {"limit": 3},
                "namespace": "?mcp__braintrust*"}],
            [{"type": "message", "text": "One experiment.", "phase": "final_answer"}],
        ]))
    }
}

/// That the server saw the key each time, was asked for its tools, and that the model's call reached
/// it and its answer the model.
fn was_used(requests: &[McpRequest], stage: &Stage) {
    assert!(!requests.is_empty(), "nobody asked the server");
    for request in requests {
        assert_eq!(request.bearer.as_deref(), Some(KEY), "{request:?}");
    }
    assert!(
        requests
            .iter()
            .any(|request| request.method == "tools/list")
    );
    let calls: Vec<_> = requests
        .iter()
        .filter(|request| request.method == "tools/call")
        .map(|request| {
            (
                request.params["name"].clone(),
                request.params["arguments"].clone(),
            )
        })
        .collect();
    assert_eq!(calls, [(json!(TOOL), json!({"limit": 3}))]);
    let asked = stage.model.requests();
    let answered = asked.last().unwrap().body["input"].to_string();
    assert!(answered.contains("one experiment"), "{answered}");
}

#[test]
fn the_plugins_own_server_gets_the_key_and_its_tool_is_called() {
    let Some(mut stage) = Stage::set(NEWEST, asking(), &[]).unwrap() else {
        return;
    };
    let server = McpServer::start(TOOL, KEY).unwrap();
    // The plugin as it is, but for the host in its URL.
    let bundle = stage.home.home().join("bundle");
    copy(
        &bundles().unwrap().join("braintrust-codex-plugins"),
        &bundle,
    );
    let file = bundle.join("plugins/braintrust/.mcp.json");
    let text = fs::read_to_string(&file).unwrap();
    let moved = text.replace("https://api.braintrust.dev", &server.url());
    assert_ne!(moved, text);
    fs::write(&file, moved).unwrap();
    stage.home.install_bundle(&bundle, "braintrust").unwrap();
    stage.home.set_env("BRAINTRUST_API_KEY", KEY);
    let outputs = stage.run().unwrap();
    assert_eq!(outputs[0].code, Some(0), "{}", outputs[0].stderr);
    was_used(&server.requests(), &stage);
    // Its skill is offered to the model.
    let first = &stage.model.requests()[0].body.to_string();
    assert!(first.contains("braintrust/SKILL.md"), "{first}");
}

#[test]
fn a_server_elsewhere_takes_the_place_of_the_plugins_and_its_calls_are_traced() {
    let Some(stage) = stage(NEWEST, asking()) else {
        return;
    };
    let server = McpServer::start(TOOL, KEY).unwrap();
    let bundle = bundles().unwrap().join("braintrust-codex-plugins");
    stage.home.install_bundle(&bundle, "braintrust").unwrap();
    let url = format!("{}/mcp", server.url());
    let add = ["mcp", "add", "braintrust", "--url", &url];
    let add = [&add[..], &["--bearer-token-env-var", "BRAINTRUST_API_KEY"]].concat();
    let output = stage.home.codex(&add, &[]).unwrap();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let outputs = stage.run().unwrap();
    assert_eq!(outputs[0].code, Some(0), "{}", outputs[0].stderr);
    was_used(&server.requests(), &stage);
    let rows = arrived(&stage, 1);
    let tools = rows.named(TOOL);
    assert_eq!(tools.len(), 1, "{}", tree(&rows));
    assert_eq!(tools[0].metadata("mcp_server"), Some(&json!("braintrust")));
}

/// Answers the login that `codex` waits for as a user's browser would: opens the address that it
/// prints, and goes where that leads.
fn consent(login: Running, server: &McpServer) {
    let page = format!("{}/authorize?", server.url());
    let until = Instant::now() + PATIENCE;
    let address = loop {
        let printed = login.printed();
        let found = printed.split_whitespace().find(|w| w.starts_with(&page));
        if let Some(address) = found {
            break address.to_owned();
        }
        assert!(Instant::now() < until, "no address to log in at: {printed}");
        std::thread::sleep(Duration::from_millis(20));
    };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    let shown = runtime.block_on(async {
        let page = browser.get(address).send().await?;
        page.error_for_status()
    });
    shown.unwrap();
    let output = login.wait(PATIENCE).unwrap();
    assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
}

#[test]
fn an_account_that_logs_in_needs_no_key() {
    for version in versions() {
        let scenario = Scenario {
            config: vec!["mcp_oauth_credentials_store = \"file\"".to_owned()],
            ..asking()
        };
        let Some(mut stage) = Stage::set(&version, scenario, &[]).unwrap() else {
            continue;
        };
        let server = McpServer::with_login(TOOL, KEY).unwrap();
        let bundle = bundles().unwrap().join("braintrust-codex-plugins");
        stage.home.install_bundle(&bundle, "braintrust").unwrap();
        // Codex opens a browser where it finds one.
        stage.home.set_env("BROWSER", "true");
        let codex = |arguments: &[&str]| stage.home.spawn(arguments, &[]).unwrap();
        // As the README has it: adding the server logs in at once.
        let url = format!("{}/mcp", server.url());
        consent(codex(&["mcp", "add", "braintrust", "--url", &url]), &server);
        // As the skill has it: a login that has gone is made again.
        let output = codex(&["mcp", "logout", "braintrust"]).wait(PATIENCE);
        let output = output.unwrap();
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        consent(codex(&["mcp", "login", "braintrust"]), &server);
        let before = server.requests().len();
        let outputs = stage.run().unwrap();
        assert_eq!(outputs[0].code, Some(0), "{}", outputs[0].stderr);
        let seen = server.requests().split_off(before);
        was_used(&seen, &stage);
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let place = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(place).unwrap();
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}
