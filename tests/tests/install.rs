//! `cargo xtask install`, from an existing Codex home to a trace and back.
#![cfg(test)]

use std::fs;
use std::process::Command;
use std::time::Duration;

use codex_tracing_tests::{
    CodexCli, CodexHome, Collector, ModelServer, Scenario, binary, repository,
};
use serde_json::json;

/// Runs a task and gives what it printed.
fn xtask(sandbox: &CodexHome, task: &str, more: &[&str]) -> String {
    let home = sandbox.codex_home().display().to_string();
    let codex = sandbox.cli().program().display().to_string();
    let output = Command::new("cargo")
        .args([
            "run",
            "--quiet",
            "--package",
            "xtask",
            "--",
            task,
            "langsmith",
        ])
        .args(["--codex-home", &home, "--codex", &codex])
        .args(more)
        .current_dir(repository())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{task}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn installed_used_and_removed(version: &str) {
    let Some(cli) = CodexCli::get(version).unwrap() else {
        return;
    };
    let scenario = Scenario::answering(json!([[{"type": "message", "text": "Good day."}]]));
    let model = ModelServer::start(&scenario.script()).unwrap();
    let mut sandbox = CodexHome::new(&cli, &model, &scenario).unwrap();
    let config = sandbox.codex_home().join("config.toml");
    let before = format!("# the user's own\n{}", fs::read_to_string(&config).unwrap());
    fs::write(&config, &before).unwrap();

    let bin = binary().unwrap().display().to_string();
    let out = sandbox.home().join("bundles").display().to_string();
    let told = xtask(
        &sandbox,
        "install",
        &["--trust", "--bin", &bin, "--out", &out],
    );
    assert!(
        told.contains("installed tracing@langsmith-codex-plugins"),
        "{told}"
    );
    let after = fs::read_to_string(&config).unwrap();
    assert!(after.starts_with("# the user's own\n"), "{after}");
    if version != "0.128.0" {
        assert!(
            told.contains("hook langsmith"),
            "the trusted command is shown: {told}"
        );
    }

    let collector = Collector::start().unwrap();
    for (name, value) in [
        ("TRACE_TO_LANGSMITH", "true"),
        ("LANGSMITH_CODEX_API_KEY", "test-key"),
        ("LANGSMITH_CODEX_ENDPOINT", &collector.url()),
    ] {
        sandbox.set_env(name, value);
    }
    // Without the flag that bypasses trust: a user has none.
    let arguments = [
        "exec",
        "--dangerously-bypass-approvals-and-sandbox",
        "Hello.",
    ];
    let output = sandbox.codex(&arguments, &[]).unwrap();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let arrived = collector.wait_until(Duration::from_secs(30), |collector| {
        let runs = collector.runs();
        runs.all().len() == 2 && runs.problems().is_empty()
    });
    assert!(arrived, "{:?}", collector.runs());

    let told = xtask(&sandbox, "uninstall", &[]);
    assert!(
        told.contains("removed tracing@langsmith-codex-plugins"),
        "{told}"
    );
    let left = fs::read_to_string(&config).unwrap();
    assert!(!left.contains("langsmith-codex-plugins"), "{left}");
    assert!(left.starts_with("# the user's own\n"), "{left}");
}

#[test]
fn a_user_of_codex_169_installs_traces_and_uninstalls() {
    installed_used_and_removed("0.169.0");
}

#[test]
fn a_user_of_codex_128_installs_traces_and_uninstalls() {
    installed_used_and_removed("0.128.0");
}
