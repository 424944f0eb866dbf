//! Prompts that are meant for us, typed as people type.

use serde_json::{Value, json};

use super::sandbox::{Recorded, SESSIONS, Sandbox};

/// What the hook answers to this prompt: the reason it gives for blocking it; empty if it goes on to
/// the model.
fn say(sandbox: &Sandbox, session: &str, prompt: &str) -> String {
    let input = json!({
        "hook_event_name": "UserPromptSubmit", "session_id": session, "turn_id": "u",
        "prompt": prompt, "cwd": sandbox.path("app"),
    });
    let output = sandbox.run(&["hook", "langsmith"], input.to_string().as_bytes());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    if output.stdout.is_empty() {
        return String::new();
    }
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["decision"], "block", "{prompt:?}");
    answer["reason"].as_str().unwrap().to_owned()
}

/// The sessions that `status` calls muted, and what `view` says of this one.
fn muted(sandbox: &Sandbox, session: &str) -> (Value, Value) {
    let json = |arguments: &[&str]| -> Value {
        let output = sandbox.run(arguments, b"");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let status = json(&["status", "--json"])[0]["muted"].clone();
    let view = json(&["view", "--json", session])[0]["muted"].clone();
    let tables = [&["status"][..], &["view", session]].map(|arguments| {
        let output = sandbox.run(arguments, b"");
        String::from_utf8(output.stdout).unwrap().contains("muted")
    });
    let is_muted = status != json!([]);
    assert_eq!(tables, [is_muted, is_muted]);
    (status, view)
}

#[test]
fn a_mute_prompt_counts_however_it_is_typed_and_status_and_view_tell_it() {
    let sandbox = Sandbox::new();
    let Recorded { session, .. } = sandbox.recorded_in(SESSIONS);
    assert_eq!(say(&sandbox, &session, "hello"), "");
    assert_eq!(muted(&sandbox, &session), (json!([]), json!([])));
    let told = say(&sandbox, &session, "Langsmith-tracing:mute ");
    assert!(told.contains("is muted"), "{told}");
    let expected = (json!([session]), json!(["langsmith"]));
    assert_eq!(muted(&sandbox, &session), expected);
    let told = say(&sandbox, &session, " langsmith-tracing:unmute\n");
    assert!(told.contains("no longer muted"), "{told}");
    assert_eq!(muted(&sandbox, &session), (json!([]), json!([])));
    sandbox.settled();
}

#[test]
fn a_mistyped_command_is_answered_instead_of_going_to_the_model() {
    let sandbox = Sandbox::new();
    let Recorded { session, .. } = sandbox.recorded_in(SESSIONS);
    let told = say(&sandbox, &session, "langsmith-tracing:mut");
    let known = "known are `langsmith-tracing:mute` and `langsmith-tracing:unmute`";
    assert!(
        told.contains("unknown command `langsmith-tracing:mut`"),
        "{told}"
    );
    assert!(told.contains(known), "{told}");
    assert_eq!(muted(&sandbox, &session), (json!([]), json!([])));
    assert_eq!(
        say(&sandbox, &session, "langsmith-tracing:mute is what?"),
        ""
    );
    sandbox.settled();
}
