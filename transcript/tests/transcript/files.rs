//! Files: growing, moved, compressed, replaced.

use std::fs;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use codex_tracing_transcript::{Tail, is_session_file, locate, locate_beginning, locate_in};

fn lines(tail: &mut Tail) -> Vec<(u64, String)> {
    let mut seen = Vec::new();
    tail.read(&mut |offset, line| seen.push((offset, String::from_utf8_lossy(line).into_owned())))
        .unwrap();
    seen
}

fn append(path: &Path, text: &str) {
    let mut file = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_half_written_line_waits_for_its_rest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rollout.jsonl");
    append(&path, "one\ntw");
    let mut tail = Tail::open(&path).unwrap();
    assert_eq!(lines(&mut tail), [(0, "one".to_owned())]);
    assert_eq!(tail.offset(), 4);
    append(&path, "o\nthree\n");
    let expected = vec![(4, "two".to_owned()), (8, "three".to_owned())];
    assert_eq!(lines(&mut tail), expected);
    assert_eq!(lines(&mut tail), []);
}

#[test]
fn an_offset_is_trusted_in_the_same_file_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rollout.jsonl");
    append(&path, "head\nbody\n");
    let identity = {
        let mut tail = Tail::open(&path).unwrap();
        lines(&mut tail);
        tail.identity().unwrap()
    };
    let moved = folder.path().join("moved.jsonl");
    fs::rename(&path, &moved).unwrap();
    append(&moved, "tail\n");
    let mut tail = Tail::resume(&moved, &identity, 10).unwrap();
    assert_eq!(lines(&mut tail), [(10, "tail".to_owned())]);
    assert_eq!(Tail::resume(&moved, &identity, 99).unwrap().offset(), 0);

    fs::write(&moved, "other head, as after a migration\nbody\ntail\n").unwrap();
    assert_eq!(Tail::resume(&moved, &identity, 10).unwrap().offset(), 0);
    let offsets: Vec<u64> = lines(&mut tail).iter().map(|(offset, _)| *offset).collect();
    assert_eq!(offsets, [0, 33, 38]);
}

#[test]
fn a_truncated_file_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rollout.jsonl");
    append(&path, "head\nbody\n");
    let mut tail = Tail::open(&path).unwrap();
    lines(&mut tail);
    fs::write(&path, "head\n").unwrap();
    assert_eq!(lines(&mut tail), [(0, "head".to_owned())]);
}

#[test]
fn a_compressed_rollout_reads_like_a_plain_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rollout.jsonl.zst");
    let packed = zstd::encode_all(&b"head\nbody\nhalf"[..], 3).unwrap();
    fs::write(&path, &packed).unwrap();
    let mut tail = Tail::open(&path).unwrap();
    let expected = vec![(0, "head".to_owned()), (5, "body".to_owned())];
    assert_eq!(lines(&mut tail), expected);
    let identity = tail.identity().unwrap();
    let mut resumed = Tail::resume(&path, &identity, 5).unwrap();
    assert_eq!(lines(&mut resumed), [(5, "body".to_owned())]);
    // Cut short in the middle of a frame: what is whole is read, the rest waits.
    fs::write(&path, &packed[..packed.len() - 3]).unwrap();
    let mut cut = Tail::open(&path).unwrap();
    assert!(lines(&mut cut).len() <= 2);
}

const THREAD: &str = "01a1f885-5d62-7961-8288-2fca5debe037";

#[test]
fn a_thread_is_found_live_before_archived_and_plain_before_compressed() {
    let home = tempfile::tempdir().unwrap();
    let archive = home.path().join("archived_sessions");
    let day = home.path().join("sessions/2026/11/20");
    fs::create_dir_all(&archive).unwrap();
    fs::create_dir_all(&day).unwrap();
    let name = format!("rollout-2026-11-20T10-34-12-{THREAD}.jsonl");
    let packed = format!("{name}.zst");
    assert_eq!(locate(home.path(), THREAD), None);
    for path in [
        archive.join(&packed),
        archive.join(&name),
        day.join(&packed),
        day.join(&name),
    ] {
        fs::write(&path, "").unwrap();
        assert_eq!(locate(home.path(), THREAD).as_ref(), Some(&path));
    }
}

