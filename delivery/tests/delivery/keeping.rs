//! What state is found, kept and removed.

use std::time::Duration;

use codex_tracing_config::{Context, Environment};
use codex_tracing_delivery::{
    KeptSession, Mode, Retention, SessionLock, StateDir, append_journal, prune, sessions_to_prune,
};
use jiff::{SignedDuration, Timestamp};

use crate::desk::{Desk, ROOT, Rollout};

const NOW: i64 = 1_000_000_000;

fn day(days: i64) -> Timestamp {
    Timestamp::from_second(NOW).unwrap() - SignedDuration::from_hours(24 * days)
}

#[test]
fn what_is_pruned_follows_from_age_count_and_what_is_pending() {
    let retention = Retention {
        sessions: 3,
        ..Retention::default()
    };
    let check = |sessions: &[(&str, i64, bool)], expected: &[&str]| {
        let sessions: Vec<KeptSession> = sessions
            .iter()
            .map(|(id, days, done)| KeptSession {
                id: (*id).to_owned(),
                changed_at: day(*days),
                done: *done,
                keeps_muting: id.starts_with("muted"),
            })
            .collect();
        assert_eq!(sessions_to_prune(&sessions, day(0), &retention), expected);
    };
    check(&[], &[]);
    check(&[("a", 30, true), ("b", 31, true)], &["b"]);
    check(&[("a", 31, false), ("b", 91, false)], &["b"]);
    // A file from the future is not old.
    check(&[("a", -400, true)], &[]);
    // Too many: the oldest that are done.
    check(
        &[
            ("a", 5, true),
            ("b", 4, false),
            ("c", 3, true),
            ("d", 2, true),
            ("e", 1, true),
        ],
        &["a", "c"],
    );
    check(
        &[
            ("a", 4, false),
            ("b", 3, false),
            ("c", 2, false),
            ("d", 1, false),
        ],
        &[],
    );
    // What keeps a muting is neither too old nor one too many.
    check(
        &[
            ("muted-a", 4000, true),
            ("muted-b", 4000, false),
            ("c", 40, true),
            ("d", 3, true),
            ("e", 2, true),
            ("f", 1, true),
        ],
        &["c"],
    );
}

#[tokio::test(start_paused = true)]
async fn pruning_removes_finished_sessions_but_none_that_a_worker_holds() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    rollout.end("t1", "Done.");
    desk.work().await;
    let later = Timestamp::now() + SignedDuration::from_hours(24 * 31);
    let held = SessionLock::try_acquire(&desk.session).unwrap();
    assert!(
        prune(
            &desk.state,
            &desk.codex_home(),
            later,
            &Retention::default()
        )
        .is_empty()
    );
    assert!(desk.session.path().exists());
    drop(held);
    assert!(
        prune(
            &desk.state,
            &desk.codex_home(),
            later,
            &Retention::default()
        )
        .is_empty()
    );
    assert!(!desk.session.path().exists());
}

/// A turn that a setting muted, its answer a secret, and everything delivered.
async fn muted_by_default() -> (Desk, Rollout) {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    let mut entry = desk.entry("UserPromptSubmit", Some("t1"));
    entry.mode = Some(Mode::Metadata);
    append_journal(&desk.session, &entry).unwrap();
    rollout.say("Secret.").end("t1", "Secret.");
    desk.work().await;
    assert_eq!(desk.turn(ROOT, "t1")["muted"], true);
    (desk, rollout)
}

