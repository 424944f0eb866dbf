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

#[test]
fn a_panic_in_hook_worker_or_command_tells_nothing_of_keys_prompts_and_outputs() {
    let mut sandbox = Sandbox::with_fail_points();
    let Recorded {
        session,
        turn,
        rollout,
    } = sandbox.recorded_in(SESSIONS);
    let text = std::fs::read_to_string(&rollout).unwrap();
    let held = planted().join(" ");
    std::fs::write(&rollout, text.replace("No such file", &held)).unwrap();
    sandbox.set_env("RUST_BACKTRACE", "full");
    sandbox.set_env("CODEX_TRACING_LOG", "debug");
    let input = json!({
        "hook_event_name": "UserPromptSubmit", "session_id": session, "turn_id": turn,
        "prompt": held, "transcript_path": rollout, "cwd": sandbox.path("app"),
    });

    for place in ["before_journal", "after_journal"] {
        sandbox.set_env("CODEX_TRACING_FAIL_AT", &format!("{place}:0:{}", message()));
        let output = sandbox.hook(input.to_string().as_bytes());
        check_words(&sandbox, place, &output);
    }
    for place in ["locked", "before_send", "after_answer", "in_replace"] {
        sandbox.set_env("CODEX_TRACING_FAIL_AT", &format!("{place}:0:{}", message()));
        let worker = ["worker", "langsmith", "--session", &session];
        for command in [&worker[..], &["flush", "--timeout", "5s"]] {
            let output = sandbox.run(command, b"");
            check_words(&sandbox, &format!("{command:?} at {place}"), &output);
        }
    }
    let log = sandbox.path(DATA).join("codex-tracing.log");
    let log = std::fs::read_to_string(log).unwrap();
    assert!(
        log.contains("internal error"),
        "the log does not know: {log}"
    );

    sandbox.set_env("CODEX_TRACING_FAIL_AT", "");
    sandbox.turn(&session, &turn, rollout.to_str().unwrap());
    assert_eq!(sandbox.flush().status.code(), Some(0));
    sandbox.settled();
    let sent = sandbox.sent();
    assert!(
        sent.contains("numbat output"),
        "nothing was in play: {sent}"
    );
    assert!(!sent.contains(&planted()[2]), "a secret was sent");
}
