use std::cell::RefCell;
use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::time::Instant;

use codex_tracing_tests::{Fault, PATIENCE, corpus};
use serde_json::{Value, json};

use super::home::{Home, check};

/// A recorded session lies in Codex's home, and its `Stop` hook was noted; no worker was started,
/// because the hook delivers itself and is given no time for it.
fn a_turn_is_pending(home: &mut Home) -> String {
    let recording = corpus("0.169.0", "plain-answer");
    let rollout = walkdir::WalkDir::new(recording)
        .into_iter()
        .filter_map(Result::ok)
        .find(|entry| entry.file_name().to_string_lossy().starts_with("rollout"))
        .unwrap();
    let text = fs::read_to_string(rollout.path()).unwrap();
    let records = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let records: Vec<Value> = records.collect();
    let id = records[0]["payload"]["id"].as_str().unwrap().to_owned();
    let turn = records
        .iter()
        .find_map(|record| record.pointer("/payload/turn_id")?.as_str());
    let name = format!("rollout-2026-01-01T00-00-00-{id}.jsonl");
    home.put(&format!(".codex/sessions/2026/01/01/{name}"), &text);
    let event = json!({
        "v": 1, "at": "2026-01-01T00:00:00Z", "event": "Stop", "session_id": id,
        "transcript_path": home.codex_home().join("sessions/2026/01/01").join(name),
        "turn_id": turn, "cwd": home.app(), "mode": "full",
    });
    home.put(&format!("{}/backend", data(home)), "langsmith");
    home.put(
        &format!("{}/sessions/{id}/journal.jsonl", data(home)),
        &format!("{event}\n"),
    );
    id
}

/// The plugin's state, below the home.
fn data(home: &Home) -> String {
    let above = home.codex_home();
    let above = above.parent().unwrap();
    home.data()
        .strip_prefix(above)
        .unwrap()
        .display()
        .to_string()
}

/// Until everything is delivered or refused.
fn flush(home: &Home) {
    tool(home, &["flush", "--timeout", "10m"]);
}

fn tool(home: &Home, arguments: &[&str]) -> String {
    let output = home.tool().args(arguments).output().unwrap();
    format!("{output:?}")
}

#[test]
fn turns_that_wait_for_a_server_in_trouble_are_found() {
    let found = check(
        "delivery-failing",
        |home| {
            a_turn_is_pending(home);
            home.collector.inject("/", Fault::Status(503, None));
            let until = Instant::now() + PATIENCE;
            while !tool(home, &["status"]).contains("503") {
                assert!(Instant::now() < until);
                tool(home, &["flush", "--timeout", "5s"]);
            }
            home.collector.heal();
        },
        |home| {
            flush(home);
            assert_eq!(home.collector.runs().roots().len(), 1);
        },
    );
    assert!(found.cause.contains("503"), "{found:?}");
}

#[test]
fn turns_that_a_server_rejected_are_found_with_its_words() {
    let id = RefCell::new(String::new());
    let found = check(
        "turns-rejected",
        |home| {
            id.replace(a_turn_is_pending(home));
            home.collector.inject("/runs", Fault::Status(422, None));
            home.collector
                .inject("/api/v1/runs", Fault::Status(422, None));
            flush(home);
            home.collector.heal();
        },
        |home| fs::remove_dir_all(home.data().join("sessions")).unwrap(),
    );
    assert!(found.cause.contains("injected"), "{found:?}");
    let id = id.take();
    assert!(
        found.cause.contains(&id) && found.cure.contains(&id),
        "{found:?}"
    );
}

#[test]
fn a_worker_that_holds_its_lock_and_does_nothing_is_found() {
    let held = RefCell::new(None);
    let found = check(
        "worker-stuck",
        |home| {
            let id = a_turn_is_pending(home);
            let lock = home.data().join("sessions").join(id).join("lock");
            let mut file = fs::File::create(lock).unwrap();
            file.lock().unwrap();
            file.flush().unwrap();
            held.replace(Some(file));
        },
        |home| {
            // The process has ended; somebody flushes.
            drop(held.take());
            flush(home);
        },
    );
    assert!(found.cure.contains("end that process"), "{found:?}");
}

#[test]
fn a_state_folder_that_cannot_be_written_is_found() {
    check(
        "state-not-writable",
        |home| home.put(&data(home), "a file in the way"),
        |home| home.remove(&data(home)),
    );
}

#[test]
fn doctor_changes_nothing() {
    let home = Home::sound("0.169.0");
    let look = || {
        let mut files: Vec<_> = walkdir::WalkDir::new(home.codex_home())
            .into_iter()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                (
                    entry.path().to_owned(),
                    entry.metadata().unwrap().modified().unwrap(),
                )
            })
            .filter(|(path, _)| !path.is_dir())
            .collect();
        files.sort();
        files
    };
    let before = look();
    let output = home
        .tool()
        .arg("doctor")
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(output.success());
    assert_eq!(look(), before);
}
