//! A crash at every step, then recovery: nothing lost, and each item is what it would have been.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use codex_tracing_delivery::testing::Answer;
use codex_tracing_delivery::{Cursor, FAIL_POINTS, arm, disarm};
use serde_json::Value;

use crate::desk::{CHILD, Desk, ROOT};

fn session(desk: &Desk) {
    let root = desk.rollout(ROOT);
    for turn in ["t1", "t2", "t3"] {
        root.begin(turn);
        desk.hook("UserPromptSubmit", Some(turn));
        root.say("Thinking.");
        if turn == "t2" {
            root.spawn("call-1", CHILD);
            let child = desk.rollout(CHILD);
            child.begin("c1").say("Below.").end("c1", "Below.");
        }
        root.end(turn, "Done.");
    }
}

fn run(desk: &Desk) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    catch_unwind(AssertUnwindSafe(|| runtime.block_on(desk.work()))).is_ok()
}

fn undisturbed() -> BTreeMap<String, Value> {
    let desk = Desk::new();
    session(&desk);
    assert!(run(&desk));
    desk.store().borrow().items.clone()
}

#[test]
fn a_worker_killed_at_any_step_leaves_nothing_lost_and_nothing_different() {
    let expected = undisturbed();
    for place in FAIL_POINTS {
        for skip in 0..3 {
            let desk = Desk::new();
            session(&desk);
            arm(place, skip);
            run(&desk);
            let missed = disarm();
            assert!(skip > 0 || !missed, "{place} was never passed");
            assert!(run(&desk), "{place} {skip}");
            assert_eq!(desk.store().borrow().items, expected, "{place} {skip}");
            let cursor = Cursor::look(&desk.session, "main").unwrap();
            assert_eq!(cursor.delivered, 4, "{place} {skip}");
            assert_eq!(cursor.pending, 0);
        }
    }
}

#[test]
fn an_answer_lost_on_the_way_changes_nothing() {
    let expected = undisturbed();
    let desk = Desk::new();
    session(&desk);
    desk.store()
        .borrow_mut()
        .script
        .push_back(Answer::LoseAnswer);
    assert!(run(&desk));
    assert_eq!(desk.store().borrow().items, expected);
}

#[test]
fn a_worker_started_again_and_again_sends_nothing_twice() {
    let desk = Desk::new();
    session(&desk);
    for _ in 0..4 {
        assert!(run(&desk));
    }
    let store = desk.store();
    assert!(store.borrow().arrivals.values().all(|n| *n == 1));
    assert_eq!(store.borrow().batches, 1);
}

#[test]
fn a_lost_state_folder_gives_the_same_items_again() {
    let expected = undisturbed();
    let desk = Desk::new();
    session(&desk);
    assert!(run(&desk));
    std::fs::remove_file(desk.session.cursor_file("main").unwrap()).unwrap();
    assert!(run(&desk));
    assert_eq!(desk.store().borrow().items, expected);
}
