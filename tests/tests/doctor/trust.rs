use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use codex_tracing_tests::forget_trust;
use serde_json::json;

use super::home::{Home, check};

const PIN: &str = "sha256:00000000000000000000000000000000000000000000000000000000000000aa";

#[test]
fn hooks_that_were_never_trusted_are_found() {
    check(
        "hooks-untrusted",
        |home| forget_trust(&home.codex_home(), &home.plugin).unwrap(),
        |home| home.trust(),
    );
}

#[test]
fn hooks_that_changed_since_they_were_trusted_are_found() {
    check(
        "hooks-changed",
        |home| home.edit_config("trusted_hash = \"sha256:", "trusted_hash = \"sha256:00"),
        |home| home.trust(),
    );
}

#[test]
fn hooks_that_are_switched_off_one_by_one_are_found() {
    check(
        "hooks-switched-off",
        |home| home.edit_config("trusted_hash", "enabled = false\ntrusted_hash"),
        |home| {
            home.edit_config(
                "enabled = false\ntrusted_hash",
                "enabled = true\ntrusted_hash",
            );
        },
    );
}

/// Runs a hook as Codex does once it trusts the plugin, and waits for the worker's note of it.
fn a_hook_ran(home: &Home) {
    let program = home.cache().join("bin/codex-tracing");
    let mut hook = home.command(&program);
    hook.args(["hook", "langsmith"])
        .env("PLUGIN_ROOT", home.cache())
        .env("PLUGIN_DATA", home.data())
        .stdin(Stdio::piped());
    let mut child = hook.spawn().unwrap();
    let event = json!({
        "session_id": "01a1", "transcript_path": home.codex_home().join("sessions/none.jsonl"),
        "cwd": home.app(), "hook_event_name": "UserPromptSubmit", "turn_id": "t1", "prompt": "Hi",
    });
    let stdin = child.stdin.as_mut().unwrap();
    stdin.write_all(event.to_string().as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    let note = home.data().join("plugin.json");
    let until = std::time::Instant::now() + codex_tracing_tests::PATIENCE;
    while !note.exists() && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(note.exists(), "the worker notes that hooks ran");
}

#[test]
fn files_that_changed_since_codex_pinned_them_are_found() {
    check(
        "hooks-content-changed",
        |home| {
            // As after a review in the terminal interface.
            home.edit_config(
                "trusted_hash",
                &format!("trusted_content_hash = \"{PIN}\"\ntrusted_hash"),
            );
            a_hook_ran(home);
            fs::write(home.cache().join("README.md"), "Changed.").unwrap();
        },
        |home| {
            home.trust();
            // Nothing is left of the session but what the plugin ran with.
            fs::remove_dir_all(home.data().join("sessions")).unwrap();
        },
    );
}
