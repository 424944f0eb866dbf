//! Traps in our own folder.

use std::fs;
use std::os::unix::fs::symlink;

use super::sandbox::{DATA, Recorded, SESSIONS, Sandbox};

/// What stands in every file that must not be touched.
const VICTIM: &str = "precious\n";

/// Runs a whole turn while `<data>/<below>` is a symlink to a file or folder of somebody's.
fn check(below: &str, is_folder: bool) {
    let sandbox = Sandbox::new();
    let Recorded {
        session,
        turn,
        rollout,
    } = sandbox.recorded_in(SESSIONS);
    let victim = sandbox.write("victims/victim", VICTIM);
    let below = below.replace("<session>", &session);
    let trap = sandbox.path(DATA).join(&below);
    fs::create_dir_all(trap.parent().unwrap()).unwrap();
    let target = if is_folder {
        victim.parent().unwrap()
    } else {
        &victim
    };
    symlink(target, &trap).unwrap();
    sandbox.turn(&session, &turn, rollout.to_str().unwrap());
    let told = sandbox.run(&["hook", "langsmith"], mute(&session).as_bytes());
    assert_eq!(told.status.code(), Some(0));
    sandbox.flush();
    sandbox.run(&["status"], b"");
    sandbox.run(&["doctor", "--offline"], b"");
    sandbox.settled();
    assert_eq!(fs::read_to_string(&victim).unwrap(), VICTIM, "{below}");
    let others = fs::read_dir(victim.parent().unwrap()).unwrap().count();
    assert_eq!(others, 1, "{below}: something was put where the link led");
}

fn mute(session: &str) -> String {
    serde_json::json!({
        "hook_event_name": "UserPromptSubmit", "session_id": session, "turn_id": "u",
        "prompt": "langsmith-tracing:mute",
    })
    .to_string()
}

#[test]
fn no_symlink_in_our_folder_leads_us_to_write_elsewhere() {
    for folder in [
        "sessions",
        "sessions/<session>",
        "sessions/<session>/cursors",
        "facts",
    ] {
        check(folder, true);
    }
    for file in [
        "sessions/<session>/journal.jsonl",
        "sessions/<session>/lock",
        "sessions/<session>/settings.json",
        "mute.json",
        "codex-tracing.log",
        "backend",
        "plugin.json",
    ] {
        check(file, false);
    }
}

#[test]
fn rubbish_in_every_file_of_ours_stops_nothing() {
    let sandbox = Sandbox::new();
    let Recorded {
        session,
        turn,
        rollout,
    } = sandbox.recorded_in(SESSIONS);
    sandbox.turn(&session, &turn, rollout.to_str().unwrap());
    sandbox.flush();
    sandbox.settled();
    let data = sandbox.path(DATA);
    let ours = || {
        sandbox
            .files()
            .into_iter()
            .filter(|(path, _)| path.starts_with(&data))
    };
    let deep = "[".repeat(100_000);
    for rubbish in [
        "",
        "{",
        "null",
        "\0\0\0",
        &deep,
        "{\"v\":1}",
        "{\"version\":4294967295}",
    ] {
        for (path, _) in ours() {
            fs::write(path, rubbish).unwrap();
        }
        sandbox.turn(&session, &turn, rollout.to_str().unwrap());
        let flushed = sandbox.flush();
        let words = String::from_utf8_lossy(&flushed.stderr).into_owned();
        assert!(
            flushed.status.code().is_some_and(|code| code <= 1),
            "{rubbish:.20}: {words}"
        );
        assert!(!words.contains("panicked"), "{words}");
        for command in [&["status"][..], &["doctor", "--offline"]] {
            let output = sandbox.run(command, b"");
            assert!(
                output.status.code().is_some_and(|code| code <= 1),
                "{output:?}"
            );
        }
        sandbox.settled();
    }
}

#[test]
fn a_record_file_that_a_checkout_made_a_link_is_not_written_through() {
    let mut sandbox = Sandbox::new();
    let victim = sandbox.write("victims/victim", VICTIM);
    symlink(&victim, sandbox.path("app/events.ndjson")).unwrap();
    let cwd = sandbox.path("app");
    sandbox.set_env("TRACE_TO_BRAINTRUST", "true");
    for file in ["events.ndjson", "plain.ndjson"] {
        sandbox.set_env("BRAINTRUST_EVENT_SERVER_RECORD_FILE", file);
        let input = serde_json::json!({
            "hook_event_name": "UserPromptSubmit", "session_id": "01a1f885-6c0e-7a39-9f99-d836a97f27d9",
            "turn_id": "t", "prompt": "Hello.", "cwd": cwd,
        });
        let output = sandbox.run(&["hook", "braintrust"], input.to_string().as_bytes());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
    assert_eq!(fs::read_to_string(&victim).unwrap(), VICTIM);
    let plain = fs::read_to_string(sandbox.path("app/plain.ndjson")).unwrap();
    assert!(plain.contains("Hello."));
}
