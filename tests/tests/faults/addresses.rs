//! An address that was mistyped, and what becomes of it once it is corrected.

use std::net::TcpListener;
use std::thread::sleep;
use std::time::{Duration, Instant};

use codex_tracing_tests::{Collector, Fault, PATIENCE, Product, Replay, bundles};
use serde_json::Value;

use crate::trace::{PRODUCTS, flush, folded, log};

/// What a product's addresses are called.
fn addresses(product: Product) -> &'static [&'static str] {
    match product {
        Product::LangSmith => &["LANGSMITH_ENDPOINT"],
        Product::Braintrust => &["BRAINTRUST_APP_URL", "BRAINTRUST_API_URL"],
    }
}

/// Where nobody listens.
fn nowhere() -> String {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    format!("http://127.0.0.1:{port}")
}

/// A session that ran with the first of a product's addresses mistyped, with that address. Its worker
/// is still trying.
fn mistyped(product: Product) -> (Replay, String) {
    let bundles = bundles().unwrap();
    let wrong = nowhere();
    let mut replay = Replay::recorded("0.169.0", "exec-tool", product, &bundles, &wrong).unwrap();
    for name in addresses(product).iter().skip(1) {
        replay.unset_env(name);
    }
    for hook in replay.run().unwrap() {
        assert_eq!(hook.output.code, Some(0), "{hook:?}");
    }
    (replay, wrong)
}

fn status(replay: &Replay) -> Value {
    let output = replay.call(&["status", "--json"]).unwrap();
    serde_json::from_str(&output.stdout).unwrap()
}

