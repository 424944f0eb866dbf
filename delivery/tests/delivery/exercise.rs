//! Any bytes in every file of ours: no panic, and what cannot be understood is the safe thing.
//!
//! Shared by the fuzz target and the bounded test.

use std::path::Path;

use codex_tracing_delivery::{
    Cursor, Facts, FactsStore, JournalReader, StateDir, evidence_of, session_status, status,
};
use codex_tracing_redact::MuteState;
use jiff::Timestamp;

/// The session and the destination whose files are looked at.
pub(crate) const SESSION: &str = "01a1f885-5d62-7961-8288-2fca5debe037";
const DESTINATION: &str = "d-1";

/// Puts `bytes` into every file of a session below `root` and reads all of them.
pub(crate) fn exercise(root: &Path, bytes: &[u8]) {
    let state = StateDir::at(root.join("state"));
    let session = state.session(SESSION).unwrap();
    state.create("langsmith").unwrap();
    session.create().unwrap();
    std::fs::create_dir_all(state.facts_dir()).unwrap();
    let cursor = session.cursor_file(DESTINATION).unwrap();
    let facts = state.facts_dir().join(format!("{DESTINATION}.json"));
    for file in [&session.journal_file(), &cursor, &facts, &state.mute_file()] {
        std::fs::write(file, bytes).unwrap();
    }
    session.keep_settings(bytes).unwrap();

    let mut journal = JournalReader::new(&session);
    let entries = journal.read().unwrap();
    let lines = bytes.split(|byte| *byte == b'\n').count();
    assert!(entries.len() <= lines, "more entries than lines");
    for entry in entries {
        // What was read can be written.
        serde_json::to_string(&entry).unwrap();
    }
    let _ = evidence_of(&session);

    let looked = Cursor::look(&session, DESTINATION);
    assert_eq!(
        Cursor::look_all(&session).len(),
        usize::from(looked.is_some())
    );
    // Bytes that are not UTF-8 do no harm in fields that are not ours.
    let is_object = bytes.trim_ascii().starts_with(b"{");
    assert!(looked.is_none() || is_object, "a cursor out of nothing");

    let store = FactsStore::new(state.facts_dir());
    let known = store.load(DESTINATION);
    assert!(
        known == Facts::default() || is_object,
        "facts out of nothing"
    );

    let mutes = MuteState::parse(&state.mutes().unwrap().unwrap());
    let is_muted = mutes.mode_for_turn_launch("a", None, Timestamp::UNIX_EPOCH, false);
    assert!(is_muted || is_object, "unmuted by nonsense");

    assert_eq!(session.settings().as_deref(), Some(bytes));
    let _ = session_status(&session);
    let _ = status(&state);
    store.save(DESTINATION, &known).unwrap();
}
