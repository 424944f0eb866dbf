//! Running turns before the eyes of whoever watches.

use std::time::Duration;

use codex_tracing_delivery::testing::Answer;
use tokio::time::sleep;

use crate::desk::{Desk, ROOT};

#[tokio::test(start_paused = true)]
async fn a_live_backend_sees_the_turn_grow_within_two_seconds() {
    let desk = Desk::with(&["main"], true);
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    let codex = async {
        for round in 0..5 {
            sleep(Duration::from_secs(7)).await;
            rollout.say(&format!("Step {round}."));
            sleep(Duration::from_secs(2)).await;
            let turn = desk.turn(ROOT, "t1");
            assert_eq!(turn["status"], "running");
        }
        rollout.end("t1", "Done.");
    };
    tokio::join!(desk.work(), codex);
    desk.check(&[("t1", "completed")]);
}

/// How many pieces of output the destination has been shown.
fn outputs(desk: &Desk) -> u64 {
    let store = desk.store();
    let store = store.borrow();
    let shown = store.items.values();
    shown.filter_map(|item| item["outputs"].as_u64()).sum()
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_grows_all_the_time_is_sent_once_a_second_at_most_and_shown_within_two() {
    let desk = Desk::with(&["main"], true);
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    let codex = async {
        for step in 0..600_u64 {
            rollout.say(&format!("Step {step}."));
            sleep(Duration::from_millis(50)).await;
            if let Some(seen) = step.checked_sub(40) {
                let shown = outputs(&desk);
                assert!(shown > seen, "{shown} are shown after {step}");
            }
        }
        let batches = desk.store().borrow().batches;
        rollout.end("t1", "Done.");
        batches
    };
    let (_, batches) = tokio::join!(desk.work(), codex);
    // Half a minute: the first at once, and then one for each second.
    assert!((15..=31).contains(&batches), "{batches}");
    desk.check(&[("t1", "completed")]);
}

#[tokio::test(start_paused = true)]
async fn a_live_turn_appears_when_the_destination_comes_back_though_nothing_new_was_written() {
    let desk = Desk::with(&["main"], true);
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    desk.store()
        .borrow_mut()
        .script
        .push_back(Answer::Down(None));
    let codex = async {
        sleep(Duration::from_millis(500)).await;
        desk.check(&[]);
        sleep(Duration::from_secs(3)).await;
        desk.check(&[("t1", "running")]);
        rollout.end("t1", "Done.");
    };
    tokio::join!(desk.work(), codex);
    desk.check(&[("t1", "completed")]);
}
