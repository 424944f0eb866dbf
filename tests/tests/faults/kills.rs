//! Workers killed at every step and at random moments.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use codex_tracing_delivery::{FAIL_POINTS, REQUEST_FAIL_POINTS};
use codex_tracing_tests::{
    Collector, Fault, PATIENCE, Product, Replay, bundles, bundles_with_fail_points, variable,
};
use serde_json::Value;

use crate::trace::{PRODUCTS, assert_same, flush, folded, log};

/// Places that a worker passes once in its life.
const PASSED_ONCE: [&str; 3] = ["locked", "journal_read", "before_leave"];
/// Kills at random moments, over both products; `CODEX_TRACING_KILLS` asks for more.
const KILLS: usize = 200;
const VERSION: &str = "0.169.0";

fn start(product: Product, scenario: &str, bundles: &Path, collector: &Collector) -> Replay {
    Replay::recorded(VERSION, scenario, product, bundles, &collector.url()).unwrap()
}

pub(crate) fn undisturbed(product: Product, scenario: &str) -> BTreeMap<String, Value> {
    let collector = Collector::start().unwrap();
    let mut replay = start(product, scenario, &bundles().unwrap(), &collector);
    for hook in replay.run().unwrap() {
        assert_eq!(hook.output.code, Some(0), "{hook:?}");
        assert_eq!(hook.output.stdout, "", "{hook:?}");
    }
    flush(&replay);
    assert!(replay.wait_for_workers(codex_tracing_tests::PATIENCE));
    folded(&collector, product, &replay)
}

#[test]
fn an_undisturbed_session_is_the_same_trace_every_time() {
    for product in PRODUCTS {
        for scenario in ["subagents", "subagents-v2"] {
            let expected = undisturbed(product, scenario);
            assert!(expected.len() > 10, "{}", expected.len());
            assert_same(&undisturbed(product, scenario), &expected, scenario, "");
        }
    }
}

/// Whether anything has been delivered.
fn has_items(collector: &Collector, product: Product) -> bool {
    match product {
        Product::LangSmith => !collector.runs().all().is_empty(),
        Product::Braintrust => !collector.rows().all().is_empty(),
    }
}

/// Plays the session; in two parts if a worker is to pass a place twice: it has delivered the first
/// subagent's turn, or died, before the session goes on.
fn play(replay: &mut Replay, collector: &Collector, product: Product, in_two: bool) {
    let mut has_ended = false;
    while let Some(hook) = replay.step().unwrap() {
        if has_ended && in_two {
            let died = || log(replay).contains("fail point");
            let goes_on = |collector: &Collector| has_items(collector, product) || died();
            assert!(collector.wait_until(PATIENCE, goes_on), "{}", log(replay));
        }
        has_ended |= hook.event == "SubagentStop";
    }
    replay.finish().unwrap();
}

fn die_at_each_place(product: Product) {
    let expected = undisturbed(product, "subagents");
    let bundles = bundles_with_fail_points().unwrap();
    for place in FAIL_POINTS.iter().chain(REQUEST_FAIL_POINTS) {
        for skip in 0..=u32::from(!PASSED_ONCE.contains(place)) {
            let what = format!("{product:?}, {place} after {skip}");
            let collector = Collector::start().unwrap();
            let mut replay = start(product, "subagents", &bundles, &collector);
            replay.set_env("CODEX_TRACING_FAIL_AT", &format!("{place}:{skip}"));
            play(&mut replay, &collector, product, skip > 0);
            let reached = |_: &Collector| log(&replay).contains("fail point");
            let reached = collector.wait_until(PATIENCE, reached);
            assert!(reached, "{what} was never reached\n{}", log(&replay));
            replay.kill_workers();
            replay.unset_env("CODEX_TRACING_FAIL_AT");
            flush(&replay);
            let got = folded(&collector, product, &replay);
            assert_same(&got, &expected, &what, &log(&replay));
        }
    }
}

#[test]
fn a_worker_killed_at_any_step_leaves_langsmith_with_the_undisturbed_trace() {
    die_at_each_place(Product::LangSmith);
}

#[test]
fn a_worker_killed_at_any_step_leaves_braintrust_with_the_undisturbed_trace() {
    die_at_each_place(Product::Braintrust);
}

