//! Running turns before the eyes of whoever watches.

use std::time::Duration;

use codex_tracing_delivery::testing::Answer;
use tokio::time::sleep;

use crate::desk::{CHILD, Desk, ROOT};

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

#[tokio::test(start_paused = true)]
async fn a_running_turn_of_a_subagent_is_shown_below_the_call_that_led_to_it() {
    let desk = Desk::with(&["main"], true);
    let root = desk.rollout(ROOT);
    root.begin("t0");
    desk.hook("UserPromptSubmit", Some("t0"));
    root.end("t0", "Done.");
    // Two full batches, the one that spawns being the last: the running turn is looked at before
    // the subagent is known, and that of the subagent before its first turn is taken.
    for number in 1..399 {
        let turn = format!("t{number}");
        root.begin(&turn).end(&turn, "Done.");
    }
    root.begin("t399");
    desk.hook("UserPromptSubmit", Some("t399"));
    root.spawn("call-1", CHILD)
        .end("t399", "Done.")
        .begin("t400");
    desk.hook("UserPromptSubmit", Some("t400"));
    root.message("call-2", CHILD);
    let child = desk.rollout(CHILD);
    child.begin("c1").end("c1", "First.");
    child.begin("c2").say("At it.");
    let late = Answer::TakeLate(Duration::from_secs(2));
    desk.store()
        .borrow_mut()
        .script
        .extend([late.clone(), late]);
    let codex = async {
        sleep(Duration::from_secs(20)).await;
        let shown = desk.turn(CHILD, "c2");
        assert_eq!(shown["status"], "running");
        assert_eq!(shown["causes"], serde_json::json!(["t400/call-2"]));
        child.end("c2", "Second.");
        root.end("t400", "Done.");
    };
    tokio::join!(desk.work(), codex);
}
