//! Two Codex processes, one after the other, and the worker of each: what belongs to the second never
//! goes out with the settings of the first.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use codex_tracing_delivery::testing::{Answer, MemoryBackend};
use codex_tracing_delivery::{FlushReport, Left, WorkerOptions, flush_all, flush_session};
use tokio::time::{Instant, sleep};

use crate::desk::{Desk, ROOT, Rollout, work, work_as};

/// A worker's options as the hook that wrote the last entry would give them, with the keys of the
/// process number `process`: each has a store of its own to tell by.
fn worker_of(desk: &Desk, process: &'static str) -> WorkerOptions {
    let mut course = desk.course();
    let outlets = course.outlets;
    course.outlets = Rc::new(move |destination| {
        let mut with_key = destination.clone();
        process.clone_into(&mut with_key.id);
        outlets(&with_key)
    });
    WorkerOptions {
        since: Some(desk.since()),
        ..desk.options_with(course)
    }
}

fn turn(desk: &Desk, rollout: &Rollout, id: &str) {
    desk.hook("UserPromptSubmit", Some(id));
    rollout.begin(id).say("Done.").end(id, "Done.");
}

fn ids(desk: &Desk, process: &str) -> Vec<String> {
    let delivered = desk.delivered(process);
    delivered.into_iter().map(|(id, _)| id).collect()
}

#[tokio::test(start_paused = true)]
async fn a_resume_before_the_first_worker_has_begun_goes_out_with_its_own_key_only() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    desk.hook("SessionStart", None);
    turn(&desk, &rollout, "t1");
    let first = worker_of(&desk, "first");
    // The first process ends, and the second is there before its predecessor's worker looks.
    desk.hook("SessionEnd", None);
    desk.hook("SessionStart", None);
    let second = worker_of(&desk, "second");
    turn(&desk, &rollout, "t2");
    assert_eq!(work(first, std::future::pending()).await, Left::Succeeded);
    assert!(ids(&desk, "first").is_empty());
    let left = work_as(second, true, std::future::pending()).await;
    assert_eq!(left, Left::Finished);
    assert_eq!(ids(&desk, "second"), ["t1", "t2"]);
}

