//! The sandbox itself, with the real Codex: a plugin that only notes its hooks.
#![cfg(test)]

use std::fs;
use std::path::Path;

use codex_tracing_tests::{CodexCli, CodexHome, ENDED, ModelServer, Scenario, corpus, edit_config};
use serde_json::json;

/// A bundle whose hooks append their event's name to `$PLUGIN_DATA/events`.
fn noting_bundle(at: &Path) {
    let events = ["SessionStart", "UserPromptSubmit", "Stop", "SessionEnd"];
    let command = |event: &str| format!("\"${{PLUGIN_ROOT}}/note\" {event}");
    let hooks: serde_json::Map<_, _> = events
        .iter()
        .map(|event| {
            // Codex gives the last one no more.
            let timeout = if *event == "SessionEnd" { 3 } else { 60 };
            let handler = json!({"type": "command", "command": command(event), "timeout": timeout});
            ((*event).to_owned(), json!([{"hooks": [handler]}]))
        })
        .collect();
    let plugin = at.join("plugins/noting");
    let put = |file: &Path, text: &str| {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    put(
        &at.join(".agents/plugins/marketplace.json"),
        &json!({
            "name": "noting-market", "interface": {"displayName": "Noting"},
            "plugins": [{
                "name": "noting", "category": "Coding",
                "source": {"source": "local", "path": "./plugins/noting"},
                "policy": {"installation": "AVAILABLE", "authentication": "ON_INSTALL"},
            }],
        })
        .to_string(),
    );
    put(
        &plugin.join(".codex-plugin/plugin.json"),
        &json!({"name": "noting", "version": "0.0.1", "hooks": "./hooks/hooks.json"}).to_string(),
    );
    put(
        &plugin.join("hooks/hooks.json"),
        &json!({ "hooks": hooks }).to_string(),
    );
    let script = plugin.join("note");
    put(
        &script,
        "#!/bin/sh\ncat > /dev/null\nmkdir -p \"$PLUGIN_DATA\"\necho \"$1\" >> \"$PLUGIN_DATA/events\"\n",
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn hooks_of_a_turn(version: &str, home: &str) {
    let Some(cli) = CodexCli::get(version).unwrap() else {
        return;
    };
    let scenario = Scenario::recorded("0.169.0", "failing-tool").unwrap();
    let model = ModelServer::start(&scenario.script()).unwrap();
    let sandbox = CodexHome::named(home, &cli, &model, &scenario).unwrap();
    let bundle = sandbox.home().join("a bundle");
    noting_bundle(&bundle);
    let plugin = sandbox.install_bundle(&bundle, "noting").unwrap();
    let outputs = sandbox.run_scenario(&scenario, &model, &[]).unwrap();
    assert_eq!(outputs.len(), 1);
    assert_eq!(outputs[0].code, Some(0), "{}", outputs[0].stderr);
    assert_eq!(model.responses_asked(), 7);
    assert_eq!(sandbox.rollouts().len(), 1);
    assert!(sandbox.first_session().is_some());
    let events = plugin.data(&sandbox.codex_home()).join("events");
    let events = fs::read_to_string(events).unwrap_or_default();
    let expected = if cli.version().minor >= 145 {
        "SessionStart\nUserPromptSubmit\nStop\nSessionEnd\n"
    } else {
        "SessionStart\nUserPromptSubmit\nStop\n"
    };
    assert_eq!(events, expected, "{}", outputs[0].stderr);
}

#[test]
fn hooks_of_an_installed_plugin_run_on_codex_169() {
    hooks_of_a_turn("0.169.0", "dev");
}

#[test]
fn hooks_of_a_plugin_installed_by_hand_run_on_codex_128() {
    hooks_of_a_turn("0.128.0", "dev");
}

#[test]
fn hooks_of_an_installed_plugin_run_below_a_home_with_spaces_in_its_name() {
    hooks_of_a_turn("0.169.0", "a dev's home");
}

/// Runs `codex exec` without the flag that bypasses trust, and gives the events that were noted.
fn noted_without_bypass(version: &str, trusted: bool) -> Option<String> {
    let cli = CodexCli::get(version).unwrap()?;
    let scenario = Scenario::answering(json!([[{"type": "message", "text": "hello"}]]));
    let model = ModelServer::start(&scenario.script()).unwrap();
    let sandbox = CodexHome::new(&cli, &model, &scenario).unwrap();
    let bundle = sandbox.home().join("bundle");
    noting_bundle(&bundle);
    let plugin = sandbox.install_bundle(&bundle, "noting").unwrap();
    if trusted {
        sandbox.trust_hooks(&plugin).unwrap();
    }
    let output = sandbox
        .codex(
            &["exec", "--dangerously-bypass-approvals-and-sandbox", "hi"],
            &[],
        )
        .unwrap();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let events = plugin.data(&sandbox.codex_home()).join("events");
    Some(fs::read_to_string(events).unwrap_or_default())
}

#[test]
fn codex_runs_no_hook_that_is_not_trusted() {
    if let Some(events) = noted_without_bypass("0.169.0", false) {
        assert_eq!(events, "");
    }
}

#[test]
fn codex_runs_hooks_with_the_trust_records_written_for_them() {
    if let Some(events) = noted_without_bypass("0.169.0", true) {
        assert_eq!(events, "SessionStart\nUserPromptSubmit\nStop\nSessionEnd\n");
    }
}

/// Whether the trusted hooks of a plugin run where the user's config.toml says nothing more and the
/// project's has these lines.
fn run_in_project(version: &str, level: &str, lines: &str) -> Option<bool> {
    let cli = CodexCli::get(version).unwrap()?;
    let scenario = Scenario {
        files: [(".codex/config.toml".to_owned(), lines.to_owned())].into(),
        ..Scenario::answering(json!([[{"type": "message", "text": "hello"}]]))
    };
    let model = ModelServer::start(&scenario.script()).unwrap();
    let sandbox = CodexHome::new(&cli, &model, &scenario).unwrap();
    let bundle = sandbox.home().join("bundle");
    noting_bundle(&bundle);
    let plugin = sandbox.install_bundle(&bundle, "noting").unwrap();
    sandbox.trust_hooks(&plugin).unwrap();
    let app = sandbox.app().display().to_string();
    edit_config(&sandbox.codex_home(), |config| {
        config["projects"][&app]["trust_level"] = level.into();
        Ok(())
    })
    .unwrap();
    // A Codex that is given full access notes the project as trusted: this one is not.
    let output = sandbox.codex(&["exec", "hi"], &[]).unwrap();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    Some(plugin.data(&sandbox.codex_home()).join("events").exists())
}

const PLUGIN_OFF: &str = "[plugins.\"noting@noting-market\"]\nenabled = false\n";

/// What doctor takes for granted of the config.toml of projects.
#[test]
fn codex_asks_trusted_projects_for_plugins_and_features_and_none_for_trust_in_hooks() {
    let hook_off = "[hooks.state.\"noting@noting-market:hooks/hooks.json:stop:0:0\"]\n\
                    enabled = false\ntrusted_hash = \"sha256:00\"\n";
    for (version, level, lines, runs) in [
        ("0.169.0", "trusted", "", true),
        ("0.169.0", "trusted", PLUGIN_OFF, false),
        ("0.169.0", "untrusted", PLUGIN_OFF, true),
        ("0.169.0", "trusted", "[features]\nhooks = false\n", false),
        ("0.169.0", "trusted", hook_off, true),
        ("0.128.0", "trusted", PLUGIN_OFF, true),
        ("0.128.0", "trusted", "[features]\nplugins = false\n", false),
    ] {
        if let Some(ran) = run_in_project(version, level, lines) {
            assert_eq!(ran, runs, "{version}, {level}: {lines}");
        }
    }
}

#[test]
fn every_recorded_scenario_can_be_read_and_served() {
    let corpus = corpus("", "");
    let files = walkdir::WalkDir::new(corpus)
        .into_iter()
        .map(Result::unwrap);
    let mut read = 0;
    for file in files.filter(|file| file.file_name() == "scenario.json") {
        let scenario = Scenario::read(file.path()).unwrap();
        ModelServer::start(&scenario.script()).unwrap();
        let given = |step: &codex_tracing_tests::Step| {
            let kinds = [
                step.exec.is_some(),
                step.resume.is_some(),
                step.args.is_some(),
                step.tui.is_some(),
            ];
            kinds.iter().filter(|given| **given).count()
        };
        assert!(
            scenario.run.iter().all(|step| given(step) == 1),
            "{}",
            file.path().display()
        );
        read += 1;
    }
    assert!(read > 90, "{read} scenarios");
}

#[test]
fn the_terminal_interface_can_be_driven() {
    if !CodexHome::can_tui() {
        codex_tracing_tests::skip("tmux is not installed");
        return;
    }
    let Some(cli) = CodexCli::get("0.169.0").unwrap() else {
        return;
    };
    let scenario: Scenario = serde_json::from_value(json!({
        "run": [{"tui": [
            {"text": "hello", "until": "Hello from the model.", "ended": true},
            {"text": "/quit", "until": ENDED},
        ]}],
        "model": [
            {"match": "Generate a concise", "any": true, "items": [{"type": "message", "text": "A title"}]},
            [{"type": "message", "text": "Hello from the model.", "phase": "final_answer"}],
        ],
    }))
    .unwrap();
    let model = ModelServer::start(&scenario.script()).unwrap();
    let sandbox = CodexHome::new(&cli, &model, &scenario).unwrap();
    let bundle = sandbox.home().join("bundle");
    noting_bundle(&bundle);
    let plugin = sandbox.install_bundle(&bundle, "noting").unwrap();
    let outputs = sandbox.run_scenario(&scenario, &model, &[]).unwrap();
    let events = plugin.data(&sandbox.codex_home()).join("events");
    let events = fs::read_to_string(events).unwrap_or_default();
    let expected = "SessionStart\nUserPromptSubmit\nStop\nSessionEnd\n";
    assert_eq!(events, expected, "{}", outputs[0].stdout);
}
