//! Which turns are delivered, and how much of them.

use codex_tracing_delivery::{Cursor, Mode, append_journal};

use crate::desk::{CHILD, Desk, ROOT};

#[tokio::test(start_paused = true)]
async fn turns_from_before_tracing_was_on_are_left_alone() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1").end("t1", "Old.");
    rollout.begin("t2").end("t2", "Old too.");
    rollout.begin("t3");
    desk.hook("UserPromptSubmit", Some("t3"));
    rollout.end("t3", "New.");
    desk.work().await;
    desk.check(&[("t3", "completed")]);
    let cursor = Cursor::look(&desk.session, "main").unwrap();
    assert_eq!((cursor.delivered, cursor.left_alone), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_no_event_names_counts_if_an_event_fell_into_it() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("SessionStart", None);
    rollout.end("t1", "Reviewed.");
    desk.hook("SessionEnd", None);
    rollout.begin("t2").end("t2", "Nobody looked.");
    desk.work().await;
    desk.check(&[("t1", "completed")]);
}

#[tokio::test(start_paused = true)]
async fn the_children_of_a_turn_share_its_fate() {
    let desk = Desk::new();
    let root = desk.rollout(ROOT);
    root.begin("t1").spawn("call-1", CHILD).end("t1", "Old.");
    let child = desk.rollout(CHILD);
    child.begin("c1").end("c1", "Old.");
    root.begin("t2");
    desk.hook("UserPromptSubmit", Some("t2"));
    root.end("t2", "New.");
    desk.work().await;
    desk.check(&[("t2", "completed")]);
}

#[tokio::test(start_paused = true)]
async fn a_muted_turn_is_metadata_only_and_so_are_its_children() {
    let desk = Desk::new();
    let root = desk.rollout(ROOT);
    root.begin("t1");
    let mut entry = desk.entry("UserPromptSubmit", Some("t1"));
    entry.mode = Some(Mode::Metadata);
    append_journal(&desk.session, &entry).unwrap();
    root.spawn("call-1", CHILD);
    desk.rollout(CHILD).begin("c1").end("c1", "Secret.");
    // Unmuted while the turn runs: that counts from the next turn on.
    desk.hook("Stop", Some("t1"));
    root.end("t1", "Secret.").begin("t2");
    desk.hook("UserPromptSubmit", Some("t2"));
    root.end("t2", "Open.");
    desk.work().await;
    for (thread, turn, muted) in [(ROOT, "t1", true), (CHILD, "c1", true), (ROOT, "t2", false)] {
        assert_eq!(desk.turn(thread, turn)["muted"], muted, "{turn}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollout_outside_codexs_folders_is_not_read() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1").end("t1", "Foreign.");
    let outside = desk.codex_home().join(format!("rollout-{ROOT}.jsonl"));
    std::fs::rename(&rollout.path, &outside).unwrap();
    let mut entry = desk.entry("Stop", Some("t1"));
    entry.transcript_path = Some(outside);
    append_journal(&desk.session, &entry).unwrap();
    desk.work().await;
    desk.check(&[]);
}

#[tokio::test(start_paused = true)]
async fn a_prompt_that_was_a_command_to_us_makes_no_turn() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("SessionStart", None);
    let mut entry = desk.entry("UserPromptSubmit", Some("t1"));
    entry.command = true;
    append_journal(&desk.session, &entry).unwrap();
    rollout.end("t1", "Blocked.").begin("t2");
    desk.hook("UserPromptSubmit", Some("t2"));
    rollout.end("t2", "Answered.");
    desk.work().await;
    desk.check(&[("t2", "completed")]);
}
