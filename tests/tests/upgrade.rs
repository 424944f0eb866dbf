//! What happens to trust when a plugin is upgraded: since 0.164 it covers every file.
#![cfg(test)]

use std::fs;
use std::path::Path;

use codex_tracing_tests::{CodexCli, CodexHome, ModelServer, Scenario};
use serde_json::json;

fn bundle(at: &Path, version: &str) {
    let put = |file: &str, text: &str| {
        let file = at.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    let listed = json!({
        "name": "p", "source": {"source": "local", "path": "./plugins/p"},
        "policy": {"installation": "AVAILABLE", "authentication": "ON_INSTALL"},
    });
    put(
        ".agents/plugins/marketplace.json",
        &json!({"name": "m", "plugins": [listed]}).to_string(),
    );
    put(
        "plugins/p/.codex-plugin/plugin.json",
        &json!({"name": "p", "version": version}).to_string(),
    );
    let handler =
        json!({"type": "command", "command": "sh \"${PLUGIN_ROOT}/note\"", "timeout": 10});
    put(
        "plugins/p/hooks/hooks.json",
        &json!({"hooks": {"Stop": [{"hooks": [handler]}]}}).to_string(),
    );
    let note = format!(
        "cat > /dev/null; mkdir -p \"$PLUGIN_DATA\"; echo {version} >> \"$PLUGIN_DATA/events\"\n"
    );
    put("plugins/p/note", &note);
}

#[test]
fn an_upgraded_plugin_runs_again_once_its_hooks_are_trusted_anew() {
    let Some(cli) = CodexCli::get("0.169.0").unwrap() else {
        return;
    };
    let scenario = Scenario::answering(json!([]));
    let model = ModelServer::start(&scenario.script()).unwrap();
    let sandbox = CodexHome::new(&cli, &model, &scenario).unwrap();
    let folder = sandbox.home().join("bundle");
    let exec = || {
        let arguments = ["exec", "--dangerously-bypass-approvals-and-sandbox", "hi"];
        let output = sandbox.codex(&arguments, &[]).unwrap();
        assert_eq!(output.code, Some(0), "{}", output.stderr);
    };
    bundle(&folder, "1.0.0");
    let plugin = sandbox.install_bundle(&folder, "p").unwrap();
    let events = || {
        let file = plugin.data(&sandbox.codex_home()).join("events");
        fs::read_to_string(file).unwrap_or_default()
    };
    sandbox.trust_hooks(&plugin).unwrap();
    exec();
    assert_eq!(events(), "1.0.0\n");

    bundle(&folder, "2.0.0");
    let upgraded = sandbox.install_bundle(&folder, "p").unwrap();
    exec();
    assert_eq!(
        events(),
        "1.0.0\n",
        "Codex disables a changed plugin without a word"
    );

    sandbox.trust_hooks(&upgraded).unwrap();
    exec();
    assert_eq!(events(), "1.0.0\n2.0.0\n");
}
