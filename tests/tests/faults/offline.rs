//! A backend that is down for a week.

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use codex_tracing_tests::{Collector, Enlarged, Fault, PATIENCE, Product, Replay, bundles};

use crate::trace::{flush, folded, log};

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

/// The whole session as Braintrust's plugin, beside this one, hears of it.
fn tell_braintrust(replay: &Replay) {
    let data = replay.codex_home().join("plugins/data");
    let data = data.join("trace-codex-braintrust-codex-plugins");
    std::fs::create_dir_all(&data).unwrap();
    for event in ["UserPromptSubmit", "Stop"] {
        let mut hook = replay.command(&["hook", "braintrust"]);
        hook.env("PLUGIN_DATA", &data).stdin(Stdio::piped());
        let mut hook = hook.spawn().unwrap();
        let input = replay.first_input(event).to_string();
        let mut stdin = hook.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        assert!(hook.wait().unwrap().success());
    }
}

#[test]
fn a_flush_delivers_to_one_product_while_the_other_does_not_answer() {
    let langsmith = Collector::start().unwrap();
    let braintrust = Collector::start().unwrap();
    for collector in [&langsmith, &braintrust] {
        collector.inject("/", Fault::Hang);
    }
    let bundles = bundles().unwrap();
    let (product, url) = (Product::LangSmith, langsmith.url());
    let mut replay = Replay::recorded("0.169.0", "exec-tool", product, &bundles, &url).unwrap();
    for (name, value) in Product::Braintrust.settings(&braintrust.url()) {
        replay.set_env(name, &value);
    }
    replay.run().unwrap();
    tell_braintrust(&replay);
    replay.kill_workers();
    braintrust.heal();
    let flushed = replay.call(&["flush", "--timeout", "6s"]).unwrap();
    assert_eq!(flushed.code, Some(1), "{}", flushed.stdout);
    assert!(
        flushed.stdout.contains("braintrust: all delivered"),
        "{}",
        flushed.stdout
    );
    assert!(flushed.took < Duration::from_secs(12), "{:?}", flushed.took);
    assert!(folded(&braintrust, Product::Braintrust, &replay).len() >= 3);
    assert!(langsmith.runs().all().is_empty());
}

#[test]
fn a_turn_that_runs_while_everything_is_flushed_is_followed_to_its_end() {
    let collector = Collector::start().unwrap();
    let bundles = bundles().unwrap();
    let (product, url) = (Product::LangSmith, collector.url());
    let mut replay = Replay::recorded("0.169.0", "exec-tool", product, &bundles, &url).unwrap();
    replay.set_env("CODEX_TRACING_LOG", "debug");
    while replay.step().unwrap().unwrap().event != "UserPromptSubmit" {}
    replay.kill_workers();
    flush(&replay);
    assert_eq!(replay.workers().len(), 1);
    assert!(collector.runs().all().is_empty());
    // No hook tells of the turn's end.
    replay.finish().unwrap();
    let arrived = |collector: &Collector| collector.runs().all().len() >= 3;
    let has_arrived = collector.wait_until(PATIENCE, arrived);
    assert!(has_arrived, "{}", log(&replay));
}

#[test]
fn after_a_week_without_langsmith_one_flush_delivers_every_session() {
    stay_offline(Product::LangSmith);
}

#[test]
fn after_a_week_without_braintrust_one_flush_delivers_every_session() {
    stay_offline(Product::Braintrust);
}
