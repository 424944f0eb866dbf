//! Many sessions at once and one very large session. The full sizes are `cargo xtask bench load`
//! and `cargo xtask bench memory`; these are the same at a size that every change can bear.
#![cfg(test)]
#![cfg(unix)]

use std::time::Duration;

use codex_tracing_tests::{Load, PATIENCE, Product, bundles, deliver_large};

/// The most that delivering a session of any size may hold in memory.
const MEMORY: u64 = 128 << 20;

#[test]
fn twenty_sessions_at_once_are_all_delivered_once_and_their_hooks_stay_short() {
    let load = Load {
        sessions: 20,
        turns: 5,
        pause: Duration::from_millis(400),
        patience: PATIENCE,
    };
    let report = load.run(&bundles().unwrap()).unwrap();
    println!("{report:?}");
    // Two cores that do many other things at once are no place for a tighter bound.
    assert!(report.p99 < Duration::from_secs(5), "{report:?}");
    assert!(report.resident_bytes < 20 * MEMORY, "{report:?}");
}

fn deliver_within_memory(product: Product) {
    let report = deliver_large(product, &bundles().unwrap(), 40 << 20).unwrap();
    println!("{product:?}: {report:?}");
    assert!(report.rollout_bytes > 36 << 20, "{report:?}");
    assert!(report.peak_bytes < MEMORY, "{report:?}");
}

#[test]
fn a_session_of_forty_megabytes_reaches_langsmith_within_a_bounded_memory() {
    deliver_within_memory(Product::LangSmith);
}

#[test]
fn a_session_of_forty_megabytes_reaches_braintrust_within_a_bounded_memory() {
    deliver_within_memory(Product::Braintrust);
}
