//! What a fresh sandbox holds: the repository and Codex's configuration.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use base64::Engine as _;
use codex_tracing_codex_home::CodexVersion;

use super::CodexHome;
use crate::scenario::{Scenario, Step};

/// The default model: the one that every supported version's catalog has.
const MODEL: &str = "gpt-5.5";

/// Makes the git repository with one commit and a remote.
pub(super) fn repository(
    app: &Path,
    env: &[(String, String)],
    scenario: &Scenario,
) -> anyhow::Result<()> {
    put(&app.join("README.md"), b"# app\n\nA small program.\n")?;
    put(&app.join("src/main.py"), b"print('hello')\n")?;
    for (name, text) in &scenario.files {
        let bytes = match text.strip_prefix("base64:") {
            Some(encoded) => base64::engine::general_purpose::STANDARD.decode(encoded)?,
            None => text.clone().into_bytes(),
        };
        put(&app.join(name), &bytes)?;
    }
    for arguments in [
        &["init", "-q", "-b", "main"][..],
        &["remote", "add", "origin", "https://example.com/dev/app.git"],
        &["add", "-A"],
        &["commit", "-qm", "first"],
    ] {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(app)
            .env_clear()
            .envs(env.iter().cloned())
            .stdin(Stdio::null())
            .output()
            .context("cannot run git")?;
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr);
            bail!("git {arguments:?} failed: {reason}");
        }
    }
    Ok(())
}

/// Writes `config.toml` for a provider at `base_url`: updates, analytics and bundled skills off, the
/// feature flags that this version needs for plugin hooks on.
pub(super) fn codex_home(
    sandbox: &CodexHome,
    base_url: &str,
    scenario: &Scenario,
) -> anyhow::Result<()> {
    let home = sandbox.codex_home();
    let version = sandbox.cli().version();
    put(
        &home.join("base.md"),
        b"You are a coding agent under test.\n",
    )?;
    let quoted = |path: &Path| toml_edit::Value::from(path.display().to_string()).to_string();
    let model = scenario.model_name.as_deref().unwrap_or(MODEL);
    let mut lines = vec![
        format!("model = \"{model}\""),
        "model_provider = \"fake\"".to_owned(),
        format!("model_instructions_file ={}", quoted(&home.join("base.md"))),
        "check_for_update_on_startup = false".to_owned(),
    ];
    lines.extend(scenario.config.iter().cloned());
    lines.push("[features]".to_owned());
    if version < CodexVersion::FLAG_GONE {
        lines.extend(["plugin_hooks", "hooks", "plugins"].map(|flag| format!("{flag} = true")));
    }
    lines.extend(scenario.features.iter().cloned());
    if version >= CodexVersion::minor(140) {
        lines.extend(["[analytics]", "enabled = false"].map(str::to_owned));
    }
    lines.extend([
        "[model_providers.fake]".to_owned(),
        "name = \"fake\"".to_owned(),
        format!("base_url = \"{base_url}\""),
        "wire_api = \"responses\"".to_owned(),
        "env_key = \"FAKE_KEY\"".to_owned(),
        format!(
            "request_max_retries = {}",
            scenario.request_max_retries.unwrap_or(1)
        ),
        format!(
            "stream_max_retries = {}",
            scenario.stream_max_retries.unwrap_or(1)
        ),
        "[skills.bundled]".to_owned(),
        "enabled = false".to_owned(),
    ]);
    if scenario.mcp {
        let server = home.join("notes_mcp.js");
        put(&server, include_bytes!("notes_mcp.js"))?;
        lines.extend([
            "[mcp_servers.notes]".to_owned(),
            "command = \"node\"".to_owned(),
            format!("args = [{}]", quoted(&server)),
        ]);
    }
    lines.extend(scenario.tables.iter().cloned());
    if scenario.run.iter().any(|step: &Step| step.tui.is_some()) {
        lines.extend(quiet_tui(&sandbox.app()));
    }
    put(
        &home.join("config.toml"),
        (lines.join("\n") + "\n").as_bytes(),
    )
}

/// What keeps the terminal interface from asking questions at its start.
fn quiet_tui(app: &Path) -> Vec<String> {
    vec![
        format!("[projects.\"{}\"]", app.display()),
        "trust_level = \"trusted\"".to_owned(),
        "[tui]".to_owned(),
        "screen_reader_detection_done = true".to_owned(),
        "[notice]".to_owned(),
        "hide_full_access_warning = true".to_owned(),
        "[notice.model_migrations]".to_owned(),
        format!("\"{MODEL}\" = \"gpt-6-sol\""),
    ]
}

fn put(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}
