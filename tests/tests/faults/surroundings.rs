//! A machine that does not play along: no room, no rights, no readers, no end of input.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Output, Stdio};

use codex_tracing_tests::{Collector, PATIENCE, Product, Replay, bundles, own_bytes};
use serde_json::Value;

use crate::kills::undisturbed;
use crate::trace::{PRODUCTS, assert_same, flush, folded, log};

const SCENARIO: &str = "multi-turn";
/// What a hook may hold in memory in a debug build, whatever it reads.
const HOOK_MEMORY: u64 = 24 << 20;

fn start(product: Product, collector: &Collector) -> Replay {
    let bundles = bundles().unwrap();
    Replay::recorded("0.169.0", SCENARIO, product, &bundles, &collector.url()).unwrap()
}

fn hook(replay: &Replay, product: Product) -> Command {
    let name = match product {
        Product::LangSmith => "langsmith",
        Product::Braintrust => "braintrust",
    };
    replay.command(&["hook", name])
}

fn spawn(mut command: Command) -> Child {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn assert_silent(output: &Output, what: &str) {
    assert_eq!(output.status.code(), Some(0), "{what}: {output:?}");
    assert!(output.stdout.is_empty(), "{what}: {output:?}");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.lines().count() <= 1, "{what}: {words}");
}

/// Plays the session with `prelude` in front of each hook up to the second `Stop`, then without.
fn play_without_room(product: Product, prelude: &str) {
    let collector = Collector::start().unwrap();
    let mut replay = start(product, &collector);
    let mut stops = 0;
    while let Some(run) = replay.step().unwrap() {
        if run.event == "SessionStart" && stops == 0 {
            // From here on; what this event alone tells would be lost, as is right.
            replay.set_prelude(prelude);
        }
        assert_eq!(run.output.code, Some(0), "{prelude}: {run:?}");
        assert_eq!(run.output.stdout, "", "{prelude}: {run:?}");
        stops += usize::from(run.event == "Stop");
        if stops == 1 && run.event == "Stop" {
            // There is room again before the turn is forgotten; its other hooks are lost.
            replay.kill_workers();
            replay.set_prelude("");
            let again = run_again(&replay, product);
            assert_silent(&again, prelude);
        }
    }
    replay.finish().unwrap();
    flush(&replay);
    let got = folded(&collector, product, &replay);
    let what = format!("{product:?}, {prelude}");
    assert_same(&got, &undisturbed(product, SCENARIO), &what, &log(&replay));
}

/// The first `Stop` once more, as if it had come a moment later.
fn run_again(replay: &Replay, product: Product) -> Output {
    let mut child = spawn(hook(replay, product));
    let input = replay.first_input("Stop").to_string();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_full_disk_disturbs_no_hook_and_the_session_arrives_once_there_is_room() {
    for product in PRODUCTS {
        // No byte may be written; then as many as make a torn journal line.
        for blocks in [0, 1] {
            play_without_room(product, &format!("trap '' XFSZ; ulimit -f {blocks}"));
        }
    }
}

#[test]
fn a_read_only_home_disturbs_no_hook() {
    for product in PRODUCTS {
        let collector = Collector::start().unwrap();
        let mut replay = start(product, &collector);
        let codex = replay.codex_home();
        fs::set_permissions(&codex, Permissions::from_mode(0o555)).unwrap();
        fs::set_permissions(replay.home(), Permissions::from_mode(0o555)).unwrap();
        // The rollouts still have to be written: by Codex, before its home became read-only.
        let outputs: Vec<Output> = ["SessionStart", "UserPromptSubmit", "Stop", "SessionEnd"]
            .iter()
            .map(|event| {
                let mut command = hook(&replay, product);
                // Whoever may write everywhere (root) still cannot write here.
                command.env("PLUGIN_DATA", "/dev/null/data");
                let mut child = spawn(command);
                let input = replay.first_input(event).to_string();
                child
                    .stdin
                    .take()
                    .unwrap()
                    .write_all(input.as_bytes())
                    .unwrap();
                child.wait_with_output().unwrap()
            })
            .collect();
        fs::set_permissions(replay.home(), Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&codex, Permissions::from_mode(0o755)).unwrap();
        for output in &outputs {
            assert_silent(output, "read-only home");
        }
        assert!(replay.workers().is_empty());
        // Nothing was lost but time: the rollout is there, and a hook that can write names the turn.
        replay.run().unwrap();
        flush(&replay);
        let got = folded(&collector, product, &replay);
        assert_same(
            &got,
            &undisturbed(product, SCENARIO),
            "read-only",
            &log(&replay),
        );
    }
}

#[test]
fn a_codex_that_closes_the_pipes_early_disturbs_no_hook() {
    for product in PRODUCTS {
        let collector = Collector::start().unwrap();
        let replay = start(product, &collector);
        let input = replay.first_input("UserPromptSubmit").to_string();
        for given in [0, 1, input.len() / 2, input.len() - 1] {
            let mut child = spawn(hook(&replay, product));
            let part = &input.as_bytes()[..given];
            child.stdin.take().unwrap().write_all(part).unwrap();
            let output = child.wait_with_output().unwrap();
            assert_silent(&output, &format!("{given} bytes of input"));
        }
        // Nobody reads what it says, not even that tracing is muted now.
        for prompt in ["hello", "langsmith-tracing:mute", "braintrust-tracing:mute"] {
            let mut child = spawn(hook(&replay, product));
            drop((child.stdout.take(), child.stderr.take()));
            let mut input = replay.first_input("UserPromptSubmit");
            input["prompt"] = Value::from(prompt);
            let bytes = input.to_string();
            child
                .stdin
                .take()
                .unwrap()
                .write_all(bytes.as_bytes())
                .unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(0), "{prompt}");
        }
    }
}

