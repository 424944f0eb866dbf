//! Hooks that come while a rollout is being looked at.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use codex_tracing_delivery::testing::Answer;
use codex_tracing_delivery::{
    Course, JournalEntry, Left, Mode, SessionDir, WorkerOptions, append_journal,
};
use codex_tracing_transcript::{Scrub, Verbatim};
use serde_json::Value;
use tokio::time::sleep;

use crate::desk::{Desk, ROOT, work, work_as};

/// Appends a journal line at the moment the first text of a rollout is read.
struct HookWhileReading {
    session: SessionDir,
    entry: JournalEntry,
    done: AtomicBool,
}

impl Scrub for HookWhileReading {
    fn text(&self, text: Cow<'_, str>) -> String {
        if !self.done.swap(true, Ordering::Relaxed) {
            append_journal(&self.session, &self.entry).unwrap();
        }
        Verbatim.text(text)
    }

    fn json(&self, _: &mut Value) {}

    fn image(&self, url: Cow<'_, str>) -> String {
        Verbatim.image(url)
    }
}

async fn read_while_hooked(desk: &Desk, mode: Mode) {
    let mut entry = desk.entry("UserPromptSubmit", Some("t1"));
    entry.mode = Some(mode);
    let scrub = HookWhileReading {
        session: desk.session.clone(),
        entry,
        done: AtomicBool::new(false),
    };
    let options = WorkerOptions {
        course: Course {
            scrub: Arc::new(scrub),
            ..desk.course()
        },
        ..desk.options()
    };
    let left = work(options, std::future::pending()).await;
    assert_eq!(left, Left::Finished);
}

#[tokio::test(start_paused = true)]
async fn a_turn_whose_hook_came_while_its_records_were_read_is_delivered() {
    let desk = Desk::new();
    desk.hook("SessionStart", None);
    desk.rollout(ROOT).begin("t1").end("t1", "Quick.");
    read_while_hooked(&desk, Mode::Full).await;
    desk.check(&[("t1", "completed")]);
}

#[tokio::test(start_paused = true)]
async fn a_mute_that_came_while_its_turn_was_read_holds_for_that_turn() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("SessionStart", None);
    rollout.end("t1", "Hidden.");
    read_while_hooked(&desk, Mode::Metadata).await;
    assert_eq!(desk.turn(ROOT, "t1")["muted"], true);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_a_new_process_began_before_its_first_hook_is_not_given_up() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook_of_the_dead("UserPromptSubmit", Some("t1"));
    rollout.end("t1", "One.");
    // A compaction that was due takes its time before the hooks of the resumed session come.
    let resumed = async {
        sleep(Duration::from_secs(1)).await;
        rollout.begin("t2");
        sleep(Duration::from_mins(1)).await;
        desk.hook("UserPromptSubmit", Some("t2"));
        rollout.end("t2", "Two.");
        desk.work().await;
    };
    tokio::join!(desk.work(), resumed);
    desk.check(&[("t1", "completed"), ("t2", "completed")]);
}

/// A worker whose session a new Codex process takes up, and that process's worker.
#[tokio::test(start_paused = true)]
async fn the_worker_of_a_new_process_takes_over_with_its_own_settings() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    rollout.end("t1", "One.");
    // The first process had settings with which nothing could be delivered.
    desk.store().borrow_mut().otherwise = Some(Answer::Down(None));
    let resumed = async {
        sleep(Duration::from_secs(1)).await;
        desk.store().borrow_mut().otherwise = None;
        desk.hook("SessionStart", None);
        rollout.begin("t2");
        desk.hook("UserPromptSubmit", Some("t2"));
        rollout.end("t2", "Two.");
        work_as(desk.options(), true, std::future::pending()).await
    };
    let (first, second) = tokio::join!(desk.work(), resumed);
    assert_eq!((first, second), (Left::Succeeded, Left::Finished));
    desk.check(&[("t1", "completed"), ("t2", "completed")]);
}

#[tokio::test(start_paused = true)]
async fn a_compaction_is_no_new_process() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    let compacted = async {
        sleep(Duration::from_secs(1)).await;
        let mut entry = desk.entry("SessionStart", None);
        entry.source = Some("compact".to_owned());
        append_journal(&desk.session, &entry).unwrap();
        sleep(Duration::from_secs(1)).await;
        rollout.end("t1", "One.");
    };
    let (left, ()) = tokio::join!(desk.work(), compacted);
    assert_eq!(left, Left::Finished);
}
