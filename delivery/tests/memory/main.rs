//! A session far larger than memory allows passes through in portions. In a process of its own,
//! because it looks at the peak of this one.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../delivery/desk.rs"]
#[expect(dead_code, reason = "made for many tests, used by one here")]
mod desk;

use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;

use codex_tracing_delivery::testing::Answer;
use codex_tracing_delivery::{Left, session_status};
use desk::{Desk, ROOT};
use tokio::sync::Mutex;

/// Compacted now and then, as real sessions are: what is in front of the model is bounded.
const TURNS: usize = 2650;
const TURNS_PER_CONTEXT: usize = 25;
const OUTPUT: usize = 40 * 1024;
const OUTPUTS: usize = 2;

/// The peak is the process's: one test at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

#[tokio::test(start_paused = true)]
async fn a_session_of_two_hundred_megabytes_is_delivered_within_a_small_memory() {
    let _alone = ALONE.lock().await;
    for compressed in [false, true] {
        let (before, peak) = peak_of_a_delivery(compressed).await;
        println!("peak {peak} MiB (before: {before} MiB), compressed: {compressed}");
        assert!(peak < 128, "{peak} MiB");
    }
}

/// Subagents, each with turns of eight megabytes in all.
const SUBAGENTS: usize = 30;
const ANSWERS: usize = 20;
const ANSWER: usize = 200 << 10;

#[tokio::test(start_paused = true)]
async fn a_backlog_of_many_subagents_waits_within_a_small_memory_while_the_destination_is_down() {
    let _alone = ALONE.lock().await;
    let desk = Desk::within(tempfile::tempdir().unwrap(), &["main"], false);
    desk.store().borrow_mut().otherwise = Some(Answer::Down(None));
    let root = desk.rollout(ROOT);
    root.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    let answer = "x".repeat(ANSWER);
    for number in 0..SUBAGENTS {
        let id = format!("01a1f885-0000-7000-8000-0000000001{number:02}");
        root.spawn(&format!("call-{number}"), &id);
        let child = desk.rollout(&id);
        for turn in 0..ANSWERS {
            let turn = format!("turn-{number}-{turn}");
            child.begin(&turn).say(&answer).end(&turn, &answer);
        }
    }
    root.end("t1", "Done.");
    let before = peak_mebibytes();
    assert_eq!(desk.work().await, Left::GaveUp);
    let peak = peak_mebibytes();
    println!("peak {peak} MiB (before: {before} MiB)");
    assert!(peak < 128, "{peak} MiB");
    let status = session_status(&desk.session);
    assert!(status.destinations[0].pending > 0);
}

async fn peak_of_a_delivery(compressed: bool) -> (u64, u64) {
    let desk = Desk::within(tempfile::tempdir().unwrap(), &["main"], false);
    let rollout = desk.rollout(ROOT);
    for number in 0..TURNS {
        rollout.raw(&turn(number));
        // Each turn is named, so that each is delivered.
        desk.hook("UserPromptSubmit", Some(&format!("turn-{number}")));
    }
    let size = std::fs::metadata(&rollout.path).unwrap().len() >> 20;
    assert!(size > 200, "{size} MiB");
    if compressed {
        compress(&rollout.path);
    }
    let before = peak_mebibytes();
    desk.work().await;
    assert_eq!(desk.delivered("main").len(), TURNS);
    (before, peak_mebibytes())
}

/// Puts a compressed file in the place of a plain one, as Codex does with old sessions.
fn compress(path: &Path) {
    let plain = File::open(path).unwrap();
    let packed = File::create(path.with_extension("jsonl.zst")).unwrap();
    zstd::stream::copy_encode(plain, packed, 3).unwrap();
    std::fs::remove_file(path).unwrap();
}

fn turn(number: usize) -> String {
    let mut text = String::new();
    let mut line = |kind: &str, payload: &str| {
        let second = number * 10;
        let (hours, minutes) = (second / 3600, second / 60 % 60);
        let at = format!(
            "2026-11-20T{:02}:{minutes:02}:{:02}Z",
            10 + hours,
            second % 60
        );
        writeln!(
            text,
            r#"{{"timestamp":"{at}","type":"{kind}","payload":{payload}}}"#
        )
        .unwrap();
    };
    let id = format!("turn-{number}");
    line(
        "event_msg",
        &format!(r#"{{"type":"task_started","turn_id":"{id}"}}"#),
    );
    for call in 0..OUTPUTS {
        let call_id = format!("call-{number}-{call}");
        let output = "x".repeat(OUTPUT);
        line(
            "response_item",
            &format!(
                r#"{{"type":"function_call","name":"exec_command","arguments":"{{}}","call_id":"{call_id}"}}"#
            ),
        );
        line(
            "response_item",
            &format!(
                r#"{{"type":"function_call_output","call_id":"{call_id}","output":"{output}"}}"#
            ),
        );
    }
    if number % TURNS_PER_CONTEXT == TURNS_PER_CONTEXT - 1 {
        line(
            "compacted",
            r#"{"message":"Short.","replacement_history":[]}"#,
        );
    }
    line(
        "event_msg",
        &format!(r#"{{"type":"task_complete","turn_id":"{id}","last_agent_message":"Done."}}"#),
    );
    text
}

fn peak_mebibytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        >> 10
}
