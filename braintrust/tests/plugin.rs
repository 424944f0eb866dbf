//! The static files of the `braintrust` plugin.
#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::path::PathBuf;

use serde_json::Value;

fn read(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("plugin")
        .join(path);
    std::fs::read_to_string(path).expect("a file of the plugin")
}

fn json(path: &str) -> Value {
    serde_json::from_str(&read(path)).expect("JSON")
}

#[test]
fn the_manifest_names_what_is_there() {
    let manifest = json(".codex-plugin/plugin.json");
    assert_eq!(manifest["name"], "braintrust");
    assert_eq!(manifest["mcpServers"], "./.mcp.json");
    assert_eq!(manifest["skills"], "./skills/");
    assert!(
        manifest["version"].is_string(),
        "a place for the release's version"
    );
}

#[test]
fn the_server_is_reached_with_the_api_key() {
    let server = &json(".mcp.json")["mcpServers"]["braintrust"];
    assert_eq!(server["url"], "https://api.braintrust.dev/mcp");
    assert_eq!(server["bearer_token_env_var"], "BRAINTRUST_API_KEY");
}

#[test]
fn the_skill_has_a_name_a_description_and_all_tools() {
    let skill = read("skills/braintrust/SKILL.md");
    let (header, text) = skill
        .strip_prefix("---\n")
        .and_then(|rest| rest.split_once("\n---\n"))
        .expect("a header");
    assert!(header.starts_with("name: braintrust\ndescription: "));
    for tool in [
        "search_docs",
        "docs://sdk-install",
        "resolve_object",
        "list_recent_objects",
        "infer_schema",
        "sql_query",
        "summarize_experiment",
        "generate_permalink",
    ] {
        assert!(text.contains(&format!("`{tool}`")), "{tool}");
    }
}

#[test]
fn other_regions_and_oauth_are_explained() {
    let readme = read("README.md");
    for words in [
        "api-eu.braintrust.dev/mcp",
        "self-hosted",
        "OAuth",
        "codex mcp add",
    ] {
        assert!(readme.contains(words), "{words}");
    }
}
