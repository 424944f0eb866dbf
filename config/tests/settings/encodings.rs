//! Variables and paths in another encoding than UTF-8, such as those of an old Latin-1 system.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use codex_tracing_config::{
    Context, Environment, Problem, Product, braintrust, explain, langsmith,
};
use serde_json::json;

use crate::scene::Scene;

/// `<scene>/<name>\xe9`, a folder.
fn folder(scene: &Scene, name: &str) -> PathBuf {
    let name = [name.as_bytes(), b"\xe9"].concat();
    let path = scene.path("").join(OsStr::from_bytes(&name));
    std::fs::create_dir_all(path.join(".codex")).unwrap();
    path
}

fn write(file: &Path, project: &str) {
    std::fs::write(file, json!({ "project": project }).to_string()).unwrap();
}

fn context(scene: &Scene, pairs: &[(&str, &OsStr)]) -> Context {
    let pairs = pairs
        .iter()
        .map(|(name, value)| (*name, OsString::from(value)));
    let mut ctx = Context::new(Environment::from_pairs(pairs), scene.path("repo"));
    ctx.team_dir = scene.path("team");
    ctx
}

#[test]
fn files_in_folders_with_names_of_another_encoding_are_read() {
    let scene = Scene::new();
    let (home, data, team) = (
        folder(&scene, "h"),
        folder(&scene, "d"),
        folder(&scene, "t"),
    );
    write(&home.join(".codex/langsmith.json"), "of the home");
    write(&data.join("config.json"), "of the plugin");
    write(&team.join("braintrust.json"), "of the team");
    let ctx = context(
        &scene,
        &[("HOME", home.as_ref()), ("PLUGIN_DATA", data.as_ref())],
    );
    assert_eq!(ctx.codex_home, home.join(".codex"));
    assert_eq!(langsmith(&ctx).settings.project, "of the home");
    let loaded = braintrust(&ctx);
    assert_eq!(loaded.settings.project, "of the plugin");
    assert_eq!(loaded.warnings, []);
    let ctx = context(&scene, &[("CODEX_TRACING_TEAM_CONFIG", team.as_ref())]);
    let loaded = braintrust(&ctx);
    assert_eq!(loaded.settings.project, "of the team");
    assert_eq!(loaded.warnings, []);
}

/// Codex takes such a `CODEX_HOME` as unset, so the usual folder holds its settings and sessions.
#[test]
fn a_codex_home_that_is_not_text_is_left_out_as_codex_does_and_told() {
    let scene = Scene::new();
    let odd = folder(&scene, "c");
    write(&odd.join("langsmith.json"), "elsewhere");
    write(&scene.path("home/.codex/langsmith.json"), "usual");
    let home = scene.path("home");
    let ctx = context(
        &scene,
        &[("HOME", home.as_ref()), ("CODEX_HOME", odd.as_ref())],
    );
    assert_eq!(ctx.codex_home, home.join(".codex"));
    let loaded = langsmith(&ctx);
    assert_eq!(loaded.settings.project, "usual");
    let told: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["CODEX_HOME: is not UTF-8 text and counts as unset"]);
}

#[test]
fn a_variable_that_is_not_text_is_left_out_alone_and_told() {
    let scene = Scene::new();
    for (name, key) in [
        ("TRACE_TO_LANGSMITH", Some("enabled")),
        ("LANGSMITH_CODEX_API_KEY", Some("api_key")),
        ("LANGSMITH_PROJECT", Some("project")),
        ("CODEX_TRACING_TRUST_PROJECT", None),
        ("CODEX_TRACING_LOG", None),
    ] {
        let odd = OsStr::from_bytes(b"caf\xe9");
        let pairs = [(name, odd), ("LANGSMITH_CODEX_PROJECT", "kept".as_ref())];
        let ctx = context(&scene, &pairs);
        let loaded = explain(&ctx, Product::LangSmith);
        let [warning] = loaded.warnings.as_slice() else {
            panic!("{name}: {:?}", loaded.warnings);
        };
        assert_eq!(warning.problem, Problem::NotText, "{name}");
        assert!(warning.to_string().starts_with(name), "{warning}");
        if let Some(key) = key {
            let row = loaded.provenance.row(key).unwrap();
            assert_eq!(row.dropped.len(), 1, "{name}");
        }
        assert_eq!(langsmith(&ctx).settings.project, "kept");
    }
}
