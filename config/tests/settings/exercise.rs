//! Any bytes in every file and variable: nothing panics, and a key is never shown.
//!
//! Shared by the fuzz target and the bounded test.

use std::path::Path;

use codex_tracing_config::{Context, Environment, Product, env_table, explain};

/// Reads `bytes` as the settings files of every layer, as Codex's config.toml and as the value of
/// every variable, and as a key in places meant for one.
pub(crate) fn exercise(root: &Path, bytes: &[u8]) {
    let write = |below: &str, bytes: &[u8]| {
        let path = root.join(below);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    let text = String::from_utf8_lossy(bytes).replace('\0', "");
    for file in [
        "home/.codex/langsmith.json",
        "home/.codex/braintrust.toml",
        "team/langsmith.toml",
        "repo/.codex/braintrust.json",
        "repo/.codex/langsmith.toml",
        "data/config.json",
        "home/.codex/config.toml",
        "repo/.git",
    ] {
        write(file, bytes);
    }
    check(root, Environment::from_pairs(base(root)), None);
    let everywhere = env_table()
        .iter()
        .map(|var| (var.name.to_owned(), text.clone()));
    let paths = ["HOME", "USERPROFILE", "CODEX_HOME", "PLUGIN_DATA"];
    let everywhere = everywhere.filter(|(name, _)| !paths.contains(&name.as_str()));
    check(
        root,
        Environment::from_pairs(base(root).into_iter().chain(everywhere)),
        None,
    );

    // As keys: whatever they look like, they are not shown.
    let key = serde_json::Value::from(text.trim());
    let file = serde_json::json!({
        "api_key": key, "replicas": [{"api_key": key, "api_url": "https://example.com"}],
    });
    let file = file.to_string();
    for below in [
        "home/.codex/langsmith.json",
        "data/config.json",
        "repo/.codex/langsmith.json",
    ] {
        write(below, file.as_bytes());
    }
    let keys = [("LANGSMITH_API_KEY", &text), ("BRAINTRUST_API_KEY", &text)];
    let keys = keys.map(|(name, value)| (name.to_owned(), value.clone()));
    let env = Environment::from_pairs(base(root).into_iter().chain(keys));
    let long_enough = text.trim().len() >= 24;
    check(root, env, long_enough.then(|| text.trim()));
}

fn base(root: &Path) -> Vec<(String, String)> {
    let path = |below: &str| root.join(below).display().to_string();
    vec![
        ("HOME".to_owned(), path("home")),
        ("PLUGIN_DATA".to_owned(), path("data")),
    ]
}

fn check(root: &Path, env: Environment, key: Option<&str>) {
    let mut ctx = Context::new(env, root.join("repo"));
    ctx.team_dir = root.join("team");
    for product in Product::all() {
        let explained = explain(&ctx, product);
        assert!(!explained.provenance.rows().is_empty());
        let mut said = format!("{explained:?}{}", explained.provenance.to_json());
        for warning in &explained.warnings {
            said += &warning.to_string();
        }
        let debug = match product {
            Product::LangSmith => format!("{:?}", codex_tracing_config::langsmith(&ctx)),
            _ => format!("{:?}", codex_tracing_config::braintrust(&ctx)),
        };
        said.push_str(&debug);
        if let Some(key) = key {
            assert!(!said.contains(key), "shown: {key:?}");
        }
    }
}
