//! Which project file is found, and whose trust entry counts for it.

use codex_tracing_config::{Layer, Product, Trust, codex_project_files};
use serde_json::json;

use crate::scene::Scene;

fn scene_with_project_file() -> Scene {
    let scene = Scene::new();
    scene.settings(
        Product::LangSmith,
        Layer::Project,
        &json!({"project": "root's"}),
    );
    std::fs::create_dir_all(scene.path("repo/sub/deep")).unwrap();
    scene
}

#[test]
fn trust_is_looked_up_for_directory_and_repository_root() {
    use Trust::{Trusted, Unknown, Untrusted};

    for (cwd, entries, expected) in [
        ("repo", &[][..], Unknown),
        ("repo", &[("repo", "trusted")], Trusted),
        ("repo/sub", &[("repo", "trusted")], Trusted),
        ("repo/sub/deep", &[("repo/sub/deep", "trusted")], Trusted),
        ("repo/sub/deep", &[("repo/sub", "trusted")], Unknown),
        ("repo", &[("", "trusted")], Unknown),
        ("repo", &[("repo", "untrusted")], Untrusted),
        ("repo/sub", &[("repo", "untrusted")], Untrusted),
        (
            "repo/sub",
            &[("repo/sub", "untrusted"), ("repo", "trusted")],
            Untrusted,
        ),
        // Trust in a folder does not reach a file above it that is refused.
        (
            "repo/sub",
            &[("repo/sub", "trusted"), ("repo", "untrusted")],
            Untrusted,
        ),
        ("repo", &[("repo", "something new")], Unknown),
    ] {
        let scene = scene_with_project_file();
        for (folder, level) in entries {
            let folder = scene
                .path(folder)
                .components()
                .collect::<std::path::PathBuf>();
            scene.codex_says(&folder, level);
        }
        let project = codex_tracing_config::langsmith(&scene.ctx_in(cwd))
            .provenance
            .project;
        assert_eq!(project.unwrap().trust, expected, "{cwd} {entries:?}");
    }
}

#[test]
fn the_variable_trusts_a_project_without_entry_if_it_says_so_clearly() {
    for (word, expected, told) in [
        ("1", Trust::Trusted, 0),
        ("TRUE", Trust::Trusted, 0),
        ("0", Trust::Unknown, 0),
        ("maybe", Trust::Unknown, 1),
    ] {
        let mut scene = scene_with_project_file();
        scene.var("CODEX_TRACING_TRUST_PROJECT", word);
        let loaded = scene.langsmith();
        assert_eq!(loaded.provenance.project.unwrap().trust, expected, "{word}");
        assert_eq!(loaded.warnings.len(), told, "{word}");
    }
}

#[test]
fn the_nearest_file_up_to_the_repository_root_counts() {
    let project = |scene: &Scene, cwd: &str| {
        codex_tracing_config::langsmith(&scene.ctx_in(cwd))
            .settings
            .project
    };
    let scene = scene_with_project_file();
    assert_eq!(project(&scene, "repo/sub/deep"), "root's");
    scene.write("repo/sub/.codex/langsmith.toml", "project = \"sub's\"");
    assert_eq!(project(&scene, "repo/sub/deep"), "sub's");
    assert_eq!(project(&scene, "repo"), "root's");
    // A repository within it is on its own.
    std::fs::create_dir_all(scene.path("repo/sub/deep/.git")).unwrap();
    assert_eq!(project(&scene, "repo/sub/deep"), "codex");
}

