//! Many sessions at once and one very large session. The full sizes are `cargo xtask bench load`
//! and `cargo xtask bench memory`; these are the same at a size that every change can bear.
#![cfg(test)]
#![cfg(unix)]

use std::io::Write as _;
use std::process::{Child, Stdio};
use std::time::Duration;

use codex_tracing_tests::{
    Collector, Enlarged, Load, PATIENCE, Product, Replay, bundles, deliver_large,
};

/// The most that delivering a session of any size may hold in memory: a debug build took 75 MiB.
const MEMORY: u64 = 96 << 20;
/// The same for a small session, of which a debug build took 54 MiB.
const SMALL: u64 = 72 << 20;
/// Workers at once: one for each session, and for the one that was played before to count what it
/// consists of.
const WORKERS: u64 = 21;
/// Looks, four a second, in which a worker that leaves may be seen beside its successor.
const LEAVING: usize = 12;

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
    assert!(report.p99 < Duration::from_secs(3), "{report:?}");
    assert!(report.beside <= LEAVING, "{report:?}");
    assert!(report.own_bytes < WORKERS * SMALL, "{report:?}");
}

#[test]
fn hooks_that_run_at_the_same_moment_start_one_worker_together() {
    const HOOKS: usize = 12;
    let collector = Collector::start().unwrap();
    let mut first = Replay::recorded(
        "0.169.0",
        "exec-tool",
        Product::LangSmith,
        &bundles().unwrap(),
        &collector.url(),
    )
    .unwrap();
    first.set_env("CODEX_TRACING_LOG", "debug");
    let sessions: Vec<Replay> = (1..=4)
        .map(|number| {
            first.enlarged(Enlarged {
                number,
                turns: 1,
                output_bytes: 0,
                turns_per_context: 0,
            })
        })
        .collect();
    for session in &sessions {
        let input = session.first_input("UserPromptSubmit").to_string();
        let hooks: Vec<Child> = (0..HOOKS)
            .map(|_| {
                let mut hook = session.command(&["hook", "langsmith"]);
                hook.stdin(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        // They wait for their input, and so begin together.
        let mut begun = Vec::new();
        for mut hook in hooks {
            let mut stdin = hook.stdin.take().unwrap();
            stdin.write_all(input.as_bytes()).unwrap();
            drop(stdin);
            begun.push(hook);
        }
        for mut hook in begun {
            assert!(hook.wait().unwrap().success());
        }
    }
    let log = || {
        let log = first.plugin_data().join("codex-tracing.log");
        std::fs::read_to_string(log).unwrap_or_default()
    };
    let begins = |log: &str, session: &Replay| {
        let begins =
            |line: &&str| line.contains("worker begins") && line.contains(session.session_id());
        log.lines().filter(begins).count()
    };
    // Nobody starts another one any more: one too many is at work, or has left again.
    let settled = |_: &Collector| {
        let log = log();
        let all_began = sessions.iter().all(|session| begins(&log, session) > 0);
        all_began && first.workers().len() <= sessions.len()
    };
    collector.wait_until(PATIENCE, settled);
    let (log, workers) = (log(), first.workers());
    assert!(workers.len() <= sessions.len(), "{workers:?}\n{log}");
    for session in &sessions {
        assert_eq!(begins(&log, session), 1, "{log}");
    }
}

fn deliver_within_memory(product: Product) {
    let report = deliver_large(product, &bundles().unwrap(), 40 << 20).unwrap();
    println!("{product:?}: {report:?}");
    assert!(report.rollout_bytes > 36 << 20, "{report:?}");
    assert!(report.own_bytes < MEMORY, "{report:?}");
}

#[test]
fn a_session_of_forty_megabytes_reaches_langsmith_within_a_bounded_memory() {
    deliver_within_memory(Product::LangSmith);
}

#[test]
fn a_session_of_forty_megabytes_reaches_braintrust_within_a_bounded_memory() {
    deliver_within_memory(Product::Braintrust);
}
