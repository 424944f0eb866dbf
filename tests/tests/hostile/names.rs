//! Ids and paths that want to lead somewhere else.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::json;

use super::sandbox::{DATA, Recorded, SESSIONS, Sandbox, holds, mode};

/// Words of the recorded session.
const CONTENT: &str = "failing";

#[test]
fn a_session_in_codexs_folder_is_delivered_and_what_we_keep_is_closed_to_others_under_umask_000() {
    let sandbox = Sandbox::new();
    let Recorded {
        session,
        turn,
        rollout,
    } = sandbox.recorded_in(SESSIONS);
    sandbox.turn(&session, &turn, rollout.to_str().unwrap());
    let flushed = sandbox.flush();
    assert!(flushed.status.success(), "{flushed:?}");
    sandbox.collector.runs().assert_sound();
    assert_eq!(sandbox.collector.runs().roots().len(), 1);
    sandbox.settled();
    let data = sandbox.path(DATA);
    let mut seen = 0;
    for entry in walkdir::WalkDir::new(&data).into_iter().map(Result::unwrap) {
        let expected = if entry.file_type().is_dir() {
            0o700
        } else {
            0o600
        };
        assert_eq!(mode(entry.path()), expected, "{}", entry.path().display());
        seen += 1;
    }
    assert!(
        seen >= 6,
        "journal, lock, cursor and log in their folders: {seen}"
    );
}

#[test]
fn a_transcript_outside_codexs_session_folders_is_not_read() {
    let sandbox = Sandbox::new();
    let Recorded {
        session,
        turn,
        rollout,
    } = sandbox.recorded_in("elsewhere");
    let inside = sandbox.path(SESSIONS);
    let name = rollout.file_name().unwrap().to_str().unwrap();
    let climbing = inside.join("../../../../../elsewhere").join(name);
    let link = inside.join("rollout-link.jsonl");
    std::os::unix::fs::symlink(&rollout, &link).unwrap();
    let folder = inside.join("folder");
    std::os::unix::fs::symlink(rollout.parent().unwrap(), &folder).unwrap();
    let paths = [
        rollout.to_str().unwrap().to_owned(),
        climbing.to_str().unwrap().to_owned(),
        link.to_str().unwrap().to_owned(),
        folder.join(name).to_str().unwrap().to_owned(),
        format!("../elsewhere/{name}"),
        "/etc/passwd".to_owned(),
        format!("{}\0.jsonl", rollout.display()),
        format!("{}\n", rollout.display()),
        "/".repeat(10_000),
        String::new(),
    ];
    for path in &paths {
        sandbox.turn(&session, &turn, path);
    }
    sandbox.flush();
    sandbox.settled();
    assert!(
        sandbox.collector.runs().all().is_empty(),
        "{}",
        sandbox.sent()
    );
    assert!(!sandbox.sent().contains(CONTENT), "{}", sandbox.sent());
}

#[test]
fn an_id_cannot_lead_out_of_our_state() {
    let sandbox = Sandbox::new();
    let rollout = sandbox.recorded_in(SESSIONS).rollout;
    let outside = |sandbox: &Sandbox| -> BTreeSet<PathBuf> {
        let state = sandbox.path(DATA);
        let files = sandbox.files().into_iter().map(|(path, _)| path);
        files.filter(|path| !path.starts_with(&state)).collect()
    };
    let before = outside(&sandbox);
    let home = sandbox.path("");
    for id in [
        "..",
        "../..",
        "../../app/x",
        ".",
        ".hidden",
        "a/b",
        "a\\b",
        "a..b",
        "a\0b",
        "a\nb",
        "a b",
        "é",
        home.join("app/x").to_str().unwrap(),
        &"x".repeat(10_000),
        "\u{1b}[2J",
    ] {
        sandbox.turn(id, "t", rollout.to_str().unwrap());
        for (agent, thread) in [(id, "a"), ("b", id)] {
            let input = json!({
                "hook_event_name": "SubagentStop", "session_id": "plain", "turn_id": id,
                "agent_id": agent, "agent_transcript_path": thread, "transcript_path": thread,
                "source": id, "reason": id, "cwd": id,
            });
            sandbox.hook(input.to_string().as_bytes());
        }
    }
    sandbox.flush();
    sandbox.settled();
    assert_eq!(outside(&sandbox), before);
    let sessions = std::fs::read_dir(sandbox.path(DATA).join("sessions")).unwrap();
    let sessions: Vec<_> = sessions.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(sessions, ["plain"]);
    assert!(
        sandbox.collector.runs().all().is_empty(),
        "{}",
        sandbox.sent()
    );
}

#[test]
fn an_input_that_is_none_is_ignored_and_not_repeated() {
    let sandbox = Sandbox::new();
    let words = "quokka";
    let deep = format!(
        "{{\"prompt\": {}{}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let wrong = format!("{{\"session_id\": \"{words}\", \"hook_event_name\": [\"{words}\"]}}");
    let quoted = format!("\"{words}\"");
    let open = format!("{{\"prompt\": \"{words}");
    for input in ["", "null", "[]", "\0\0", &quoted, &wrong, &open, &deep] {
        let told = sandbox.hook(input.as_bytes());
        let told = String::from_utf8(told.stderr).unwrap();
        assert!(!told.contains(words), "{told}");
        assert!(told.lines().count() <= 1, "{told}");
        assert!(!told.contains("internal error"), "{told}");
    }
    let mut bytes = br#"{"hook_event_name":"Stop","session_id":""#.to_vec();
    bytes.extend([0xff, 0xfe, 0x80]);
    sandbox.hook(&bytes);
    let kept = sandbox.files();
    let of_ours = kept
        .iter()
        .filter(|(path, _)| path.starts_with(sandbox.path(DATA)));
    assert!(of_ours.clone().all(|(_, bytes)| !holds(bytes, words)));
}
