//! A new release over an old one.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use codex_tracing_tests::{
    CodexVersion, PATIENCE, Plugin, Product, Scenario, Stage, binary, bundles, install_by_hand,
    versions,
};
use serde_json::json;

use super::install::{User, ended_runs};

/// Our executable with other bytes at its end: another release of it.
fn other_binary(folder: &Path) -> PathBuf {
    let file = folder.join("codex-tracing");
    std::fs::copy(binary().unwrap(), &file).unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.extend_from_slice(b"another release");
    std::fs::write(&file, bytes).unwrap();
    file
}

#[test]
fn after_an_upgrade_codex_disables_the_hooks_silently_and_install_with_trust_restores_them() {
    for version in versions() {
        if version.parse::<CodexVersion>().unwrap() < CodexVersion::minor(164) {
            continue;
        }
        let Some(mut user) = User::new(&version, 3) else {
            continue;
        };
        let folder = tempfile::TempDir::new().unwrap();
        let upgraded = other_binary(folder.path());
        user.install("langsmith", &binary().unwrap(), &["--trust"]);
        user.configure(Product::LangSmith);
        user.exec("First?");
        user.wait("the first turn", |collector| ended_runs(collector) == 1);

        user.install("langsmith", &upgraded, &[]);
        let program = user.installed("langsmith-codex-plugins", "tracing");
        assert_eq!(user.doctor(&program), ["hooks-content-changed"]);
        let output = user.exec("Second?");
        assert!(
            output.stderr.contains("hook: Stop Failed"),
            "{}",
            output.stderr
        );
        assert_eq!(ended_runs(&user.collector), 1, "{}", output.stderr);

        user.install("langsmith", &upgraded, &["--trust"]);
        assert_eq!(user.doctor(&program), [""; 0]);
        let output = user.exec("Third?");
        assert!(!output.stderr.contains("Failed"), "{}", output.stderr);
        user.wait("the third turn", |collector| ended_runs(collector) == 2);
    }
}

/// The bundle of `product` as its next release: another version and other bytes.
fn next_release(product: Product, place: &Path) -> PathBuf {
    let name = product.marketplace();
    let from = bundles().unwrap().join(name);
    let to = place.join("next").join(name);
    for entry in walkdir::WalkDir::new(&from) {
        let entry = entry.unwrap();
        let file = to.join(entry.path().strip_prefix(&from).unwrap());
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(&file).unwrap();
        } else {
            std::fs::copy(entry.path(), &file).unwrap();
        }
    }
    let folder = to.join("plugins").join(product.plugin());
    let manifest = folder.join(".codex-plugin/plugin.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
    json["version"] = "99.0.0".into();
    std::fs::write(&manifest, json.to_string()).unwrap();
    to
}

/// Replaces the installed plugin as `codex plugin add` does; Codex may be running. Gives the new one.
pub(super) fn upgrade(stage: &Stage, product: Product, place: &Path) -> Plugin {
    let bundle = next_release(product, place);
    let plugin = Plugin::read(&bundle, product.plugin()).unwrap();
    let home = &stage.home;
    if home.cli().version() < CodexVersion::minor(132) {
        install_by_hand(&plugin, &home.codex_home(), home.cli().version()).unwrap();
    } else {
        let folder = bundle.display().to_string();
        for arguments in [
            &["plugin", "marketplace", "remove", product.marketplace()][..],
            &["plugin", "marketplace", "add", &folder],
            &["plugin", "add", &plugin.id()],
        ] {
            let output = home.codex(arguments, &[]).unwrap();
            assert_eq!(output.code, Some(0), "{arguments:?}: {}", output.stderr);
        }
    }
    if home.cli().version() >= CodexVersion::minor(129) {
        home.trust_hooks(&plugin).unwrap();
    }
    assert!(plugin.cache(&home.codex_home()).is_dir());
    let old = stage.plugins[0].cache(&home.codex_home());
    assert!(!old.exists(), "{} should be gone", old.display());
    plugin
}

#[test]
fn an_upgrade_in_the_middle_of_a_session_loses_and_doubles_nothing() {
    for version in versions() {
        let scenario = Scenario::answering(json!([
            [{"type": "function_call", "name": "exec_command", "args": {"cmd": "until [ -e go-on ]; do sleep 0.1; done; echo went on", "yield_time_ms": 30000}}],
            [{"type": "message", "text": "First answer.", "phase": "final_answer"}],
            [{"type": "message", "text": "Second answer.", "phase": "final_answer"}],
        ]));
        let Some(stage) = Stage::set(&version, scenario, &[Product::LangSmith]).unwrap() else {
            continue;
        };
        let place = tempfile::TempDir::new().unwrap();
        let running = stage.home.spawn_exec(&["First?"], &[]).unwrap();
        let until = Instant::now() + PATIENCE;
        while stage.model.responses_asked() < 1 && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
        upgrade(&stage, Product::LangSmith, place.path());
        std::fs::write(stage.home.app().join("go-on"), "").unwrap();
        let output = running.wait(PATIENCE).unwrap();
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        stage.wait_for("the first turn", |collector| ended_runs(collector) == 1);

        let session = stage.home.first_session().unwrap();
        stage.home.exec_resume(&session, "Second?", &[]).unwrap();
        stage.wait_for("the second turn", |collector| ended_runs(collector) == 2);
        let runs = stage.collector.runs();
        runs.assert_sound();
        assert!(runs.repeated().is_empty(), "on {version}");
        assert_eq!(runs.roots().len(), 2, "on {version}");
        assert_eq!(runs.typed("llm").len(), 3, "on {version}");
        assert_eq!(runs.typed("tool").len(), 1, "on {version}");
        let numbers: Vec<_> = runs
            .roots()
            .iter()
            .map(|run| run.metadata("turn_number").unwrap().clone())
            .collect();
        assert_eq!(numbers, [json!(1), json!(2)], "on {version}");
    }
}
