//! What `config show` has to say about the examples of both products' documentation.

use codex_tracing_config::{Layer, Product};
use serde_json::json;

use crate::scene::Scene;

fn documented_replicas() -> serde_json::Value {
    json!([
        {
            "apiUrl": "https://api.smith.langchain.com",
            "apiKey": "lsv2_pt_workspace_a",
            "projectName": "project-prod"
        },
        {
            "apiUrl": "https://api.smith.langchain.com",
            "apiKey": "lsv2_pt_workspace_b",
            "projectName": "project-staging",
            "updates": { "metadata": { "environment": "staging" } }
        }
    ])
}

#[test]
fn the_variables_of_langsmiths_documentation() {
    let mut scene = Scene::new();
    scene.var("TRACE_TO_LANGSMITH", "true");
    scene.var("LANGSMITH_CODEX_API_KEY", "<your-langsmith-api-key>");
    scene.var("LANGSMITH_CODEX_PROJECT", "codex");
    insta::assert_json_snapshot!(scene.shown(&scene.langsmith()));
}

#[test]
fn the_file_of_langsmiths_documentation_by_layer_and_trust() {
    let file = json!({
        "enabled": true,
        "api_key": "<your-langsmith-api-key>",
        "api_url": "https://api.smith.langchain.com",
        "project": "codex",
        "metadata": { "team": "agents", "environment": "dev" }
    });
    for (name, layer, trusted) in [
        ("the_user", Layer::User, false),
        ("a_trusted_project", Layer::Project, true),
        ("an_unknown_project", Layer::Project, false),
    ] {
        let scene = Scene::new();
        if trusted {
            scene.trust_repo();
        }
        scene.settings(Product::LangSmith, layer, &file);
        insta::assert_json_snapshot!(
            format!("langsmith_file_of_{name}"),
            scene.shown(&scene.langsmith())
        );
    }
}

#[test]
fn the_replicas_of_langsmiths_documentation() {
    let scene = Scene::new();
    let file = json!({"enabled": true, "replicas": documented_replicas()});
    scene.settings(Product::LangSmith, Layer::User, &file);
    insta::assert_json_snapshot!(
        "langsmith_replicas_in_a_file",
        scene.shown(&scene.langsmith())
    );

    let mut scene = Scene::new();
    scene.var(
        "LANGSMITH_CODEX_RUNS_ENDPOINTS",
        documented_replicas().to_string(),
    );
    insta::assert_json_snapshot!(
        "langsmith_replicas_in_a_variable",
        scene.shown(&scene.langsmith())
    );
}

#[test]
fn the_variables_of_braintrusts_documentation() {
    let mut scene = Scene::new();
    scene.var("BRAINTRUST_API_KEY", "your-api-key-here");
    scene.var("TRACE_TO_BRAINTRUST", "true");
    scene.var("BRAINTRUST_PROJECT", "my-codex-project");
    scene.var("BRAINTRUST_FLUSH_ON_TURN_END", "true");
    insta::assert_json_snapshot!(scene.shown(&scene.braintrust()));
}

#[test]
fn every_key_of_braintrusts_documentation() {
    let scene = Scene::new();
    let file = json!({
        "traceToBraintrust": true,
        "apiKey": "sk-0123456789abcdefghijklmnop",
        "project": "codex",
        "apiUrl": "api.braintrust.dev",
        "additionalMetadata": { "team": "agents" },
        "flushOnTurnEnd": false,
        "recordFile": "/tmp/record.ndjson",
        "port": 52734
    });
    scene.settings(Product::Braintrust, Layer::PluginData, &file);
    insta::assert_json_snapshot!(scene.shown(&scene.braintrust()));
}