#[test]
fn threads_are_found_by_the_beginning_of_their_id() {
    let home = tempfile::tempdir().unwrap();
    let archive = home.path().join("archived_sessions");
    let day = home.path().join("sessions/2026/11/20");
    fs::create_dir_all(&archive).unwrap();
    fs::create_dir_all(&day).unwrap();
    let rollout = |folder: &Path, id: &str, kind: &str| {
        let path = folder.join(format!("rollout-2026-11-20T10-34-12-{id}{kind}"));
        fs::write(&path, "").unwrap();
        path
    };
    let first = rollout(&day, "01a1f886-9af4", ".jsonl");
    rollout(&day, "01a1f886-9af4", ".jsonl.zst");
    rollout(&archive, "01a1f886-9af4", ".jsonl");
    let second = rollout(&archive, "01a1f886-aaaa", ".jsonl.zst");
    rollout(&day, "01a1f887-9af4", ".jsonl");
    fs::write(day.join("rollout-x.jsonl"), "").unwrap();
    let found = locate_beginning(home.path(), "01a1f886");
    let paths: Vec<_> = found.into_values().collect();
    assert_eq!(paths, [first, second]);
    assert_eq!(locate_beginning(home.path(), "01a1f886-9af4").len(), 1);
    assert_eq!(locate_beginning(home.path(), "9af4").len(), 0);
}

#[test]
fn odd_ids_find_nothing() {
    let home = tempfile::tempdir().unwrap();
    let day = home.path().join("sessions/2026/11/20");
    fs::create_dir_all(&day).unwrap();
    fs::write(day.join(format!("rollout-x-{THREAD}.jsonl")), "").unwrap();
    for id in ["", "..", "../../etc/passwd", "a/b", "2fca5debe037\0", "x*"] {
        assert_eq!(locate(home.path(), id), None, "{id:?}");
        assert_eq!(locate_in(&day, id), None, "{id:?}");
    }
    assert!(locate(home.path(), THREAD).is_some());
    assert_eq!(locate_in(&day, THREAD), locate(home.path(), THREAD));
    assert_eq!(locate_in(home.path(), THREAD), None);
}

#[test]
fn only_files_inside_the_session_folders_are_session_files() {
    let home = tempfile::tempdir().unwrap();
    let day = home.path().join("sessions/2026");
    fs::create_dir_all(&day).unwrap();
    let inside = day.join("rollout.jsonl");
    let outside = home.path().join("auth.json");
    fs::write(&inside, "").unwrap();
    fs::write(&outside, "").unwrap();
    assert!(is_session_file(home.path(), &inside));
    assert!(!is_session_file(home.path(), &outside));
    assert!(!is_session_file(home.path(), &day.join("../../auth.json")));
    assert!(!is_session_file(home.path(), &day.join("missing.jsonl")));
    #[cfg(unix)]
    {
        let link = day.join("link.jsonl");
        std::os::unix::fs::symlink(&outside, &link).unwrap();
        assert!(!is_session_file(home.path(), &link));
    }
}

#[test]
fn reading_that_is_stopped_goes_on_at_the_line_it_stopped_at_and_reads_no_further_than_it_must() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("{}\n", "x".repeat(999)).repeat(4000);
    let plain = dir.path().join("rollout.jsonl");
    fs::write(&plain, &text).unwrap();
    let compressed = dir.path().join("rollout.jsonl.zst");
    fs::write(&compressed, zstd::encode_all(text.as_bytes(), 1).unwrap()).unwrap();
    for path in [plain, compressed] {
        let mut tail = Tail::open(&path).unwrap();
        let mut offsets = Vec::new();
        let mut calls = 0;
        loop {
            let begun = tail.offset();
            let mut taken = 0;
            let progress = tail
                .read_while(&mut |offset, line| {
                    calls += 1;
                    assert_eq!(line.len(), 999);
                    if taken == 37 {
                        return ControlFlow::Break(());
                    }
                    taken += 1;
                    offsets.push(offset);
                    ControlFlow::Continue(())
                })
                .unwrap();
            assert_eq!(progress.bytes, taken * 1000);
            assert_eq!(tail.offset(), begun + taken * 1000);
            if !progress.stopped {
                break;
            }
        }
        let expected: Vec<u64> = (0..4000).map(|number| number * 1000).collect();
        assert_eq!(offsets, expected);
        // Each stop sees one line that it does not take, not all that follow.
        assert_eq!(calls, 4000 + 4000 / 37);
    }
}