#[test]
fn a_hook_killed_before_it_could_start_a_worker_loses_nothing() {
    for product in PRODUCTS {
        let expected = undisturbed(product, "subagents");
        let bundles = bundles_with_fail_points().unwrap();
        let collector = Collector::start().unwrap();
        let mut replay = start(product, "subagents", &bundles, &collector);
        replay.set_env("CODEX_TRACING_FAIL_AT", "after_journal:0");
        replay.run().unwrap();
        assert!(replay.workers().is_empty());
        assert!(collector.requests().is_empty());
        replay.unset_env("CODEX_TRACING_FAIL_AT");
        flush(&replay);
        let got = folded(&collector, product, &replay);
        assert_same(&got, &expected, "after_journal", &log(&replay));
    }
}

#[test]
fn a_worker_told_to_end_in_the_middle_of_a_request_ends_at_once_and_loses_nothing() {
    for product in PRODUCTS {
        let expected = undisturbed(product, "subagents");
        let collector = Collector::start().unwrap();
        let mut replay = start(product, "subagents", &bundles().unwrap(), &collector);
        collector.inject("/", Fault::Hang);
        replay.run().unwrap();
        let asked = |collector: &Collector| !collector.requests().is_empty();
        assert!(collector.wait_until(PATIENCE, asked));
        assert!(replay.signal_workers("TERM") > 0);
        // Before the request that nobody answers is given up, which is after half a minute.
        assert!(replay.wait_for_workers(Duration::from_secs(25)));
        let told = log(&replay);
        assert!(!told.contains("no answer"), "{told}");
        collector.heal();
        flush(&replay);
        let got = folded(&collector, product, &replay);
        assert_same(&got, &expected, "SIGTERM", &log(&replay));
    }
}

fn fault(random: &mut fastrand::Rng) -> Fault {
    match random.u8(..8) {
        0 => Fault::Status(500, None),
        1 => Fault::Status(503, Some(random.u64(..2))),
        2 => Fault::Status(429, Some(1)),
        3 | 4 => Fault::DropAfterRead,
        5 => Fault::HalfClose,
        6 => Fault::Delay(Duration::from_millis(random.u64(..400))),
        _ => Fault::Hang,
    }
}

/// Replays one session with kills and failures; how many workers were killed.
fn disturbed(
    product: Product,
    scenario: &str,
    seed: u64,
    expected: &BTreeMap<String, Value>,
) -> usize {
    let mut random = fastrand::Rng::with_seed(seed);
    let collector = Collector::start().unwrap();
    let mut replay = start(product, scenario, &bundles().unwrap(), &collector);
    for _ in 0..random.usize(4..16) {
        let times = random.usize(1..3);
        collector.inject_times("/", fault(&mut random), times);
        if random.bool() {
            collector.inject_times("/", Fault::Delay(Duration::ZERO), random.usize(1..4));
        }
    }
    let mut kills = 0;
    let mut maybe_kill = |replay: &Replay, odds: f64| {
        if random.f64() < odds {
            std::thread::sleep(Duration::from_millis(random.u64(..350)));
            kills += replay.kill_workers();
        }
    };
    while let Some(hook) = replay.step().unwrap() {
        assert_eq!(hook.output.code, Some(0), "seed {seed}: {hook:?}");
        maybe_kill(&replay, 0.8);
    }
    replay.finish().unwrap();
    maybe_kill(&replay, 0.5);
    replay.kill_workers();
    collector.heal();
    flush(&replay);
    let got = folded(&collector, product, &replay);
    let what = format!("{product:?}, {scenario}, seed {seed}");
    assert_same(&got, expected, &what, &log(&replay));
    kills
}

fn kill_at_random(product: Product) {
    let scenarios = ["subagents", "subagents-v2", "multi-turn"];
    let expected = scenarios.map(|scenario| undisturbed(product, scenario));
    let wanted = variable("CODEX_TRACING_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let wanted = wanted.div_ceil(PRODUCTS.len());
    let mut kills = 0;
    let mut seed = 0;
    while kills < wanted {
        for (scenario, expected) in scenarios.iter().zip(&expected) {
            seed += 1;
            kills += disturbed(product, scenario, seed, expected);
        }
        assert!(
            seed < 60 + 10 * wanted as u64,
            "{kills} kills in {seed} sessions"
        );
    }
    println!("{product:?}: {kills} workers killed in {seed} sessions");
}

#[test]
fn workers_killed_at_random_moments_leave_langsmith_with_the_undisturbed_trace() {
    kill_at_random(Product::LangSmith);
}

#[test]
fn workers_killed_at_random_moments_leave_braintrust_with_the_undisturbed_trace() {
    kill_at_random(Product::Braintrust);
}