#[test]
fn a_hook_started_without_any_standard_stream_still_does_its_work() {
    for product in PRODUCTS {
        let collector = Collector::start().unwrap();
        let mut replay = start(product, &collector);
        replay.set_prelude("exec >&- 2>&-");
        for run in replay.run().unwrap() {
            assert_eq!(run.output.code, Some(0), "{run:?}");
        }
        flush(&replay);
        let got = folded(&collector, product, &replay);
        assert_same(
            &got,
            &undisturbed(product, SCENARIO),
            "closed",
            &log(&replay),
        );
    }
}

#[test]
fn a_prompt_of_fifty_megabytes_passes_a_hook_without_filling_its_memory() {
    let product = Product::LangSmith;
    let collector = Collector::start().unwrap();
    let replay = start(product, &collector);
    let mut input = replay.first_input("UserPromptSubmit");
    input["prompt"] =
        Value::from("A line of the largest prompt that anybody ever pasted.\n".repeat(1 << 20));
    let bytes = input.to_string();
    assert!(bytes.len() > 50 << 20, "{}", bytes.len());
    let (most, last) = bytes.as_bytes().split_at(bytes.len() - 1);
    let mut child = spawn(hook(&replay, product));
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(most).unwrap();
    // It has read all but what the pipe holds.
    let own = own_bytes(child.id());
    pipe.write_all(last).unwrap();
    drop(pipe);
    assert_silent(&child.wait_with_output().unwrap(), "50 MB");
    println!("{own:?} bytes");
    assert!(own.is_none_or(|own| own < HOOK_MEMORY), "{own:?}");
    let sessions = replay.plugin_data().join("sessions");
    let journal = sessions.join(replay.session_id()).join("journal.jsonl");
    assert!(journal.is_file());
}

/// The last errors that `status` tells of.
fn last_errors(replay: &Replay) -> Vec<String> {
    let status = replay.call(&["status", "--json"]).unwrap();
    let places: Value = serde_json::from_str(&status.stdout).unwrap();
    let sessions = places.as_array().unwrap().iter();
    let sessions = sessions.flat_map(|place| place["sessions"].as_array().unwrap());
    let places = sessions.flat_map(|session| session["destinations"].as_array().unwrap());
    places
        .filter_map(|place| Some(place["last_error"]["message"].as_str()?.to_owned()))
        .collect()
}

#[test]
fn a_worker_that_gets_no_secure_connection_says_why_in_status_and_log() {
    let collector = Collector::start().unwrap();
    let mut replay = start(Product::LangSmith, &collector);
    replay.set_env(
        "LANGSMITH_ENDPOINT",
        &collector.url().replace("http:", "https:"),
    );
    replay.run().unwrap();
    let told = |_: &Collector| !last_errors(&replay).is_empty();
    assert!(collector.wait_until(PATIENCE, told), "{}", log(&replay));
    assert!(
        last_errors(&replay)[0].contains("does not speak TLS"),
        "{:?}",
        last_errors(&replay)
    );
    assert!(
        log(&replay).contains("does not speak TLS"),
        "{}",
        log(&replay)
    );
}

#[test]
fn a_worker_whose_evidence_is_unreadable_says_so_in_status_and_log() {
    let collector = Collector::start().unwrap();
    let mut replay = start(Product::LangSmith, &collector);
    replay.step().unwrap();
    replay.kill_workers();
    let session = replay.session_id().to_owned();
    let journal = replay.plugin_data().join("sessions").join(&session);
    let journal = journal.join("journal.jsonl");
    fs::remove_file(&journal).unwrap();
    fs::create_dir(&journal).unwrap();
    let mut worker = replay.command(&["worker", "langsmith", "--session", &session]);
    assert!(worker.status().unwrap().success());
    assert_eq!(last_errors(&replay).len(), 1, "{}", log(&replay));
    assert!(
        last_errors(&replay)[0].contains("journal"),
        "{:?}",
        last_errors(&replay)
    );
    assert!(log(&replay).contains("worker gives up"), "{}", log(&replay));
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_holds_no_descriptor_that_its_hook_was_given() {
    let collector = Collector::start().unwrap();
    let mut replay = start(Product::LangSmith, &collector);
    // As `codex exec … 7>held` in a script whose end waits for the end of what is held.
    let held = replay.home().join("held");
    replay.set_prelude(&format!("exec 7>{0} 8<{0}", held.display()));
    replay.step().unwrap();
    let [worker] = &replay.workers()[..] else {
        panic!("{:?}", replay.workers());
    };
    let descriptors = || {
        fs::read_dir(format!("/proc/{}/fd", worker.pid))
            .unwrap()
            .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
            .collect::<Vec<_>>()
    };
    // It has begun once it has its log open.
    let has_begun = |_: &Collector| {
        let log = replay.plugin_data().join("codex-tracing.log");
        descriptors().contains(&log)
    };
    assert!(
        collector.wait_until(PATIENCE, has_begun),
        "{:?}",
        descriptors()
    );
    assert!(!descriptors().contains(&held), "{:?}", descriptors());
}