/// Lines that do not compress, so that a compressed file is about as long as its text.
fn noise(lines: u32) -> String {
    let mut state: u32 = 1;
    let mut word = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        format!("{state:08x}")
    };
    let mut line = |number| {
        format!(
            "{number} {}\n",
            (0..250).map(|_| word()).collect::<String>()
        )
    };
    (0..lines).map(&mut line).collect()
}

/// Takes so many lines; gives their numbers.
fn portion(tail: &mut Tail, lines: usize) -> Vec<u32> {
    let mut numbers = Vec::new();
    tail.read_while(&mut |_, line| {
        if numbers.len() == lines {
            return ControlFlow::Break(());
        }
        let text = String::from_utf8_lossy(line);
        numbers.push(text.split_once(' ').unwrap().0.parse().unwrap());
        ControlFlow::Continue(())
    })
    .unwrap();
    numbers
}

/// Makes everything but the end of a file unreadable, unseen by whoever looks at size and time.
fn spoil_beginning(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let changed = fs::metadata(path).unwrap().modified().unwrap();
    let half = bytes.len() / 2;
    bytes[..half].fill(0);
    let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all(&bytes).unwrap();
    file.set_times(fs::FileTimes::new().set_modified(changed))
        .unwrap();
}

#[test]
fn what_was_read_of_a_compressed_rollout_is_not_decompressed_again_for_the_next_portion() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rollout.jsonl.zst");
    fs::write(&path, zstd::encode_all(noise(3000).as_bytes(), 1).unwrap()).unwrap();
    let mut tail = Tail::open(&path).unwrap();
    assert_eq!(portion(&mut tail, 2000), (0..2000).collect::<Vec<_>>());
    let (identity, offset) = (tail.identity().unwrap(), tail.offset());
    let mut resumed = Tail::resume(&path, &identity, offset).unwrap();
    spoil_beginning(&path);
    for tail in [&mut tail, &mut resumed] {
        assert_eq!(portion(tail, 37), (2000..2037).collect::<Vec<_>>());
        assert_eq!(portion(tail, 1000), (2037..3000).collect::<Vec<_>>());
    }
}

#[test]
fn a_compressed_rollout_that_changes_between_two_portions_is_opened_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rollout.jsonl.zst");
    let put = |text: &str| fs::write(&path, zstd::encode_all(text.as_bytes(), 1).unwrap()).unwrap();
    let text = noise(40);
    put(&text);
    let mut tail = Tail::open(&path).unwrap();
    assert_eq!(portion(&mut tail, 10), (0..10).collect::<Vec<_>>());
    put(&format!("{text}40 more\n"));
    assert_eq!(portion(&mut tail, 20), (10..30).collect::<Vec<_>>());
    put("7 of another session\n");
    assert_eq!(portion(&mut tail, 20), [7]);
}

#[test]
fn a_compressed_rollout_that_ends_before_what_was_read_of_it_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rollout.jsonl.zst");
    let packed = zstd::encode_all(noise(400).as_bytes(), 1).unwrap();
    fs::write(&path, &packed).unwrap();
    let mut tail = Tail::open(&path).unwrap();
    assert_eq!(portion(&mut tail, 500).len(), 400);
    fs::write(&path, &packed[..packed.len() / 2]).unwrap();
    let numbers = portion(&mut tail, 500);
    assert!(numbers.len() < 400 && numbers[..2] == [0, 1]);
}

#[test]
fn lines_before_a_broken_place_come_once_however_often_it_is_tried() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rollout.jsonl.zst");
    let mut packed = zstd::encode_all(noise(400).as_bytes(), 1).unwrap();
    packed.extend_from_slice(b"this is no frame of a compressed file");
    fs::write(&path, packed).unwrap();
    let mut tail = Tail::open(&path).unwrap();
    let mut seen = 0;
    for _ in 0..3 {
        tail.read(&mut |_, _| seen += 1).unwrap_err();
    }
    assert_eq!(seen, 400);
}
