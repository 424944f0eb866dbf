//! The life of a worker.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use codex_tracing_delivery::testing::Answer;
use codex_tracing_delivery::{
    Cursor, Left, SessionLock, append_journal, detach_worker, session_status, spawn_worker,
};
use tokio::time::sleep;

use crate::desk::{Desk, ROOT, work};

#[tokio::test(start_paused = true)]
async fn a_turn_is_delivered_once_it_has_its_end_record() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    let codex = async {
        sleep(Duration::from_secs(20)).await;
        rollout.say("Done.");
        desk.hook("Stop", Some("t1"));
        desk.check(&[]);
        sleep(Duration::from_millis(700)).await;
        rollout.end("t1", "Done.");
    };
    let (left, ()) = tokio::join!(desk.work(), codex);
    assert_eq!(left, Left::Finished);
    desk.check(&[("t1", "completed")]);
    assert_eq!(desk.turn(ROOT, "t1")["answer"], "Done.");
}

#[tokio::test(start_paused = true)]
async fn a_talkative_log_names_each_delivered_turn_and_nothing_that_was_said() {
    let log = tempfile::NamedTempFile::new().unwrap();
    // Where only one subscriber is there, what a test beside this one logs first, without any, counts as
    // wanted by nobody.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(Arc::new(log.reopen().unwrap()))
        .finish();
    let logging = tracing::subscriber::set_default(subscriber);
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    rollout.end("t1", "Planted answer.");
    assert_eq!(desk.work().await, Left::Finished);
    drop(logging);
    let lines = std::fs::read_to_string(log.path()).unwrap();
    let told = lines.lines().filter(|line| line.contains("delivered"));
    let told: Vec<_> = told.filter(|line| line.contains("t1")).collect();
    assert_eq!(told.len(), 1, "{lines}");
    assert!(!lines.contains("Planted"), "{lines}");
}

#[tokio::test(start_paused = true)]
async fn a_second_worker_finds_the_lock_and_leaves() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    let second = async {
        sleep(Duration::from_secs(1)).await;
        let left = desk.work().await;
        rollout.end("t1", "Done.");
        left
    };
    let (first, second) = tokio::join!(desk.work(), second);
    assert_eq!((first, second), (Left::Finished, Left::AlreadyRunning));
    assert_eq!(desk.store().borrow().arrivals[&format!("{ROOT}/t1")], 1);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_codex_left_open_is_cut_off_when_codex_is_gone() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1").say("Working on it.");
    desk.hook_of_the_dead("UserPromptSubmit", Some("t1"));
    assert_eq!(desk.work().await, Left::Finished);
    desk.check(&[("t1", "cut_off")]);
}

/// Codex runs, but nobody can tell: no hook knew its process.
fn hook_of_nobody(desk: &Desk, turn: &str) {
    let entry = desk.entry("UserPromptSubmit", Some(turn));
    append_journal(&desk.session, &entry).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_was_cut_off_and_goes_on_loses_its_error() {
    for live in [false, true] {
        let desk = Desk::with(&["main"], live);
        let rollout = desk.rollout(ROOT);
        rollout.begin("t1").say("Building.");
        hook_of_nobody(&desk, "t1");
        assert_eq!(desk.work().await, Left::Finished);
        let cut = desk.turn(ROOT, "t1");
        assert_eq!(cut["status"], "cut_off");
        assert!(cut["error"].is_string(), "{cut}");
        rollout.say("Built.").end("t1", "Built.");
        desk.hook("Stop", Some("t1"));
        desk.work().await;
        desk.check(&[("t1", "completed")]);
        let turn = desk.turn(ROOT, "t1");
        assert!(turn["error"].is_null(), "live {live}: {turn}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_build_is_not_cut_off_where_nobody_can_tell_whether_codex_runs() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1").say("Building.");
    hook_of_nobody(&desk, "t1");
    let build = async {
        sleep(Duration::from_mins(25)).await;
        desk.check(&[]);
        rollout.say("Built.").end("t1", "Built.");
    };
    tokio::join!(desk.work(), build);
    desk.check(&[("t1", "completed")]);
    assert_eq!(desk.store().borrow().arrivals[&format!("{ROOT}/t1")], 1);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_turn_without_end_record_is_complete_when_codex_is_gone() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1").say("All done.");
    desk.hook_of_the_dead("Stop", Some("t1"));
    desk.work().await;
    desk.check(&[("t1", "completed")]);
    assert_eq!(desk.turn(ROOT, "t1")["answer"], "All done.");
}

#[tokio::test(start_paused = true)]
async fn a_session_resumed_after_a_cut_off_turn_goes_on_in_the_same_trace() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1").say("Working on it.");
    desk.hook_of_the_dead("UserPromptSubmit", Some("t1"));
    desk.work().await;
    rollout.begin("t2");
    desk.hook("UserPromptSubmit", Some("t2"));
    rollout.say("Again.").end("t2", "Again.");
    desk.work().await;
    desk.check(&[("t1", "cut_off"), ("t2", "completed")]);
    assert_eq!(desk.store().borrow().arrivals[&format!("{ROOT}/t1")], 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_or_interrupted_turn_arrives_without_a_stop_hook() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    rollout.abort("t1");
    desk.work().await;
    desk.check(&[("t1", "interrupted")]);
}

#[tokio::test(start_paused = true)]
async fn a_running_turn_is_waited_for_but_not_for_ever() {
    let desk = Desk::new();
    desk.rollout(ROOT).begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    assert_eq!(desk.work().await, Left::NoNews);
    desk.check(&[]);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_comes_while_the_worker_lingers_is_not_lost() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    rollout.end("t1", "One.");
    // Every hook looks at the lock and starts a worker if it is free, as the real one does.
    let hook = async {
        for number in 2..40_u64 {
            sleep(Duration::from_millis(number * 97)).await;
            let turn = format!("t{number}");
            rollout.begin(&turn);
            desk.hook("UserPromptSubmit", Some(&turn));
            rollout.end(&turn, "More.");
            if !SessionLock::is_held(&desk.session).unwrap() {
                tokio::task::spawn_local(run_worker_of(&desk));
            }
        }
        sleep(Duration::from_secs(10)).await;
    };
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            tokio::join!(desk.work(), hook);
        })
        .await;
    assert_eq!(desk.delivered("main").len(), 39);
    assert!(desk.store().borrow().arrivals.values().all(|n| *n == 1));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_makes_way_does_not_count_a_hook_as_seen_that_came_while_it_sent() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    rollout.end("t1", "One.");
    let before = std::fs::metadata(desk.session.journal_file())
        .unwrap()
        .len();
    let slow = Answer::TakeLate(Duration::from_secs(1));
    desk.store().borrow_mut().script.push_back(slow);
    let successor = async {
        sleep(Duration::from_millis(500)).await;
        let mut start = desk.entry("SessionStart", None);
        start.source = Some("resume".to_owned());
        append_journal(&desk.session, &start).unwrap();
        desk.hook("UserPromptSubmit", Some("t2"));
    };
    let (left, ()) = tokio::join!(desk.work(), successor);
    assert_eq!(left, Left::Succeeded);
    desk.check(&[("t1", "completed")]);
    let seen = Cursor::look(&desk.session, "main").unwrap().journal_seen;
    assert!(seen <= before, "{seen} > {before}");
    assert_eq!(session_status(&desk.session).destinations[0].pending, 1);
}