#[tokio::test(start_paused = true)]
async fn a_resume_while_the_first_worker_is_at_work_goes_out_with_its_own_key_only() {
    for pause in 0..60 {
        let desk = Desk::new();
        let rollout = desk.rollout(ROOT);
        desk.hook("SessionStart", None);
        turn(&desk, &rollout, "t1");
        let first = worker_of(&desk, "first");
        let resumed = async {
            sleep(Duration::from_millis(pause * 11)).await;
            desk.hook("SessionStart", None);
            let second = worker_of(&desk, "second");
            turn(&desk, &rollout, "t2");
            work_as(second, true, std::future::pending()).await
        };
        let (left, second) = tokio::join!(work(first, std::future::pending()), resumed);
        assert_eq!((left, second), (Left::Succeeded, Left::Finished));
        let both = [ids(&desk, "first"), ids(&desk, "second")].concat();
        assert_eq!(both, ["t1", "t2"], "after {pause} looks");
        assert!(!ids(&desk, "first").contains(&"t2".to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn the_worker_of_a_process_is_not_stopped_by_that_processs_own_start() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    desk.hook("SessionStart", None);
    let only = worker_of(&desk, "only");
    turn(&desk, &rollout, "t1");
    assert_eq!(work(only, std::future::pending()).await, Left::Finished);
    assert_eq!(ids(&desk, "only"), ["t1"]);
}

#[tokio::test(start_paused = true)]
async fn a_flush_makes_way_for_a_process_that_comes_while_it_waits() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    desk.hook("SessionStart", None);
    turn(&desk, &rollout, "t1");
    desk.store().borrow_mut().otherwise = Some(Answer::Down(None));
    let course = desk.course();
    let deadline = Instant::now() + Duration::from_secs(20);
    let flush = flush_session(&desk.session, &course, deadline, None);
    let resumed = async {
        sleep(Duration::from_secs(1)).await;
        desk.hook("SessionStart", None);
        let second = worker_of(&desk, "second");
        turn(&desk, &rollout, "t2");
        work_as(second, true, std::future::pending()).await
    };
    let (flushed, second) = tokio::join!(flush, resumed);
    assert!(!flushed.unwrap().complete);
    assert_eq!(second, Left::Finished);
    assert_eq!(ids(&desk, "second"), ["t1", "t2"]);
}

#[tokio::test(start_paused = true)]
async fn a_flush_ends_in_time_though_another_process_takes_the_session_up_at_that_moment() {
    for late in 0..30 {
        let desk = Desk::new();
        let rollout = desk.rollout(ROOT);
        desk.hook("SessionStart", None);
        turn(&desk, &rollout, "t1");
        desk.store().borrow_mut().otherwise = Some(Answer::Hang);
        let resumed = async {
            sleep(Duration::from_millis(4900 + late * 7)).await;
            desk.hook("SessionStart", None);
        };
        let flush = tokio::time::timeout(Duration::from_secs(30), desk.flush(5, None));
        let (flushed, ()) = tokio::join!(flush, resumed);
        assert!(!flushed.expect("it ends").complete);
        assert!(desk.is_free_soon());
    }
}

pub(crate) async fn flush_to(desk: &Desk, destination: &str, seconds: u64) -> FlushReport {
    let mut course = desk.course();
    course.backend = Arc::new(MemoryBackend::new(&[destination], false));
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let sessions = [desk.session.clone()];
    flush_all(
        &sessions,
        &|_, _| Some(course.clone()),
        deadline,
        &mut |_, _| (),
    )
    .await
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_nothing_answers_makes_way_for_a_flush_with_the_corrected_address() {
    // One that only does not answer yet may be slow.
    for (answer, bound) in [(Answer::Hang, 24), (Answer::Down(None), 8)] {
        let desk = Desk::with(&["wrong"], false);
        let rollout = desk.rollout(ROOT);
        desk.hook("SessionStart", None);
        turn(&desk, &rollout, "t1");
        desk.stores.of("wrong").borrow_mut().otherwise = Some(answer);
        let flush = async {
            sleep(Duration::from_millis(500)).await;
            let began = Instant::now();
            let report = flush_to(&desk, "right", 30).await;
            (report, began.elapsed())
        };
        let (left, (report, took)) = tokio::join!(desk.work(), flush);
        assert_eq!(left, Left::MadeWay);
        assert!(
            report.is_complete() && took < Duration::from_secs(bound),
            "{took:?}"
        );
        // Its Codex, which is this process, knows nothing of the correction.
        assert!(report.taken_over.contains(ROOT));
        assert_eq!(ids(&desk, "right"), ["t1"]);
        assert!(ids(&desk, "wrong").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_gets_through_makes_way_for_no_flush_nor_one_with_the_same_address() {
    for (destination, answer) in [
        ("other", Answer::TakeLate(Duration::from_secs(15))),
        ("main", Answer::Hang),
    ] {
        let desk = Desk::new();
        let rollout = desk.rollout(ROOT);
        desk.hook("SessionStart", None);
        turn(&desk, &rollout, "t1");
        desk.store().borrow_mut().script.push_back(answer);
        let flush = async {
            sleep(Duration::from_millis(500)).await;
            flush_to(&desk, destination, 100).await
        };
        let (left, report) = tokio::join!(desk.work(), flush);
        assert_eq!(left, Left::Finished, "{destination}");
        assert!(report.is_complete() && report.taken_over.is_empty());
        assert_eq!(ids(&desk, "main"), ["t1"]);
        assert!(ids(&desk, "other").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_makes_way_for_no_flush_that_only_knows_fewer_destinations() {
    let desk = Desk::with(&["main", "replica"], false);
    let rollout = desk.rollout(ROOT);
    desk.hook("SessionStart", None);
    turn(&desk, &rollout, "t1");
    for name in ["main", "replica"] {
        desk.stores.of(name).borrow_mut().otherwise = Some(Answer::Down(None));
    }
    let flush = async {
        sleep(Duration::from_millis(500)).await;
        flush_to(&desk, "main", 30).await
    };
    let (left, report) = tokio::join!(desk.work(), flush);
    assert_ne!(left, Left::MadeWay);
    assert!(!report.is_complete() && report.taken_over.is_empty());
}
