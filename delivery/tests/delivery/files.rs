//! Torn, foreign, hostile and newer files.

use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt, symlink};

use codex_tracing_delivery::testing::Answer;
use codex_tracing_delivery::{
    Cursor, JournalReader, Left, Spawned, StateDir, ThreadCursor, append_journal, session_status,
};
#[cfg(target_os = "linux")]
use rustix::thread::{CapabilitySet, CapabilitySets};

use crate::desk::{Desk, ROOT};

fn one_turn(desk: &Desk) {
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    rollout.end("t1", "Done.");
}

fn append(desk: &Desk, bytes: &[u8]) {
    std::fs::OpenOptions::new()
        .append(true)
        .open(desk.session.journal_file())
        .unwrap()
        .write_all(bytes)
        .unwrap();
}

#[test]
fn torn_and_foreign_journal_lines_are_skipped_and_counted() {
    let desk = Desk::new();
    desk.hook("SessionStart", None);
    append(&desk, b"not json\n\xff\xfe\n{\"v\":1}\n\n[]\n");
    append(
        &desk,
        b"{\"v\":9,\"at\":\"2026-11-20T10:00:00Z\",\"event\":\"New\",\"session_id\":\"",
    );
    append(
        &desk,
        format!("{ROOT}\",\"unheard_of\":{{}}}}\n").as_bytes(),
    );
    append(&desk, b"{\"v\":1,\"at\":\"2026-11");
    desk.hook("Stop", Some("t1"));
    let mut reader = JournalReader::new(&desk.session);
    let events: Vec<String> = reader
        .read()
        .unwrap()
        .into_iter()
        .map(|entry| entry.event)
        .collect();
    assert_eq!(events, ["SessionStart", "New", "Stop"]);
    assert_eq!(reader.skipped(), 5);
    assert!(reader.read().unwrap().is_empty());
}

#[test]
fn the_cursor_of_a_session_with_many_busy_subagents_is_not_taken_for_somebody_elses() {
    let desk = Desk::new();
    desk.session.create().unwrap();
    let asked = Spawned {
        thread_id: ROOT.to_owned(),
        turn_id: ROOT.to_owned(),
        turn_number: 7,
        turn_started_at: desk.tick(),
        parent_turn_id: Some(ROOT.to_owned()),
        call_id: Some("call_0123456789abcdefghijklmn".to_owned()),
        call: None,
        led_to: Some(ROOT.to_owned()),
    };
    let thread = ThreadCursor {
        follow_ups: vec![asked; 64],
        ..ThreadCursor::default()
    };
    let mut cursor = Cursor::default();
    for number in 0..500 {
        let id = format!("01a1f885-0000-7000-8000-{number:012}");
        cursor.threads.insert(id, thread.clone());
    }
    let bytes = serde_json::to_vec(&cursor).unwrap();
    assert!(bytes.len() > 8 << 20, "{}", bytes.len());
    std::fs::write(desk.session.cursor_file("main").unwrap(), bytes).unwrap();
    assert_eq!(Cursor::look(&desk.session, "main"), Some(cursor));
}

