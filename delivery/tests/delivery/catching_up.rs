//! Sessions that ran for long before anybody read them.

use std::time::{Duration, Instant};

use codex_tracing_delivery::Left;
use codex_tracing_delivery::testing::Answer;
use serde_json::json;

use crate::desk::{CHILD, Desk, ROOT};

/// Turns of the subagent.
const TURNS: usize = 600;
/// Tool calls of the root's turn, each with an output of 16 KiB.
const CALLS: usize = 800;

/// How long it takes to catch up on a turn with so many tool calls that is still running, and on so
/// many turns of its subagent.
async fn time_for(calls: usize, turns: usize) -> Duration {
    let desk = Desk::new();
    let root = desk.rollout(ROOT);
    root.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    root.spawn("call-1", CHILD);
    for call in 0..calls {
        root.run(&format!("run-{call}"), &"x".repeat(16 << 10));
    }
    let child = desk.rollout(CHILD);
    for turn in 0..turns {
        let turn = format!("c{turn}");
        child.begin(&turn).end(&turn, "Done.");
    }
    let begun = Instant::now();
    desk.flush(60, None).await;
    assert_eq!(desk.delivered("main").len(), turns);
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_running_turn_is_not_put_together_for_each_turn_of_its_subagents() {
    // What else the machine does takes time now and then, but not each time: put together for each
    // turn, it takes twelve times as long.
    let mut seen = Vec::new();
    for _ in 0..4 {
        let apart = time_for(CALLS, 1).await + time_for(0, TURNS).await;
        let together = time_for(CALLS, TURNS).await;
        if together < apart * 3 {
            return;
        }
        seen.push((apart, together));
    }
    panic!("apart and together: {seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_subagents_turn_waits_for_the_call_that_led_to_it_however_far_down_that_is_recorded() {
    let desk = Desk::new();
    let root = desk.rollout(ROOT);
    root.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    root.spawn("call-1", CHILD).end("t1", "Done.");
    let child = desk.rollout(CHILD);
    child.begin("c1").end("c1", "First.");
    for turn in 2..8 {
        let turn = format!("t{turn}");
        root.begin(&turn);
        desk.hook("UserPromptSubmit", Some(&turn));
        // More than is read at once.
        root.run(&format!("run-{turn}"), &"x".repeat(4 << 20))
            .end(&turn, "Done.");
    }
    root.begin("t8");
    desk.hook("UserPromptSubmit", Some("t8"));
    root.message("call-2", CHILD).end("t8", "Done.");
    child.begin("c2").end("c2", "Second.");
    desk.work().await;
    assert_eq!(desk.turn(CHILD, "c1")["causes"], json!(["t1/call-1"]));
    assert_eq!(desk.turn(CHILD, "c2")["causes"], json!(["t8/call-2"]));
}

#[tokio::test(start_paused = true)]
async fn a_turn_is_not_taken_for_cut_off_while_what_was_read_before_its_end_waits() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    // More turns than a batch holds, and one that is running.
    let turns: Vec<String> = (1..=250).map(|number| format!("t{number}")).collect();
    for turn in &turns {
        rollout.begin(turn);
        desk.hook("UserPromptSubmit", Some(turn));
        rollout.end(turn, "Done.");
    }
    rollout.begin("last");
    desk.hook_of_the_dead("UserPromptSubmit", Some("last"));
    desk.store().borrow_mut().script.extend(std::iter::repeat_n(
        Answer::Down(Some(Duration::from_secs(5))),
        4,
    ));
    let end = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        rollout.end("last", "Done.");
    };
    tokio::join!(desk.work(), end);
    assert_eq!(desk.delivered("main").len(), 251);
    assert_eq!(desk.turn(ROOT, "last")["status"], "completed");
    assert_eq!(desk.store().borrow().arrivals[&format!("{ROOT}/last")], 1);
}

#[tokio::test(start_paused = true)]
async fn what_comes_before_a_broken_place_is_delivered_once() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    for turn in ["t1", "t2"] {
        rollout.begin(turn);
        desk.hook_of_the_dead("UserPromptSubmit", Some(turn));
        rollout.say("Done.").end(turn, "Done.");
    }
    let text = std::fs::read(&rollout.path).unwrap();
    let mut packed = zstd::encode_all(&text[..], 3).unwrap();
    packed.extend_from_slice(b"this is no frame of a compressed file");
    std::fs::write(rollout.path.with_extension("jsonl.zst"), packed).unwrap();
    std::fs::remove_file(&rollout.path).unwrap();
    assert_eq!(desk.work().await, Left::GaveUp);
    desk.check(&[("t1", "completed"), ("t2", "completed")]);
    assert!(desk.store().borrow().arrivals.values().all(|n| *n == 1));
    assert_eq!(desk.turn(ROOT, "t2")["number"], 2);
}
