//! What state is found, kept and removed.

use std::time::Duration;

use codex_tracing_config::{Context, Environment};
use codex_tracing_delivery::{
    KeptSession, Retention, SessionLock, StateDir, append_journal, prune, sessions_to_prune,
};
use jiff::{SignedDuration, Timestamp};

use crate::desk::{Desk, ROOT};

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
    assert!(prune(&desk.state, later, &Retention::default()).is_empty());
    assert!(desk.session.path().exists());
    drop(held);
    assert!(prune(&desk.state, later, &Retention::default()).is_empty());
    assert!(!desk.session.path().exists());
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
    prune(&desk.state, Timestamp::now(), &retention);
    assert!(leftover.exists());
    let later = Timestamp::now() + SignedDuration::from_hours(2);
    prune(&desk.state, later, &retention);
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