fn prune_much_later(desk: &Desk) {
    let later = Timestamp::now() + SignedDuration::from_hours(24 * 365);
    let failures = prune(
        &desk.state,
        &desk.codex_home(),
        later,
        &Retention::default(),
    );
    assert!(failures.is_empty(), "{failures:?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_muted_stays_hidden_however_late_the_session_is_resumed() {
    let (desk, rollout) = muted_by_default().await;
    prune_much_later(&desk);
    rollout.begin("t2");
    desk.hook("UserPromptSubmit", Some("t2"));
    rollout.say("Open.").end("t2", "Open.");
    desk.work().await;
    assert_eq!(desk.turn(ROOT, "t2")["muted"], false);
    let hidden = &desk.item(&format!("{ROOT}/t2/call/0"))["hidden"];
    assert_eq!(*hidden, 2, "prompt and answer of the muted turn");
}

#[tokio::test(start_paused = true)]
async fn a_muted_session_is_kept_wherever_codex_has_its_rollout_and_pruned_when_it_is_gone() {
    let (desk, rollout) = muted_by_default().await;
    let archive = desk.codex_home().join("archived_sessions");
    std::fs::create_dir_all(&archive).unwrap();
    let name = rollout.path.file_name().unwrap().to_str().unwrap();
    let archived = archive.join(format!("{name}.zst"));
    std::fs::rename(&rollout.path, &archived).unwrap();
    prune_much_later(&desk);
    assert!(desk.session.journal_file().exists());
    std::fs::remove_file(&archived).unwrap();
    prune_much_later(&desk);
    assert!(!desk.session.path().exists());
}

#[tokio::test(start_paused = true)]
async fn a_fork_hides_what_a_setting_muted_also_where_nothing_is_left_of_its_origin() {
    const ORIGIN: &str = "01a1f880-0000-7000-8000-000000000009";
    const OLD: &str = "01a1f880-0000-7000-8000-00000000000a";
    const NEW: &str = "01a1f886-0000-7000-8000-00000000000b";
    let desk = Desk::new();
    let mut muted = desk.entry("UserPromptSubmit", Some(OLD));
    muted.session_id = ORIGIN.to_owned();
    muted.mode = Some(Mode::Metadata);
    let origin = desk.state.session(ORIGIN).unwrap();
    append_journal(&origin, &muted).unwrap();
    prune_much_later(&desk);
    assert!(!origin.path().exists());
    let fork = desk.forked(ROOT, ORIGIN);
    fork.begin(OLD).say("Secret.").end(OLD, "Secret.");
    fork.begin(NEW);
    desk.hook("UserPromptSubmit", Some(NEW));
    fork.say("Open.").end(NEW, "Open.");
    desk.work().await;
    let hidden = &desk.item(&format!("{ROOT}/{NEW}/call/0"))["hidden"];
    assert_eq!(*hidden, 3);
}

#[test]
fn temporary_files_of_a_crash_are_removed_when_they_are_old() {
    let desk = Desk::new();
    desk.state.create("memory").unwrap();
    let leftover = desk.state.root().join("mute.json.tmp-7-00000000");
    std::fs::write(&leftover, "half").unwrap();
    let retention = Retention {
        temporary_for: Duration::from_hours(1),
        ..Retention::default()
    };
    prune(
        &desk.state,
        &desk.codex_home(),
        Timestamp::now(),
        &retention,
    );
    assert!(leftover.exists());
    let later = Timestamp::now() + SignedDuration::from_hours(2);
    prune(&desk.state, &desk.codex_home(), later, &retention);
    assert!(!leftover.exists());
    assert!(desk.state.root().join("backend").exists());
}

#[test]
fn the_state_of_every_marketplace_name_is_found_and_that_of_other_backends_is_not() {
    let home = tempfile::tempdir().unwrap();
    let context = |pairs: &[(&str, &str)]| {
        let home = home.path().to_str().unwrap();
        let pairs = pairs.iter().copied().chain([("HOME", home)]);
        Context::new(Environment::from_pairs(pairs), home.into())
    };
    let plain = context(&[]);
    assert!(StateDir::discover_all(&plain, "memory").is_empty());
    let default = StateDir::resolve(&plain, "memory");
    assert!(default.root().ends_with(".codex/codex-tracing/memory"));
    default.create("memory").unwrap();
    let data = home.path().join(".codex/plugins/data");
    for (name, backend) in [
        ("one-mk", "memory"),
        ("two-mk", "memory"),
        ("three-mk", "other"),
    ] {
        StateDir::at(data.join(name)).create(backend).unwrap();
    }
    std::fs::create_dir(data.join("somebody-elses")).unwrap();
    let found = StateDir::discover_all(&plain, "memory");
    let expected = [
        default.clone(),
        StateDir::at(data.join("one-mk")),
        StateDir::at(data.join("two-mk")),
    ];
    assert_eq!(found, expected);
    let given = home.path().join("given");
    std::fs::create_dir(&given).unwrap();
    let with_data = context(&[("PLUGIN_DATA", given.to_str().unwrap())]);
    assert_eq!(StateDir::resolve(&with_data, "memory").root(), given);
    assert_eq!(StateDir::discover_all(&with_data, "memory").len(), 4);
}

#[test]
fn a_hook_that_looks_is_not_taken_for_a_worker() {
    let desk = Desk::new();
    append_journal(&desk.session, &desk.entry("Stop", None)).unwrap();
    assert!(!SessionLock::is_held(&desk.session).unwrap());
    let held = SessionLock::try_acquire(&desk.session).unwrap();
    assert!(held.is_some());
    assert!(SessionLock::is_held(&desk.session).unwrap());
    assert!(SessionLock::try_acquire(&desk.session).unwrap().is_none());
    drop(held);
    assert!(desk.is_free_soon());
    assert!(desk.session.lock_file().exists());
}
