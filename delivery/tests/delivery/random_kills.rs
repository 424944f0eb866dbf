//! Workers killed at random moments, destinations that fail at random, while Codex writes on.

use std::collections::BTreeMap;
use std::time::Duration;

use codex_tracing_delivery::testing::Answer;
use codex_tracing_delivery::{Cursor, SessionLock, run_worker};
use serde_json::Value;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::desk::{CHILD, Desk, GRANDCHILD, ROOT, Rollout};

const ROUNDS: u64 = 200;

/// What Codex writes, step by step; `None` for a moment in which nothing happens.
fn steps() -> Vec<(&'static str, &'static str, &'static str)> {
    vec![
        (ROOT, "begin", "t1"),
        (ROOT, "say", "Thinking."),
        (ROOT, "end", "t1"),
        (ROOT, "begin", "t2"),
        (ROOT, "spawn", CHILD),
        (CHILD, "begin", "c1"),
        (CHILD, "spawn", GRANDCHILD),
        (GRANDCHILD, "begin", "g1"),
        (GRANDCHILD, "say", "Deep."),
        (CHILD, "end", "c1"),
        (GRANDCHILD, "end", "g1"),
        (ROOT, "say", "Going on."),
        (CHILD, "begin", "c2"),
        (ROOT, "end", "t2"),
        (CHILD, "end", "c2"),
        (ROOT, "begin", "t3"),
        (ROOT, "abort", "t3"),
        (ROOT, "begin", "t4"),
        (ROOT, "end", "t4"),
    ]
}

fn play(desk: &Desk, rollouts: &BTreeMap<&str, Rollout>, step: (&str, &str, &str)) {
    let (thread, what, name) = step;
    let rollout = &rollouts[thread];
    match what {
        "begin" => {
            rollout.begin(name);
            if thread == ROOT {
                desk.hook("UserPromptSubmit", Some(name));
            }
        }
        "say" => {
            rollout.say(name);
        }
        "spawn" => {
            rollout.spawn(&format!("call-{name}"), name);
        }
        "abort" => {
            rollout.abort(name);
        }
        _ => {
            if thread == ROOT {
                desk.hook("Stop", Some(name));
            }
            rollout.end(name, "Done.");
        }
    }
}

fn answer(random: &mut fastrand::Rng) -> Answer {
    match random.u8(..10) {
        0 => Answer::Down(None),
        1 => Answer::Down(Some(Duration::from_millis(random.u64(..3000)))),
        2 => Answer::LoseAnswer,
        3 => Answer::TakeSome(random.usize(..4)),
        4 => Answer::Hang,
        _ => Answer::Take,
    }
}

/// One session with the given chaos; gives what the destination holds in the end.
async fn run(seed: u64, chaos: bool, live: bool) -> BTreeMap<String, Value> {
    let mut random = fastrand::Rng::with_seed(seed);
    let desk = Desk::with(&["main"], live);
    let rollouts: BTreeMap<&str, Rollout> = [ROOT, CHILD, GRANDCHILD]
        .into_iter()
        .map(|thread| (thread, desk.rollout(thread)))
        .collect();
    if chaos {
        let script = (0..12).map(|_| answer(&mut random));
        desk.store().borrow_mut().script.extend(script);
    }
    let mut pauses = random.fork();
    let codex = async {
        for step in steps() {
            play(&desk, &rollouts, step);
            sleep(Duration::from_millis(pauses.u64(..900))).await;
        }
    };
    let until = Instant::now() + Duration::from_secs(40);
    let workers = async {
        while Instant::now() < until {
            let life = Duration::from_millis(random.u64(1..6000));
            let end = if chaos { Instant::now() + life } else { until };
            // Dropped in the middle of whatever it does: its lock goes, its memory too.
            let worker = run_worker(desk.options(), std::future::pending());
            let _ = timeout_at(end, worker).await;
            sleep(Duration::from_millis(random.u64(..400))).await;
        }
    };
    tokio::join!(codex, workers);
    sleep_until(until).await;
    assert!(!SessionLock::is_held(&desk.session).unwrap());
    desk.store().borrow_mut().script.clear();
    desk.work().await;
    let cursor = Cursor::look(&desk.session, "main").unwrap();
    assert_eq!((cursor.delivered, cursor.pending), (7, 0), "seed {seed}");
    desk.store().borrow().items.clone()
}

#[tokio::test(start_paused = true)]
async fn whatever_moment_workers_are_killed_at_the_trace_is_the_undisturbed_one() {
    for live in [false, true] {
        let expected = run(0, false, live).await;
        assert_eq!(
            expected
                .keys()
                .filter(|id| id.matches('/').count() == 1)
                .count(),
            7
        );
        for seed in 1..=ROUNDS / 2 {
            let items = run(seed, true, live).await;
            assert_eq!(items, expected, "seed {seed}, live {live}");
        }
    }
}
