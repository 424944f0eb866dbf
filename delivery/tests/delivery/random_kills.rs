//! Workers killed at random moments, destinations that fail at random, while Codex writes on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use codex_tracing_delivery::testing::Answer;
use codex_tracing_delivery::{
    Cursor, Exchange, FactsStore, HttpError, Request, Response, Throttle, http_outlets,
};
use serde_json::Value;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::desk::{CHILD, Desk, GRANDCHILD, ROOT, Rollout, work};

/// Each kills about ten workers.
const ROUNDS: u64 = 20;

/// What Codex writes, step by step: thread, act, and what it is about.
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
async fn run(seed: u64, chaos: bool, live: bool, wire: bool) -> BTreeMap<String, Value> {
    let mut random = fastrand::Rng::with_seed(seed);
    let desk = Desk::with(&["main"], live);
    let rollouts: BTreeMap<&str, Rollout> = [ROOT, CHILD, GRANDCHILD]
        .into_iter()
        .map(|thread| (thread, desk.rollout(thread)))
        .collect();
    let network = Network::default();
    if chaos && wire {
        network.lock().faults = (0..12).map(|_| random.u8(..8)).collect();
    } else if chaos {
        let script = (0..12).map(|_| answer(&mut random));
        desk.store().borrow_mut().script.extend(script);
    }
    let options = || {
        let mut course = desk.course();
        if wire {
            let facts = FactsStore::new(desk.state.facts_dir());
            let backend = Arc::clone(&course.backend);
            course.outlets = http_outlets(backend, network.clone(), facts, Throttle::new());
        }
        desk.options_with(course)
    };
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
            let killed_at = Instant::now() + Duration::from_millis(random.u64(1..6000));
            let end = if chaos { killed_at } else { until };
            // Dropped in the middle of whatever it does: its lock goes, its memory too.
            let worker = work(options(), std::future::pending());
            let _ = timeout_at(end, worker).await;
            sleep(Duration::from_millis(random.u64(..400))).await;
        }
    };
    tokio::join!(codex, workers);
    sleep_until(until).await;
    assert!(desk.is_free_soon());
    desk.store().borrow_mut().script.clear();
    network.lock().faults.clear();
    work(options(), std::future::pending()).await;
    let cursor = Cursor::look(&desk.session, "main").unwrap();
    assert_eq!((cursor.delivered, cursor.pending), (7, 0), "seed {seed}");
    if wire {
        return network.lock().items.clone();
    }
    desk.store().borrow().items.clone()
}

/// Takes requests of the real sender, and fails in the ways networks do.
#[derive(Clone, Default)]
struct Network {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    faults: VecDeque<u8>,
    items: BTreeMap<String, Value>,
}

impl Network {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn store(&self, body: &[u8]) {
        for line in body.split(|byte| *byte == b'\n') {
            let item: Value = serde_json::from_slice(line).unwrap();
            let id = item["id"].as_str().unwrap().to_owned();
            self.lock().items.insert(id, item);
        }
    }
}

impl Exchange for Network {
    async fn exchange(&self, request: Request) -> Result<Response, HttpError> {
        sleep(Duration::from_millis(30)).await;
        let fault = self.lock().faults.pop_front();
        let status = match fault {
            Some(0) => 503,
            Some(1) => 429,
            Some(2) if request.body.contains(&b'\n') => 413,
            // Stored, and the answer comes so late that the worker may be gone.
            Some(3) => {
                self.store(&request.body);
                sleep(Duration::from_secs(2)).await;
                500
            }
            _ => {
                self.store(&request.body);
                200
            }
        };
        Ok(Response {
            status,
            retry_after: (status == 429).then_some(Duration::from_secs(2)),
            content_type: None,
            body: Vec::new(),
        })
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_moment_workers_are_killed_at_the_trace_is_the_undisturbed_one() {
    for (live, wire) in [(false, false), (true, false), (false, true), (true, true)] {
        let expected = run(0, false, live, wire).await;
        let turns = expected.keys().filter(|id| id.matches('/').count() == 1);
        assert_eq!(turns.count(), 7);
        for seed in 1..=ROUNDS {
            let items = run(seed, true, live, wire).await;
            assert_eq!(items, expected, "seed {seed}, live {live}, wire {wire}");
        }
    }
}