#[test]
fn a_half_written_journal_line_waits_for_its_rest() {
    let desk = Desk::new();
    desk.hook("SessionStart", None);
    let mut reader = JournalReader::new(&desk.session);
    assert_eq!(reader.read().unwrap().len(), 1);
    let entry = serde_json::to_string(&desk.entry("Stop", None)).unwrap();
    let (head, tail) = entry.split_at(20);
    append(&desk, head.as_bytes());
    assert!(reader.read().unwrap().is_empty());
    append(&desk, format!("{tail}\n").as_bytes());
    assert_eq!(reader.read().unwrap().len(), 1);
    assert_eq!(reader.skipped(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_corrupt_cursor_costs_a_second_sending_and_nothing_else() {
    for content in ["", "{", "[]", "{\"v\":1,\"threads\":7}", "\u{0}\u{0}"] {
        let desk = Desk::new();
        one_turn(&desk);
        desk.work().await;
        let path = desk.session.cursor_file("main").unwrap();
        std::fs::write(&path, content).unwrap();
        desk.work().await;
        desk.check(&[("t1", "completed")]);
        let cursor = Cursor::look(&desk.session, "main").unwrap();
        assert_eq!(cursor.delivered, 1, "{content:?}");
    }
}

/// A session that one destination has, and for which another one waits.
async fn backlog() -> Desk {
    let desk = Desk::with(&["main", "other"], false);
    one_turn(&desk);
    desk.store().borrow_mut().script.push_back(Answer::Stop);
    desk.work().await;
    assert_eq!(desk.delivered("other").len(), 1);
    desk.check(&[]);
    desk
}

#[tokio::test(start_paused = true)]
async fn something_else_in_the_place_of_a_cursor_makes_no_destination_one_that_joins() {
    for place in ["a long file", "a symlink"] {
        let desk = backlog().await;
        let path = desk.session.cursor_file("main").unwrap();
        std::fs::remove_file(&path).unwrap();
        if place == "a symlink" {
            symlink("/nowhere", &path).unwrap();
        } else {
            let file = std::fs::File::create(&path).unwrap();
            file.set_len((64 << 20) + 1).unwrap();
        }
        desk.work().await;
        desk.check(&[("t1", "completed")]);
        let cursor = Cursor::look(&desk.session, "main").unwrap();
        assert_eq!((cursor.delivered, cursor.left_alone), (1, 0), "{place}");
    }
}

/// A file that this thread may not read, though it be the superuser's, until dropped.
#[cfg(target_os = "linux")]
struct Unreadable(std::path::PathBuf, CapabilitySets);

#[cfg(target_os = "linux")]
impl Unreadable {
    fn make(path: &std::path::Path) -> Self {
        let had = rustix::thread::capabilities(None).unwrap();
        let mut few = had;
        few.effective -= CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH;
        rustix::thread::set_capabilities(None, few).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o000)).unwrap();
        Self(path.to_owned(), had)
    }
}

#[cfg(target_os = "linux")]
impl Drop for Unreadable {
    fn drop(&mut self) {
        std::fs::set_permissions(&self.0, PermissionsExt::from_mode(0o600)).unwrap();
        rustix::thread::set_capabilities(None, self.1).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(start_paused = true)]
async fn a_cursor_that_cannot_be_read_now_is_left_as_it_is_and_its_turns_wait() {
    let desk = backlog().await;
    let path = desk.session.cursor_file("main").unwrap();
    let before = std::fs::read(&path).unwrap();
    let unreadable = Unreadable::make(&path);
    assert_eq!(desk.work().await, Left::GaveUp);
    assert!(!desk.flush(5, None).await.complete);
    let status = session_status(&desk.session);
    let mut places = status.destinations.iter();
    let place = places.find(|place| place.id == "main").unwrap();
    assert_eq!(place.pending, 1);
    let message = &place.last_error.as_ref().unwrap().message;
    assert!(message.contains("cannot read"), "{message}");
    drop(unreadable);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    desk.work().await;
    desk.check(&[("t1", "completed")]);
    let arrivals = &desk.stores.of("other").borrow().arrivals.clone();
    assert!(arrivals.values().all(|n| *n == 1));
}

#[tokio::test(start_paused = true)]
async fn a_cursor_of_a_newer_version_is_read_and_left_as_it_is() {
    let desk = Desk::new();
    one_turn(&desk);
    desk.work().await;
    let path = desk.session.cursor_file("main").unwrap();
    let mut newer: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    newer["v"] = 2.into();
    newer["losses"] = "a new shape".into();
    newer["unheard_of"] = 1.into();
    std::fs::write(&path, newer.to_string()).unwrap();
    desk.work().await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), newer.to_string());
    assert_eq!(desk.store().borrow().arrivals[&format!("{ROOT}/t1")], 1);
    assert_eq!(session_status(&desk.session).destinations[0].delivered, 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_crash_left_in_the_cursor_folder_is_removed() {
    let desk = Desk::new();
    one_turn(&desk);
    let folder = desk.session.path().to_owned();
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("cursor-main.json.tmp-7-00000000"), "half").unwrap();
    desk.work().await;
    let names: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("cursor"))
        .collect();
    assert_eq!(names, ["cursor-main.json"]);
}

#[test]
fn session_ids_that_could_leave_the_folder_are_refused() {
    let state = StateDir::at("/nowhere");
    for id in ["", ".", "..", "a/b", "a..b", ".hidden", "a\0b", "ä", "a b"] {
        assert!(state.session(id).is_err(), "{id:?}");
    }
    assert!(state.session(&"a".repeat(129)).is_err());
    assert!(state.session(ROOT).is_ok());
    assert!(state.session("A_b.C-9").is_ok());
}

#[test]
fn symlinks_in_the_state_folder_are_refused() {
    let desk = Desk::new();
    let outside = desk.codex_home();
    std::fs::create_dir_all(&outside).unwrap();
    let victim = outside.join("victim");
    std::fs::write(&victim, "mine").unwrap();
    desk.session.create().unwrap();
    symlink(&victim, desk.session.journal_file()).unwrap();
    assert!(append_journal(&desk.session, &desk.entry("Stop", None)).is_err());
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "mine");

    std::fs::remove_dir_all(desk.state.sessions_dir()).unwrap();
    symlink(&outside, desk.state.sessions_dir()).unwrap();
    assert!(append_journal(&desk.session, &desk.entry("Stop", None)).is_err());
    assert!(!outside.join(ROOT).exists());
}

#[tokio::test(start_paused = true)]
async fn everything_is_private_and_holds_no_content() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    rollout.say("PLANTED").end("t1", "PLANTED");
    desk.work().await;
    let mut folders = vec![desk.state.root().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            files += 1;
            let mode = entry.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", entry.path().display());
            let text = String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned();
            for planted in ["PLANTED", "careful engineer", "Do it."] {
                assert!(!text.contains(planted), "{}", entry.path().display());
            }
        }
    }
    assert_eq!(files, 3);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_bytes_at_all_in_journal_and_cursor_are_survived(
        journal in proptest::collection::vec(proptest::num::u8::ANY, 0..400),
        cursor in proptest::collection::vec(proptest::num::u8::ANY, 0..400),
        cut in 0..600_usize,
    ) {
        let desk = Desk::new();
        let entry = desk.hook("UserPromptSubmit", Some("t1"));
        append(&desk, &journal);
        append(&desk, b"\n");
        append_journal(&desk.session, &entry).unwrap();
        let path = desk.session.cursor_file("main").unwrap();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        // A real one, cut somewhere and with noise behind it, is the nastier case.
        let mut bytes = serde_json::to_vec(&Cursor::default()).unwrap();
        bytes.truncate(cut);
        bytes.extend(&cursor);
        std::fs::write(&path, &bytes).unwrap();
        let entries = JournalReader::new(&desk.session).read().unwrap();
        proptest::prop_assert!(entries.len() >= 2);
        proptest::prop_assert_eq!(entries.last(), Some(&entry));
        let status = session_status(&desk.session);
        proptest::prop_assert!(status.destinations.len() <= 1);
    }
}
