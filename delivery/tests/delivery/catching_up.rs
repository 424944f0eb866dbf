//! Sessions that ran for long before anybody read them.

use std::time::{Duration, Instant};

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
    let apart = time_for(CALLS, 1).await + time_for(0, TURNS).await;
    let together = time_for(CALLS, TURNS).await;
    println!("{apart:?} apart, {together:?} together");
    assert!(together < apart * 3, "{apart:?}, {together:?}");
}
