//! Rollouts that nobody but an attacker writes.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::sync::Arc;

use codex_tracing_transcript::{Assembler, Tail, Verbatim};

const META: &str = r#"{"timestamp":"2026-11-20T10:00:00.000Z","type":"session_meta","payload":{"id":"01a1f885-5d62-7961-8288-2fca5debe037","timestamp":"2026-11-20T10:00:00.000Z","cwd":"/w","originator":"codex_exec","cli_version":"0.169.0"}}"#;

#[test]
fn a_line_of_100_megabytes_is_passed_over_and_the_lines_around_it_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rollout.jsonl");
    let mut file = std::fs::File::create(&path).unwrap();
    writeln!(file, "{META}").unwrap();
    // A hole: long to read, quick to write.
    file.seek(SeekFrom::Current(100 << 20)).unwrap();
    writeln!(file, "\n{{}}").unwrap();
    let mut lines = Vec::new();
    let mut tail = Tail::open(&path).unwrap();
    let progress = tail.read(&mut |_, line| lines.push(line.to_vec())).unwrap();
    assert_eq!(lines, [META.as_bytes(), b"{}"]);
    assert_eq!(progress.too_long, 1);
}

#[test]
fn json_nested_100_000_deep_is_skipped_without_exhausting_the_stack() {
    let open = "[".repeat(100_000);
    let close = "]".repeat(100_000);
    let members = "{\"a\":".repeat(100_000);
    let record = |payload: &str| {
        format!(
            "{{\"timestamp\":\"2026-11-20T10:00:01.000Z\",\"type\":\"response_item\",\
             \"payload\":{payload}}}"
        )
    };
    let in_string = serde_json::to_string(&format!("{open}{close}")).unwrap();
    let call = format!(
        "{{\"type\":\"function_call\",\"name\":\"n\",\"call_id\":\"c\",\"arguments\":{in_string}}}"
    );
    let mut assembler = Assembler::new(Arc::new(Verbatim));
    let mut offset = 0;
    for line in [
        META.to_owned(),
        open.clone(),
        members.clone(),
        record(&format!("{open}{close}")),
        record(&format!(
            "{{\"type\":\"message\",\"content\":{open}{close}}}"
        )),
        record(&members),
        record(&call),
    ] {
        assembler.push(offset, line.as_bytes());
        offset += line.len() as u64 + 1;
    }
    assembler.cut_off();
    let _ = assembler.take_turns();
    assert!(assembler.session().is_some(), "what is sound was read");
    let skipped: u64 = assembler.skipped().counts.values().sum();
    assert!(skipped >= 3, "{:?}", assembler.skipped());
}
