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

use desk::{Desk, ROOT};

/// Compacted now and then, as real sessions are: what is in front of the model is bounded.
const TURNS: usize = 2650;
const TURNS_PER_CONTEXT: usize = 25;
const OUTPUT: usize = 40 * 1024;
const OUTPUTS: usize = 2;

#[tokio::test(start_paused = true)]
async fn a_session_of_two_hundred_megabytes_is_delivered_within_a_small_memory() {
    for compressed in [false, true] {
        let (before, peak) = peak_of_a_delivery(compressed).await;
        println!("peak {peak} MiB (before: {before} MiB), compressed: {compressed}");
        assert!(peak < 128, "{peak} MiB");
    }
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
