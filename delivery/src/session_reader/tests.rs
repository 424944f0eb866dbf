use std::fmt::Write as _;

use codex_tracing_transcript::Verbatim;

use super::*;

const ROOT: &str = "01a1f885-0000-7000-8000-000000000001";

/// A rollout of so many turns with an output of a mebibyte each.
fn rollout(folder: &Path, thread: &str, turns: usize) -> ThreadStart {
    let at = "2026-11-20T10:00:00Z";
    let mut text = format!(
        r#"{{"timestamp":"{at}","type":"session_meta","payload":{{"id":"{thread}","timestamp":"{at}"}}}}"#
    );
    let output = "x".repeat(1 << 20);
    for turn in 0..turns {
        for (kind, payload) in [
            (
                "event_msg",
                format!(r#"{{"type":"task_started","turn_id":"{turn}"}}"#),
            ),
            (
                "response_item",
                format!(
                    r#"{{"type":"function_call_output","call_id":"{turn}","output":"{output}"}}"#
                ),
            ),
            (
                "event_msg",
                format!(r#"{{"type":"task_complete","turn_id":"{turn}"}}"#),
            ),
        ] {
            write!(
                text,
                "\n{{\"timestamp\":\"{at}\",\"type\":\"{kind}\",\"payload\":{payload}}}"
            )
            .unwrap();
        }
    }
    let path = folder.join(format!("rollout-x-{thread}.jsonl"));
    std::fs::write(&path, text + "\n").unwrap();
    ThreadStart {
        path: Some(path),
        ..ThreadStart::default()
    }
}

fn spawned() -> Spawned {
    Spawned {
        thread_id: ROOT.to_owned(),
        turn_id: "0".to_owned(),
        turn_number: 1,
        turn_started_at: Timestamp::UNIX_EPOCH,
        parent_turn_id: None,
        call_id: None,
        call: None,
        led_to: None,
    }
}

#[test]
fn as_long_as_nobody_takes_turns_a_bounded_amount_is_read_of_however_many_threads() {
    let dir = tempfile::tempdir().unwrap();
    let mut reader = SessionReader::new(dir.path().to_owned(), Arc::new(Verbatim), ROOT.to_owned());
    reader.read_anywhere();
    reader.add(ROOT, rollout(dir.path(), ROOT, 0), None);
    for number in 2..9 {
        let thread = format!("01a1f885-0000-7000-8000-00000000000{number}");
        let start = rollout(dir.path(), &thread, 10);
        reader.add(&thread, start, Some(spawned()));
    }
    for _ in 0..20 {
        assert!(reader.poll().more);
    }
    // The bound, and what the thread that passes it takes at once.
    let mut turns = 0;
    while reader.next_turn().is_some() {
        turns += 1;
    }
    assert!((7..=24).contains(&turns), "{turns}");
    while reader.poll().more {
        while reader.next_turn().is_some() {
            turns += 1;
        }
    }
    while reader.next_turn().is_some() {
        turns += 1;
    }
    assert_eq!(turns, 70);
}
