//! A backend that is down for a week.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use codex_tracing_tests::{Collector, Enlarged, Product, Replay, bundles};

use crate::trace::{flush, folded};

const SESSIONS: u32 = 50;
const TURNS: u32 = 3;
/// The most that a waiting session may keep on disk.
const LIMIT: u64 = 20 * 1024;

/// What a folder takes on the disk, as `du` would say.
fn disk_bytes(folder: &Path) -> u64 {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap().metadata().unwrap().blocks() * 512)
        .sum()
}

/// Every file of a folder with its size, for messages.
fn listing(folder: &Path) -> String {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .map(|entry| {
            let bytes = entry.metadata().map(|data| data.len()).unwrap_or_default();
            entry.path().display().to_string() + " " + &bytes.to_string() + "\n"
        })
        .collect()
}

fn stay_offline(product: Product) {
    let collector = Collector::start().unwrap();
    let (url, port) = (collector.url(), collector.port());
    let bundles = bundles().unwrap();
    let first = Replay::recorded("0.169.0", "exec-tool", product, &bundles, &url).unwrap();
    let session = |number| {
        first.enlarged(Enlarged {
            number,
            turns: TURNS,
            output_bytes: 0,
            turns_per_context: 0,
        })
    };
    session(0).run().unwrap();
    flush(&first);
    let each = folded(&collector, product, &first).len();
    assert!(each >= 3 * TURNS as usize, "{each}");
    drop(collector);

    let mut pending = Vec::new();
    for number in 1..=SESSIONS {
        let mut session = session(number);
        for hook in session.run().unwrap() {
            assert_eq!(hook.output.code, Some(0), "{hook:?}");
        }
        // Every evening the machine is switched off.
        if number % 10 == 0 {
            first.kill_workers();
        }
        pending.push(session);
    }
    let refused = first.call(&["flush", "--timeout", "1s"]).unwrap();
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    let used = disk_bytes(&first.plugin_data());
    println!(
        "{product:?}: {} bytes of disk a session",
        used / u64::from(SESSIONS)
    );
    assert!(
        used <= LIMIT * u64::from(SESSIONS),
        "{used}:\n{}",
        listing(&first.plugin_data())
    );

    let collector = Collector::start_on(port).unwrap();
    flush(&first);
    let all = folded(&collector, product, &first);
    assert_eq!(all.len(), each * SESSIONS as usize);
}

#[test]
fn after_a_week_without_langsmith_one_flush_delivers_every_session() {
    stay_offline(Product::LangSmith);
}

#[test]
fn after_a_week_without_braintrust_one_flush_delivers_every_session() {
    stay_offline(Product::Braintrust);
}