#[test]
fn without_a_repository_only_the_working_directory_is_looked_at() {
    let scene = Scene::new();
    scene.write("plain/.codex/langsmith.json", r#"{"project": "plain"}"#);
    std::fs::create_dir_all(scene.path("plain/below")).unwrap();
    let project = |cwd| {
        codex_tracing_config::langsmith(&scene.ctx_in(cwd))
            .settings
            .project
    };
    assert_eq!(project("plain"), "plain");
    assert_eq!(project("plain/below"), "codex");
}

#[test]
fn codexs_own_home_is_not_a_project() {
    let scene = Scene::new();
    scene.settings(
        Product::LangSmith,
        Layer::User,
        &json!({"api_url": "https://mine.example"}),
    );
    std::fs::create_dir_all(scene.path("home/.git")).unwrap();
    std::fs::create_dir_all(scene.path("home/sub")).unwrap();
    for cwd in ["home", "home/sub"] {
        let loaded = codex_tracing_config::langsmith(&scene.ctx_in(cwd));
        assert_eq!(loaded.provenance.project, None, "{cwd}");
        assert_eq!(loaded.settings.api_url, "https://mine.example");
    }
}

/// A worktree of `main` at `tree`, as `git worktree add` writes it.
fn worktree(scene: &Scene) {
    let tree = scene.path("tree");
    let git_dir = scene.path("main/.git/worktrees/tree");
    scene.write("main/.git/worktrees/tree/commondir", "../..\n");
    scene.write(
        "main/.git/worktrees/tree/gitdir",
        format!("{}\n", tree.join(".git").display()),
    );
    scene.write("tree/.git", format!("gitdir: {}\n", git_dir.display()));
    scene.write("tree/.codex/langsmith.json", "{}");
}

fn trust_in(scene: &Scene, cwd: &str) -> Trust {
    let loaded = codex_tracing_config::langsmith(&scene.ctx_in(cwd));
    loaded.provenance.project.unwrap().trust
}

#[test]
fn a_worktree_has_the_trust_of_its_main_checkout() {
    let scene = Scene::new();
    worktree(&scene);
    assert_eq!(trust_in(&scene, "tree"), Trust::Unknown);
    scene.codex_says(&scene.path("main"), "trusted");
    assert_eq!(trust_in(&scene, "tree"), Trust::Trusted);
    scene.codex_says(&scene.path("tree"), "untrusted");
    assert_eq!(trust_in(&scene, "tree"), Trust::Untrusted);
}

#[test]
fn what_only_claims_to_be_a_worktree_of_a_trusted_checkout_is_not_trusted() {
    // Names a real worktree's folder, which names another worktree in return.
    let scene = Scene::new();
    worktree(&scene);
    scene.codex_says(&scene.path("main"), "trusted");
    let git_dir = scene.path("main/.git/worktrees/tree");
    scene.write("evil/.git", format!("gitdir: {}\n", git_dir.display()));
    scene.write("evil/.codex/langsmith.json", "{}");
    assert_eq!(trust_in(&scene, "evil"), Trust::Unknown);

    // Brings a folder of its own that claims the trusted checkout.
    let common = scene.path("main/.git");
    let dot_git = scene.path("evil/.git");
    scene.write(
        "evil/fake/worktrees/x/commondir",
        common.display().to_string(),
    );
    scene.write(
        "evil/fake/worktrees/x/gitdir",
        dot_git.display().to_string(),
    );
    scene.write("evil/.git", "gitdir: fake/worktrees/x\n");
    assert_eq!(trust_in(&scene, "evil"), Trust::Unknown);
}

#[test]
fn real_git_worktrees_are_recognised() {
    let scene = Scene::new();
    let git = |args: &[&str]| {
        let status = std::process::Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-C"])
            .arg(scene.path("main"))
            .args(args)
            .output()
            .unwrap();
        assert!(status.status.success(), "{status:?}");
    };
    std::fs::create_dir_all(scene.path("main")).unwrap();
    git(&["init", "-q"]);
    git(&["commit", "-q", "--allow-empty", "-m", "first"]);
    git(&["worktree", "add", "-q", "../tree"]);
    scene.write("tree/.codex/langsmith.json", "{}");
    scene.codex_says(&scene.path("main"), "trusted");
    assert_eq!(trust_in(&scene, "tree"), Trust::Trusted);
}

#[cfg(unix)]
#[test]
fn a_project_reached_through_a_link_has_the_entry_of_its_real_path() {
    let scene = scene_with_project_file();
    std::os::unix::fs::symlink(scene.path("repo"), scene.path("link")).unwrap();
    scene.trust_repo();
    assert_eq!(trust_in(&scene, "link"), Trust::Trusted);
}

/// What Codex 0.169 did with a file in each of these folders that switched a plugin.
#[test]
fn the_files_of_projects_that_codex_reads_are_those_of_trusted_folders() {
    let both = &["repo/sub", "repo"][..];
    for (cwd, entries, expected) in [
        ("repo/sub/deep", &[][..], &[][..]),
        ("repo/sub/deep", &[("repo", "trusted")], both),
        ("repo", &[("repo", "trusted")], &["repo"]),
        ("repo", &[("repo", "untrusted")], &[]),
        ("repo/sub/deep", &[("repo/sub", "trusted")], &["repo/sub"]),
        ("repo/sub/deep", &[("repo/sub/deep", "trusted")], &[]),
        (
            "repo/sub/deep",
            &[("repo", "trusted"), ("repo/sub", "untrusted")],
            &["repo"],
        ),
        (
            "repo/sub/deep",
            &[("repo", "trusted"), ("repo/sub/deep", "untrusted")],
            both,
        ),
        (
            "repo/sub/deep",
            &[("repo", "untrusted"), ("repo/sub", "trusted")],
            &["repo/sub"],
        ),
        ("plain", &[("plain", "trusted")], &["plain"]),
        ("plain/sub", &[("plain", "trusted")], &[]),
        ("home", &[("home", "trusted")], &[]),
        ("tree", &[], &[]),
        ("tree", &[("main", "trusted")], &["tree"]),
        ("tree", &[("main", "trusted"), ("tree", "untrusted")], &[]),
        (
            "tree",
            &[("main", "untrusted"), ("tree", "trusted")],
            &["tree"],
        ),
    ] {
        let mut scene = Scene::new();
        scene.var("CODEX_TRACING_TRUST_PROJECT", "1");
        worktree(&scene);
        for folder in ["repo", "repo/sub", "plain", "plain/sub", "tree"] {
            scene.write(&format!("{folder}/.codex/config.toml"), "");
        }
        std::fs::create_dir_all(scene.path("repo/sub/deep")).unwrap();
        for (folder, level) in entries {
            scene.codex_says(&scene.path(folder), level);
        }
        let expected: Vec<_> = expected
            .iter()
            .map(|folder| scene.path(folder).join(".codex/config.toml"))
            .collect();
        let found = codex_project_files(&scene.ctx_in(cwd));
        assert_eq!(found, expected, "{cwd} {entries:?}");
    }
}
