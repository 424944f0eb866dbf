//! Delivery in the foreground.

use std::time::Duration;

use codex_tracing_delivery::testing::Answer;
use codex_tracing_delivery::{Cursor, FlushReport, SessionDir, append_journal, flush_all};
use tokio::time::{Instant, sleep};

use crate::desk::{Desk, ROOT, work};

#[tokio::test(start_paused = true)]
async fn a_stop_hook_delivers_its_turn_without_waiting_for_the_end_record() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1").say("The answer.");
    close(&desk, "t1");
    let began = Instant::now();
    assert!(desk.flush(30, Some("t1")).await.complete);
    assert!(began.elapsed() < Duration::from_millis(500));
    desk.check(&[("t1", "completed")]);
    assert_eq!(desk.turn(ROOT, "t1")["answer"], "The answer.");
    let by_word = desk.turn(ROOT, "t1")["ended_at"].clone();
    // The end record moves the end, and nothing is counted twice.
    rollout.end("t1", "The answer.");
    desk.hook("SessionEnd", None);
    let flushed = desk.flush(30, None).await;
    assert!(flushed.complete);
    assert_ne!(desk.turn(ROOT, "t1")["ended_at"], by_word);
    assert_eq!(flushed.status.destinations[0].delivered, 1);
}

pub(crate) fn close(desk: &Desk, turn: &str) {
    desk.hook("UserPromptSubmit", Some(turn));
    let mut entry = desk.entry("Stop", Some(turn));
    entry.closes_turn = true;
    entry.process = desk.hook("Stop", Some(turn)).process;
    append_journal(&desk.session, &entry).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_turn_refused_on_its_hooks_word_and_again_at_its_end_is_lost_once() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1").say("The answer.");
    close(&desk, "t1");
    let refuses = Answer::RejectContaining("t1".to_owned());
    desk.store().borrow_mut().otherwise = Some(refuses);
    desk.flush(30, Some("t1")).await;
    let lost = |cursor: &Cursor| (cursor.rejected_count, cursor.losses.clone());
    let by_word = lost(&Cursor::look(&desk.session, "main").unwrap());
    assert_eq!(by_word.0, 1);
    rollout.end("t1", "The answer.");
    desk.hook("SessionEnd", None);
    assert!(desk.flush(30, None).await.complete);
    assert!(desk.store().borrow().batches >= 2);
    let cursor = Cursor::look(&desk.session, "main").unwrap();
    assert_eq!(lost(&cursor), by_word);
    assert_eq!(cursor.rejected.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_turn_closed_by_its_hook_stays_complete_when_codex_dies_before_the_record() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1").say("The answer.");
    close(&desk, "t1");
    desk.flush(30, Some("t1")).await;
    rollout.begin("t2");
    desk.hook("UserPromptSubmit", Some("t2"));
    rollout.end("t2", "Next.");
    desk.work().await;
    desk.check(&[("t1", "completed"), ("t2", "completed")]);
}

#[tokio::test(start_paused = true)]
async fn a_flush_beside_a_living_worker_waits_for_the_workers_delivery() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    let hook = async {
        sleep(Duration::from_secs(5)).await;
        rollout.say("The answer.");
        close(&desk, "t1");
        let flushed = desk.flush(30, Some("t1")).await;
        desk.check(&[("t1", "completed")]);
        rollout.end("t1", "The answer.");
        flushed
    };
    let (_, flushed) = tokio::join!(desk.work(), hook);
    assert!(flushed.complete);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_session_does_not_wait_for_a_lingering_worker_to_leave() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    let hook = async {
        sleep(Duration::from_secs(1)).await;
        rollout.say("The answer.");
        close(&desk, "t1");
        assert!(desk.flush(30, Some("t1")).await.complete);
        rollout.end("t1", "The answer.");
        desk.hook("SessionEnd", None);
        let began = Instant::now();
        assert!(desk.flush(30, None).await.complete);
        assert!(began.elapsed() < Duration::from_millis(500));
    };
    tokio::join!(desk.work(), hook);
    desk.check(&[("t1", "completed")]);
}

#[tokio::test(start_paused = true)]
async fn a_flush_of_a_dead_endpoint_ends_at_its_deadline_and_says_what_is_left() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    rollout.end("t1", "Done.");
    desk.store().borrow_mut().otherwise = Some(Answer::Down(None));
    let began = Instant::now();
    let flushed = desk.flush(5, None).await;
    assert!(!flushed.complete);
    assert!(began.elapsed() < Duration::from_secs(6));
    assert_eq!(flushed.status.destinations[0].pending, 1);
}

#[tokio::test(start_paused = true)]
async fn a_flush_does_not_wait_for_a_turn_that_is_still_running() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    rollout.end("t1", "Done.").begin("t2");
    desk.hook("UserPromptSubmit", Some("t2"));
    assert!(desk.flush(30, None).await.complete);
    desk.check(&[("t1", "completed")]);
}

