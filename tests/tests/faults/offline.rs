//! A backend that is down for a week.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use codex_tracing_tests::{Collector, Enlarged, Fault, PATIENCE, Product, Replay, bundles};
use serde_json::Value;

use crate::trace::{flush, folded, log};

const SESSIONS: u32 = 50;
const TURNS: u32 = 3;
/// The most that a waiting session may keep on disk.
const LIMIT: u64 = 20 * 1024;

/// What most file systems keep anything in.
const BLOCK: u64 = 4096;

/// What a folder takes on the disk, in whole blocks. Not what this file system says: some keep more
/// for a file that grows, and give it back later.
fn disk_bytes(folder: &Path) -> u64 {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .map(|bytes| bytes.next_multiple_of(BLOCK))
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
    // One that does not answer is given up after half a minute: who waited for that would not come to
    // the other one in time.
    let flushed = replay.call(&["flush", "--timeout", "15s"]).unwrap();
    assert_eq!(flushed.code, Some(1), "{}", flushed.stdout);
    assert!(
        flushed.stdout.contains("braintrust: all delivered"),
        "{}",
        flushed.stdout
    );
    assert!(flushed.took < Duration::from_secs(28), "{:?}", flushed.took);
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

/// What `flush` says to a terminal of its own, and to pipes.
#[cfg(target_os = "linux")]
#[test]
fn a_flush_shows_on_a_terminal_how_far_it_is_and_on_a_pipe_only_the_outcome() {
    let collector = Collector::start().unwrap();
    let bundles = bundles().unwrap();
    let product = Product::LangSmith;
    let first = Replay::recorded("0.169.0", "exec-tool", product, &bundles, &collector.url());
    let first = first.unwrap();
    for number in 1..=3 {
        let how = Enlarged {
            number,
            turns: 1,
            output_bytes: 0,
            turns_per_context: 0,
        };
        first.enlarged(how).run().unwrap();
        first.kill_workers();
    }
    let line = format!("{} flush", first.binary().display());
    let plain = first.command(&["flush"]);
    let mut terminal = std::process::Command::new("script");
    terminal
        .args(["-qec", &line, "/dev/null"])
        .env_clear()
        .envs(
            plain
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env("TERM", "xterm")
        .stdin(std::process::Stdio::null());
    let shown = terminal.output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("/3 sessions"), "{shown:?}");
    assert!(shown.contains("all delivered (3 sessions)"), "{shown:?}");
    let piped = first.call(&["flush"]).unwrap();
    assert_eq!(piped.stdout, "langsmith: all delivered (3 sessions)\n");
    assert_eq!(piped.stderr, "");
}

fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn status_tells_in_json_what_each_destination_has_of_each_session() {
    let collector = Collector::start().unwrap();
    let bundles = bundles().unwrap();
    let product = Product::LangSmith;
    let first = Replay::recorded("0.169.0", "exec-tool", product, &bundles, &collector.url());
    let mut first = first.unwrap();
    collector.inject("/", Fault::Status(401, None));
    first.run().unwrap();
    let failed = first.call(&["flush", "--timeout", "10m"]).unwrap();
    assert_eq!(failed.code, Some(1), "{}", failed.stdout);
    let told = |replay: &Replay| -> Value {
        let output = replay.call(&["status", "--json"]).unwrap();
        serde_json::from_str(&output.stdout).unwrap()
    };
    let status = told(&first);
    let expected = ["backend", "folder", "log", "muted", "sessions"];
    assert_eq!(keys(&status[0]), expected);
    let session = &status[0]["sessions"][0];
    let expected = [
        "session_id",
        "last_event_at",
        "last_event",
        "cwd",
        "worker",
        "journal_skipped",
        "untried",
        "destinations",
    ];
    assert_eq!(keys(session), expected);
    let place = &session["destinations"][0];
    let expected = [
        "id",
        "label",
        "configured",
        "delivered",
        "pending",
        "left_alone",
        "rejected_count",
        "rejected",
        "last_error",
        "refused",
        "acknowledged_at",
        "losses",
    ];
    assert_eq!(keys(place), expected);
    assert_eq!(
        (&place["delivered"], &place["pending"]),
        (&0.into(), &1.into())
    );
    assert_eq!(place["refused"], true);
    assert_eq!(keys(&place["last_error"]), ["at", "message"]);
    collector.heal();
    flush(&first);
    let status = told(&first);
    let place = &status[0]["sessions"][0]["destinations"][0];
    assert_eq!(
        (&place["delivered"], &place["pending"]),
        (&1.into(), &0.into())
    );
    assert_eq!(
        (&place["refused"], &place["last_error"]),
        (&false.into(), &Value::Null)
    );
}
