//! A panic tells where it happened and nothing of what was being handled.

use std::process::Output;

use serde_json::json;

use super::sandbox::{DATA, KEY, Recorded, SESSIONS, Sandbox, holds};

/// What the conversation holds and nobody may be told: a prompt, and an output with a secret in it
/// (made of parts, so that no scanner finds one in these sources).
fn planted() -> [String; 3] {
    let secret = format!("{}{}{}", "lsv2", "_pt_", "f6".repeat(16));
    ["quokka prompt".into(), "numbat output".into(), secret]
}

/// A panic's message as bad as it gets: it quotes all that the program holds.
fn message() -> String {
    format!("cannot handle {:?} with {KEY}", planted())
}

fn check_words(sandbox: &Sandbox, what: &str, output: &Output) {
    let said = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8_lossy(&said).into_owned();
    assert!(
        text.contains("internal error at delivery/"),
        "{what}: {text}"
    );
    assert!(text.contains(".rs:"), "{what} does not say where: {text}");
    for word in planted()
        .iter()
        .map(String::as_str)
        .chain([KEY, "cannot handle"])
    {
        assert!(!holds(&said, word), "{what} tells {word}: {text}");
        let data = sandbox.path(DATA);
        for (file, bytes) in sandbox.files() {
            let is_ours = file.starts_with(&data);
            let file = file.display();
            assert!(!is_ours || !holds(&bytes, word), "{what}: {word} in {file}");
        }
    }
}

/// A home with a session that holds what was planted, and a hook's input that does too.
fn scene() -> (Sandbox, Recorded, String) {
    let mut sandbox = Sandbox::with_fail_points();
    let recorded = sandbox.recorded_in(SESSIONS);
    let text = std::fs::read_to_string(&recorded.rollout).unwrap();
    let held = planted().join(" ");
    let text = text.replace("No such file", &held);
    std::fs::write(&recorded.rollout, text).unwrap();
    sandbox.set_env("RUST_BACKTRACE", "full");
    sandbox.set_env("CODEX_TRACING_LOG", "debug");
    let input = json!({
        "hook_event_name": "UserPromptSubmit", "session_id": recorded.session,
        "turn_id": recorded.turn, "prompt": held, "transcript_path": recorded.rollout,
        "cwd": sandbox.path("app"),
    });
    (sandbox, recorded, input.to_string())
}

#[test]
fn a_panic_in_a_hook_tells_nothing_of_keys_prompts_and_outputs() {
    for place in ["before_journal", "after_journal"] {
        let (mut sandbox, _, input) = scene();
        sandbox.set_env("CODEX_TRACING_FAIL_AT", &format!("{place}:0:{}", message()));
        let output = sandbox.hook(input.as_bytes());
        check_words(&sandbox, place, &output);
    }
}

#[test]
fn a_panic_in_worker_or_command_tells_nothing_of_keys_prompts_and_outputs() {
    for place in ["locked", "before_send", "after_answer", "in_replace"] {
        for is_worker in [true, false] {
            let (mut sandbox, recorded, input) = scene();
            // The journal has the turn, and no worker was started for it.
            sandbox.set_env("CODEX_TRACING_FAIL_AT", "after_journal:0:words");
            sandbox.hook(input.as_bytes());
            sandbox.set_env("CODEX_TRACING_FAIL_AT", &format!("{place}:0:{}", message()));
            let worker = ["worker", "langsmith", "--session", &recorded.session];
            let flush = ["flush", "--timeout", "3m"];
            let command = if is_worker { &worker[..] } else { &flush };
            let output = sandbox.run(command, b"");
            check_words(&sandbox, &format!("{command:?} at {place}"), &output);
            sandbox.settled();
            let log = sandbox.path(DATA).join("codex-tracing.log");
            let log = std::fs::read_to_string(log).unwrap_or_default();
            assert!(
                !is_worker || log.contains("internal error"),
                "{place}: {log}"
            );

            sandbox.set_env("CODEX_TRACING_FAIL_AT", "");
            sandbox.turn(
                &recorded.session,
                &recorded.turn,
                recorded.rollout.to_str().unwrap(),
            );
            assert_eq!(sandbox.flush().status.code(), Some(0));
            sandbox.settled();
            let sent = sandbox.sent();
            assert!(
                sent.contains("numbat output"),
                "nothing was in play: {sent}"
            );
            assert!(!sent.contains(&planted()[2]), "a secret was sent");
        }
    }
}