#[tokio::test(start_paused = true)]
async fn a_flush_beside_a_worker_does_not_wait_for_a_turn_that_is_still_running() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    rollout.end("t1", "Done.").begin("t2");
    desk.hook("UserPromptSubmit", Some("t2"));
    let worker = work(desk.options(), std::future::pending());
    let flushes = async {
        sleep(Duration::from_millis(500)).await;
        desk.flush(30, None).await
    };
    tokio::select! {
        _ = worker => panic!("the worker waits for the turn's end"),
        flush = flushes => assert!(flush.complete),
    }
    desk.check(&[("t1", "completed")]);
}

#[tokio::test(start_paused = true)]
async fn a_flush_that_leaves_a_running_turn_or_a_new_hook_behind_says_that_a_worker_is_due() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    let flushed = desk.flush(30, None).await;
    assert!(flushed.complete && flushed.unattended.is_some(), "t1 runs");
    rollout.end("t1", "Done.");
    let flushed = desk.flush(30, None).await;
    assert_eq!((flushed.complete, flushed.unattended), (true, None));
    // A hook comes while the flush has the lock, and starts no worker.
    rollout.begin("t2").end("t2", "Done.");
    desk.hook("UserPromptSubmit", Some("t2"));
    desk.store().borrow_mut().otherwise = Some(Answer::Hang);
    let hook = async {
        sleep(Duration::from_secs(1)).await;
        desk.hook("Stop", Some("t2"));
    };
    let (flushed, ()) = tokio::join!(desk.flush(5, None), hook);
    assert!(!flushed.complete && flushed.unattended.is_some());
    // A new Codex process starts a worker of its own.
    rollout.begin("t3");
    let process = async {
        sleep(Duration::from_secs(1)).await;
        let start = desk.hook("SessionStart", None);
        assert!(start.begins_process());
        desk.hook("UserPromptSubmit", Some("t3"));
    };
    let (flushed, ()) = tokio::join!(desk.flush(5, None), process);
    assert_eq!(flushed.unattended, None);
}

#[tokio::test(start_paused = true)]
async fn a_flush_beside_a_worker_leaves_the_running_turn_to_it() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    let flush = async {
        sleep(Duration::from_millis(500)).await;
        let flushed = desk.flush(30, None).await;
        rollout.end("t1", "Done.");
        flushed
    };
    let (_, flushed) = tokio::join!(desk.work(), flush);
    assert_eq!((flushed.complete, flushed.unattended), (true, None));
}

/// Several sessions in one state folder, each with one finished turn.
fn sessions(desk: &Desk, count: usize) -> Vec<SessionDir> {
    let threads: Vec<String> = (16..16 + count)
        .map(|number| format!("01a1f885-0000-7000-8000-{number:012x}"))
        .collect();
    for thread in &threads {
        let rollout = desk.rollout(thread);
        let turn = format!("turn-of-{thread}");
        rollout.begin(&turn);
        let mut entry = desk.entry("UserPromptSubmit", Some(&turn));
        entry.session_id.clone_from(thread);
        append_journal(&desk.state.session(thread).unwrap(), &entry).unwrap();
        rollout.end(&turn, "Done.");
    }
    desk.state.sessions()
}

async fn flush_everything(desk: &Desk, sessions: &[SessionDir]) -> FlushReport {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut heard = 0;
    let report = flush_all(
        sessions,
        &|_, _| Some(desk.course()),
        deadline,
        &mut |_, _| heard += 1,
    )
    .await;
    assert_eq!(heard, sessions.len());
    report
}

#[tokio::test(start_paused = true)]
async fn one_flush_delivers_everything_after_an_offline_week() {
    let desk = Desk::new();
    let sessions = sessions(&desk, 50);
    desk.store().borrow_mut().otherwise = Some(Answer::Down(None));
    let report = flush_everything(&desk, &sessions).await;
    assert_eq!((report.complete.len(), report.left.len()), (0, 50));
    for session in &sessions {
        assert!(disk_use(session.path()) <= 20 * 1024);
    }
    desk.store().borrow_mut().otherwise = None;
    let report = flush_everything(&desk, &sessions).await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(desk.delivered("main").len(), 50);
    assert!(desk.store().borrow().arrivals.values().all(|n| *n == 1));
}

fn disk_use(folder: &std::path::Path) -> u64 {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let meta = entry.metadata().unwrap();
        sum += if meta.is_dir() {
            disk_use(&entry.path())
        } else {
            meta.len()
        };
    }
    sum
}

#[tokio::test(start_paused = true)]
async fn a_dead_replica_does_not_keep_other_sessions_from_the_living_one() {
    let desk = Desk::with(&["main", "dead"], false);
    let sessions = sessions(&desk, 40);
    desk.stores.of("dead").borrow_mut().otherwise = Some(Answer::Hang);
    let report = flush_everything(&desk, &sessions).await;
    assert_eq!(report.left.len(), 40);
    assert_eq!(desk.delivered("main").len(), 40);
    assert!(desk.store().borrow().arrivals.values().all(|n| *n == 1));
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_does_not_use_up_the_time_of_a_flush() {
    let desk = Desk::new();
    let sessions = sessions(&desk, 3);
    desk.store().borrow_mut().otherwise = Some(Answer::Stop);
    let began = Instant::now();
    let report = flush_everything(&desk, &sessions).await;
    assert_eq!(report.left.len(), 3);
    assert!(began.elapsed() < Duration::from_secs(5));
}
