//! Files with keys that others can see.

use codex_tracing_config::{Layer, Problem, Product, key_file_problems};
use serde_json::{Value, json};

use crate::scene::Scene;

#[cfg(unix)]
fn set_mode(scene: &Scene, layer: Layer, mode: u32) {
    use std::os::unix::fs::PermissionsExt;

    let path = scene.path(&Scene::file_of(Product::LangSmith, layer));
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(unix)]
#[test]
fn a_file_with_a_key_that_others_can_read_is_told_and_one_without_is_not() {
    let replica =
        |key: Value| json!({"replicas": [{"api_url": "https://x.example", "apiKey": key}]});
    for (settings, mode, told) in [
        (json!({"api_key": "k"}), 0o644, Some(0o644)),
        (json!({"apiKey": "k"}), 0o640, Some(0o640)),
        (json!({"api_key": "k"}), 0o600, None),
        (json!({"api_key": "${KEY}"}), 0o644, None),
        (json!({"api_key": ""}), 0o644, None),
        (json!({"project": "p"}), 0o644, None),
        (replica(json!("k")), 0o644, Some(0o644)),
        (replica(json!("${KEY}")), 0o644, None),
        (
            json!({"replicas": {"https://x.example": "k"}}),
            0o604,
            Some(0o604),
        ),
    ] {
        let scene = Scene::new();
        scene.settings(Product::LangSmith, Layer::User, &settings);
        set_mode(&scene, Layer::User, mode);
        let problems = key_file_problems(&scene.ctx()).into_iter();
        let modes = problems.map(|warning| match warning.problem {
            Problem::ReadableByOthers { mode, .. } => mode,
            other => panic!("{other}"),
        });
        let modes: Vec<_> = modes.collect();
        let expected: Vec<_> = told.into_iter().collect();
        assert_eq!(modes, expected, "{settings} {mode:o}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_with_a_key_that_git_tracks_is_told() {
    let scene = Scene::new();
    std::fs::remove_dir(scene.path("repo/.git")).unwrap();
    let git = |args: &[&str]| {
        let output = std::process::Command::new("git")
            .arg("-C")
            .arg(scene.path("repo"))
            .args(args)
            .output();
        assert!(output.unwrap().status.success(), "{args:?}");
    };
    git(&["init", "-q"]);
    scene.settings(Product::LangSmith, Layer::Project, &json!({"api_key": "k"}));
    set_mode(&scene, Layer::Project, 0o600);
    assert_eq!(key_file_problems(&scene.ctx()), []);
    git(&["add", ".codex/langsmith.json"]);
    let problems = key_file_problems(&scene.ctx());
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].problem, Problem::TrackedByGit);
    assert!(
        problems[0]
            .to_string()
            .contains("repo/.codex/langsmith.json: holds a key and is tracked")
    );
}