#[tokio::test(start_paused = true)]
async fn turns_in_quick_succession_are_not_pending_once_they_are_settled() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    let pending = || session_status(&desk.session).destinations[0].pending;
    let codex = async {
        for number in 1..=30 {
            let turn = format!("t{number}");
            rollout.begin(&turn);
            desk.hook("UserPromptSubmit", Some(&turn));
            rollout.end(&turn, "Done.");
            desk.hook("Stop", Some(&turn));
        }
        sleep(Duration::from_secs(1)).await;
        assert_eq!(desk.delivered("main").len(), 30);
        assert_eq!(pending(), 0);
        rollout.begin("t31");
        desk.hook("UserPromptSubmit", Some("t31"));
        sleep(Duration::from_secs(1)).await;
        assert_eq!(pending(), 1, "it is still running");
        rollout.end("t31", "Done.");
    };
    tokio::join!(desk.work(), codex);
    assert_eq!(pending(), 0);
}

fn run_worker_of(desk: &Desk) -> impl Future<Output = ()> + 'static {
    let options = desk.options();
    async move {
        work(options, std::future::pending()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_told_to_stop_leaves_a_whole_cursor() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    rollout.end("t1", "One.").begin("t2");
    let stop = sleep(Duration::from_secs(1));
    let left = work(desk.options(), stop).await;
    assert_eq!(left, Left::Terminated);
    let cursor = Cursor::look(&desk.session, "main").unwrap();
    assert_eq!((cursor.delivered, cursor.journal_seen), (1, 0));
    desk.hook("UserPromptSubmit", Some("t2"));
    rollout.end("t2", "Two.");
    desk.work().await;
    desk.check(&[("t1", "completed"), ("t2", "completed")]);
    assert_eq!(desk.store().borrow().arrivals[&format!("{ROOT}/t1")], 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_started_worker_has_none_of_the_hooks_descriptors() {
    let dir = tempfile::tempdir().unwrap();
    let (list, done) = (dir.path().join("list"), dir.path().join("done"));
    let script = format!(
        "l=$(for n in 0 1 2; do readlink /proc/$$/fd/$n; done); echo \"$l\" > {0}; mv {0} {1}",
        list.display(),
        done.display()
    );
    spawn_worker(Path::new("/bin/sh"), ["-c", &script], None).unwrap();
    for _ in 0..600 {
        if done.exists() {
            let text = std::fs::read_to_string(&done).unwrap();
            assert_eq!(text, "/dev/null\n".repeat(3));
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the worker never ran");
}

/// A process of its own is needed: see the test below.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "becomes a worker; run by another test, with a descriptor that it inherits"]
fn becomes_a_worker_with_descriptor_seven_inherited() {
    use std::io::Read as _;
    let is_open = || std::fs::exists("/proc/self/fd/7").unwrap();
    assert!(is_open());
    let mut own = std::fs::File::open("/proc/self/comm").unwrap();
    detach_worker();
    assert!(!is_open());
    let mut text = String::new();
    own.read_to_string(&mut text).unwrap();
    assert!(!text.is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn becoming_a_worker_closes_what_was_inherited_and_nothing_else() {
    let test = std::env::current_exe().unwrap();
    let name = "workers::becomes_a_worker_with_descriptor_seven_inherited";
    let output = std::process::Command::new("/bin/sh")
        .args([
            "-c",
            "exec 7</dev/null; exec \"$0\" --ignored --exact \"$1\"",
        ])
        .args([test.as_os_str(), name.as_ref()])
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stdout);
    assert!(
        words.contains("1 passed") && output.status.success(),
        "{words}"
    );
}
