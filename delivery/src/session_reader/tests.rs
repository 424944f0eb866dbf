use std::fmt::Write as _;
use std::io::Write as _;
use std::rc::Rc;
use std::time::Duration;

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

fn reader(folder: &Path) -> SessionReader {
    let mut reader = SessionReader::new(folder.to_owned(), Arc::new(Verbatim), ROOT.to_owned());
    reader.read_anywhere();
    reader
}

fn begin(path: &Path, turn: &str) {
    let mut file = std::fs::File::options().append(true).open(path).unwrap();
    let at = "2026-11-20T10:00:01Z";
    writeln!(
        file,
        r#"{{"timestamp":"{at}","type":"event_msg","payload":{{"type":"task_started","turn_id":"{turn}"}}}}"#
    )
    .unwrap();
}

#[test]
fn a_running_turn_is_put_together_anew_only_when_its_own_thread_has_grown() {
    let dir = tempfile::tempdir().unwrap();
    let mut reader = reader(dir.path());
    let paths = [ROOT, "01a1f885-0000-7000-8000-000000000002"].map(|thread| {
        let start = rollout(dir.path(), thread, 0);
        let path = start.path.clone().unwrap();
        begin(&path, "t1");
        reader.add(thread, start, (thread != ROOT).then(spawned));
        path
    });
    reader.poll();
    let first = reader.open_turns();
    assert!(first.len() == 2 && first.iter().all(|open| open.has_changed));
    begin(&paths[1], "t2");
    reader.poll();
    let second = reader.open_turns();
    assert!(!second[0].has_changed && Rc::ptr_eq(&second[0].turn, &first[0].turn));
    assert!(second[1].has_changed);
    assert_eq!(second[1].turn.id, "t2");
}

#[test]
fn as_long_as_nobody_takes_turns_a_bounded_amount_is_read_of_however_many_threads() {
    let dir = tempfile::tempdir().unwrap();
    let mut reader = reader(dir.path());
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

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_tried_ever_more_rarely_and_read_when_it_can_be() {
    let dir = tempfile::tempdir().unwrap();
    let mut reader = reader(dir.path());
    let plain = rollout(dir.path(), ROOT, 1).path.unwrap();
    let path = plain.with_extension("jsonl.zst");
    std::fs::write(&path, "this is no compressed file").unwrap();
    let start = ThreadStart {
        path: Some(path.clone()),
        ..ThreadStart::default()
    };
    reader.add(ROOT, start, None);
    let begun = Instant::now();
    assert_eq!(reader.poll(), Growth::default());
    std::fs::write(
        &path,
        zstd::encode_all(&std::fs::read(plain).unwrap()[..], 1).unwrap(),
    )
    .unwrap();
    while !reader.poll().grew {
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    assert_eq!(begun.elapsed(), Duration::from_millis(500));
    assert!(reader.next_turn().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_place_that_cannot_be_read_is_tried_again_though_the_file_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut reader = reader(dir.path());
    let plain = rollout(dir.path(), ROOT, 1).path.unwrap();
    let path = plain.with_extension("jsonl.zst");
    let mut packed = zstd::encode_all(&std::fs::read(plain).unwrap()[..], 1).unwrap();
    packed.extend_from_slice(b"this is no frame of a compressed file");
    std::fs::write(&path, packed).unwrap();
    let start = ThreadStart {
        path: Some(path),
        ..ThreadStart::default()
    };
    reader.add(ROOT, start, None);
    for _ in 0..200 {
        reader.poll();
        while reader.next_turn().is_some() {}
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    let rest = reader.unread().next().expect("it is tried again");
    assert!(rest.pause >= Duration::from_secs(4), "{rest:?}");
    assert!(!reader.has_more());
}

#[test]
fn turns_of_a_file_that_takes_the_place_of_another_are_numbered_from_one_however_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut reader = reader(dir.path());
    let start = rollout(dir.path(), ROOT, 2);
    let path = start.path.clone().unwrap();
    reader.add(ROOT, start, None);
    reader.poll();
    while reader.next_turn().is_some() {}
    let other = rollout(dir.path(), ROOT, 1).path.unwrap();
    let text = std::fs::read_to_string(other).unwrap();
    let text = text.replace(":00Z", ":30Z").replace(r#""0""#, r#""new""#);
    for written in [10, text.len()] {
        std::fs::write(&path, &text[..written]).unwrap();
        reader.poll();
    }
    let turn = reader.next_turn().unwrap();
    assert_eq!((turn.number, turn.id.as_str()), (1, "new"));
    assert!(reader.next_turn().is_none());
}