/// Waits until `status` tells why the session's first destination has nothing, while the worker is
/// at its first attempt.
fn wait_for_reason(replay: &Replay) {
    let until = Instant::now() + Duration::from_secs(30);
    while status(replay)[0]["sessions"][0]["destinations"][0]["last_error"].is_null() {
        assert!(Instant::now() < until, "{}", log(replay));
        sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_session_begun_with_a_mistyped_address_is_delivered_once_it_is_corrected() {
    for product in PRODUCTS {
        for name in addresses(product) {
            let (mut replay, _) = mistyped(product);
            replay.kill_workers();
            let refused = replay.call(&["flush", "--timeout", "2s"]).unwrap();
            assert_eq!(refused.code, Some(1), "{}", refused.stdout);
            let right = Collector::start().unwrap();
            replay.set_env(name, &right.url());
            flush(&replay);
            assert!(folded(&right, product, &replay).len() >= 3, "{name}");
        }
    }
}

#[test]
fn a_flush_with_the_corrected_address_takes_over_from_the_worker_that_tries_the_mistyped_one() {
    for product in PRODUCTS {
        let (mut replay, _) = mistyped(product);
        assert_eq!(replay.workers().len(), 1);
        let right = Collector::start().unwrap();
        replay.set_env(addresses(product)[0], &right.url());
        flush(&replay);
        assert!(folded(&right, product, &replay).len() >= 3);
        assert!(replay.wait_for_workers(PATIENCE));
    }
}

#[test]
fn a_destination_that_is_no_longer_configured_is_told_so_and_waits_for_nothing() {
    for product in PRODUCTS {
        let (mut replay, wrong) = mistyped(product);
        wait_for_reason(&replay);
        replay.kill_workers();
        let refused = replay.call(&["flush", "--timeout", "2s"]).unwrap();
        assert_eq!(refused.code, Some(1), "{}", refused.stdout);
        let right = Collector::start().unwrap();
        replay.set_env(addresses(product)[0], &right.url());
        let said = replay.call(&["status"]).unwrap().stdout;
        let line = ": 0 delivered, 1 never arrived, 0 rejected; no longer configured\n";
        assert!(said.contains(line), "{said}");
        assert!(
            said.contains("0 delivered, 1 pending, 0 rejected; not reached yet\n"),
            "{said}"
        );
        flush(&replay);
        let told = status(&replay);
        let places = told[0]["sessions"][0]["destinations"].as_array().unwrap();
        let configured = |place: &&Value| place["configured"] == true;
        let (now, before): (Vec<&Value>, Vec<&Value>) = places.iter().partition(configured);
        assert_eq!((now.len(), before.len()), (1, 1), "{told}");
        assert_eq!(
            (&now[0]["delivered"], &now[0]["pending"]),
            (&1.into(), &0.into())
        );
        assert!(
            before[0]["label"]
                .as_str()
                .unwrap()
                .contains(wrong.trim_start_matches("http://"))
        );
        let doctor = replay
            .call(&["doctor", "--json", "--offline"])
            .unwrap()
            .stdout;
        assert!(!doctor.contains("delivery-failing"), "{doctor}");
        // Somebody listens there after all, and the address is back.
        let port = wrong.rsplit(':').next().unwrap().parse().unwrap();
        let there = Collector::start_on(port).unwrap();
        replay.set_env(addresses(product)[0], &wrong);
        flush(&replay);
        assert!(there.runs().all().is_empty() && there.rows().all().is_empty());
    }
}

#[test]
fn why_nothing_arrives_is_said_within_seconds_while_the_worker_goes_on_trying() {
    for product in PRODUCTS {
        let (mut replay, wrong) = mistyped(product);
        let host = wrong.trim_start_matches("http://").to_owned();
        let reason = format!("cannot connect to {host}: Connection refused");
        wait_for_reason(&replay);
        let flush_at_once = replay.call(&["flush", "--timeout", "3s"]).unwrap();
        let said = &flush_at_once.stdout;
        assert_eq!(flush_at_once.code, Some(1), "{said}");
        let line = said.lines().find(|line| line.contains(&reason));
        let goes_on = line.is_some_and(|line| line.ends_with("; a worker goes on trying"));
        assert!(goes_on, "{said}\n{}", log(&replay));
        let said = replay.call(&["status"]).unwrap().stdout;
        let is_told = said.contains("(a worker is at it)") && said.contains("; not reached yet\n");
        assert!(is_told && said.contains(&reason), "{said}");
        let said = replay.call(&["doctor", "--json", "--offline"]).unwrap();
        let is_told = said.stdout.contains("delivery-failing") && said.stdout.contains(&reason);
        assert!(is_told, "{}", said.stdout);
        // Still the worker's first attempt, which has not been cut short.
        assert_eq!(replay.workers().len(), 1);
        assert!(
            !log(&replay).contains("worker gives up"),
            "{}",
            log(&replay)
        );
        // Somebody listens there now.
        replay.kill_workers();
        for name in addresses(product) {
            replay.set_env(name, &wrong);
        }
        let there = Collector::start_on(wrong.rsplit(':').next().unwrap().parse().unwrap());
        let there = there.unwrap();
        flush(&replay);
        assert!(folded(&there, product, &replay).len() >= 3);
        let said = replay.call(&["status"]).unwrap().stdout;
        assert!(!said.contains("last error"), "{said}");
    }
}

#[test]
fn a_flush_always_says_which_session_and_destination_are_left_and_why() {
    let product = Product::LangSmith;
    let silent = Collector::start().unwrap();
    silent.inject("/", Fault::Hang);
    let bundles = bundles().unwrap();
    let mut replay =
        Replay::recorded("0.169.0", "exec-tool", product, &bundles, &silent.url()).unwrap();
    replay.run().unwrap();
    let name = silent.url().trim_start_matches("http://").to_owned();
    let id = replay.session_id().to_owned();
    let is_asked = |silent: &Collector| !silent.requests().is_empty();
    assert!(silent.wait_until(PATIENCE, is_asked), "{}", log(&replay));
    let beside = replay.call(&["flush", "--timeout", "1s"]).unwrap();
    let expected = format!(
        "langsmith: 1 turn of 1 of 1 session left\n  {id}: {name} · codex: not answered within 1s; a worker goes on trying\n"
    );
    assert_eq!((beside.code, &beside.stdout), (Some(1), &expected));
    let said = replay.call(&["status"]).unwrap().stdout;
    let expected =
        format!("    {name} · codex: 0 delivered, 1 pending, 0 rejected; not reached yet\n");
    assert!(
        said.contains(&expected) && said.contains("(a worker is at it)"),
        "{said}"
    );
    assert!(
        said.contains(&format!("    in {}\n", replay.home().join("app").display())),
        "{said}"
    );
    let other = replay
        .call(&["status", "--backend", "braintrust"])
        .unwrap()
        .stdout;
    assert!(!other.contains(&id), "{other}");
    let at_once = replay.call(&["flush", "--timeout", "0s"]).unwrap().stdout;
    assert!(
        at_once.contains(": not answered within 0s; a worker goes on trying\n"),
        "{at_once}"
    );
    replay.kill_workers();
    let alone = replay.call(&["flush", "--timeout", "15s"]).unwrap().stdout;
    assert!(
        alone.contains(&format!("  {id}: {name} · codex: {name}")),
        "{alone}"
    );
    silent.heal();
    flush(&replay);
    let said = replay.call(&["status"]).unwrap().stdout;
    assert!(
        !said.contains("worker") && said.contains(": 1 delivered, 0 pending, 0 rejected\n"),
        "{said}"
    );
}
