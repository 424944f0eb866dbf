//! Sessions whose rollout is gone.

use std::fs;

use codex_tracing_delivery::{Cursor, JournalEntry, append_journal};

use crate::desk::{CHILD, Desk, ROOT, Rollout};

/// A hook event that names the session's rollout.
fn tell(desk: &Desk, rollout: &Rollout, event: &str, turn: Option<&str>) {
    tell_changed(desk, rollout, event, turn, |_| {});
}

fn tell_changed(
    desk: &Desk,
    rollout: &Rollout,
    event: &str,
    turn: Option<&str>,
    change: impl FnOnce(&mut JournalEntry),
) {
    let mut entry = desk.entry(event, turn);
    entry.transcript_path = Some(rollout.path.clone());
    change(&mut entry);
    append_journal(&desk.session, &entry).unwrap();
}

fn one_turn(desk: &Desk, rollout: &Rollout, turn: &str) {
    rollout.begin(turn);
    tell(desk, rollout, "UserPromptSubmit", Some(turn));
    rollout.end(turn, "Done.");
    tell(desk, rollout, "Stop", Some(turn));
}

fn losses(desk: &Desk, destination: &str) -> Vec<(String, u64)> {
    let cursor = Cursor::look(&desk.session, destination).unwrap();
    let losses = cursor.all_losses();
    let named = losses.iter().map(|(name, count)| (name.to_owned(), count));
    named.collect()
}

fn missing() -> [(String, u64); 1] {
    [("rollout_missing".to_owned(), 1)]
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_rollout_is_gone_with_its_turn_is_lost_once_and_until_it_is_found_again() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    one_turn(&desk, &rollout, "t1");
    let kept = fs::read(&rollout.path).unwrap();
    fs::remove_file(&rollout.path).unwrap();
    let flushed = desk.flush(30, None).await;
    assert!(flushed.complete);
    let place = &flushed.status.destinations[0];
    assert_eq!((place.delivered, place.pending), (0, 0));
    assert_eq!(losses(&desk, "main"), missing());
    tell(&desk, &rollout, "SessionEnd", None);
    desk.work().await;
    assert_eq!(losses(&desk, "main"), missing());
    let archive = desk.codex_home().join("archived_sessions");
    fs::create_dir_all(&archive).unwrap();
    fs::write(archive.join(rollout.path.file_name().unwrap()), kept).unwrap();
    desk.work().await;
    desk.check(&[("t1", "completed")]);
    assert_eq!(losses(&desk, "main"), []);
}

#[tokio::test(start_paused = true)]
async fn of_a_session_that_goes_on_only_what_came_after_the_last_delivery_is_lost() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    // More than a cursor remembers by name.
    for turn in 1..=20 {
        one_turn(&desk, &rollout, &format!("t{turn}"));
    }
    desk.work().await;
    let kept = fs::read(&rollout.path).unwrap();
    fs::remove_file(&rollout.path).unwrap();
    // Hooks that come late tell of nothing new.
    tell(&desk, &rollout, "Stop", Some("t20"));
    tell(&desk, &rollout, "SessionEnd", None);
    desk.work().await;
    assert_eq!(losses(&desk, "main"), []);
    fs::write(&rollout.path, kept).unwrap();
    one_turn(&desk, &rollout, "t21");
    fs::remove_file(&rollout.path).unwrap();
    desk.work().await;
    assert_eq!(losses(&desk, "main"), missing());
    assert_eq!(desk.delivered("main").len(), 20);
}

#[tokio::test(start_paused = true)]
async fn where_no_hook_told_of_a_turn_of_the_root_and_its_rollout_nothing_is_lost() {
    type Change = fn(&mut JournalEntry);
    let cases: [(&str, Change); 5] = [
        ("ephemeral", |entry| entry.transcript_path = None),
        ("no turn", |entry| entry.turn_id = None),
        ("a command to us", |entry| entry.command = true),
        ("a command to others", |entry| entry.others_command = true),
        ("a subagent's", |entry| entry.agent_id = Some(CHILD.into())),
    ];
    for (what, change) in cases {
        let desk = Desk::new();
        let rollout = desk.rollout(ROOT);
        tell(&desk, &rollout, "SessionStart", None);
        tell_changed(&desk, &rollout, "UserPromptSubmit", Some("t1"), change);
        tell(&desk, &rollout, "SessionEnd", None);
        fs::remove_file(&rollout.path).unwrap();
        desk.work().await;
        assert_eq!(losses(&desk, "main"), [], "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollout_that_was_moved_before_anything_was_delivered_is_not_lost() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    one_turn(&desk, &rollout, "t1");
    let archive = desk.codex_home().join("archived_sessions");
    fs::create_dir_all(&archive).unwrap();
    let name = rollout.path.file_name().unwrap();
    fs::rename(&rollout.path, archive.join(name)).unwrap();
    desk.work().await;
    desk.check(&[("t1", "completed")]);
    assert_eq!(losses(&desk, "main"), []);
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_joins_has_not_lost_what_others_have() {
    let mut desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    one_turn(&desk, &rollout, "t1");
    desk.work().await;
    let kept = fs::read(&rollout.path).unwrap();
    fs::remove_file(&rollout.path).unwrap();
    desk.backend = std::sync::Arc::new(codex_tracing_delivery::testing::MemoryBackend::new(
        &["other"],
        false,
    ));
    desk.work().await;
    assert_eq!(losses(&desk, "other"), []);
    // But what nobody has is lost to it.
    fs::write(&rollout.path, kept).unwrap();
    one_turn(&desk, &rollout, "t2");
    fs::remove_file(&rollout.path).unwrap();
    desk.work().await;
    assert_eq!(losses(&desk, "other"), missing());
    assert_eq!(losses(&desk, "main"), []);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_is_lost_is_lost_to_each_destination_also_to_one_that_joins() {
    let mut desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    one_turn(&desk, &rollout, "t1");
    desk.work().await;
    one_turn(&desk, &rollout, "t2");
    fs::remove_file(&rollout.path).unwrap();
    desk.backend = std::sync::Arc::new(codex_tracing_delivery::testing::MemoryBackend::new(
        &["main", "other"],
        false,
    ));
    desk.work().await;
    assert_eq!(losses(&desk, "main"), missing());
    assert_eq!(losses(&desk, "other"), missing());
}
