//! Rollouts that cannot be read past some place.

use std::path::PathBuf;
use std::time::Duration;

use codex_tracing_delivery::{DestinationStatus, Left, flush_all, session_status};
use tokio::time::{Instant, sleep};

use crate::desk::{CHILD, Desk, ROOT, Rollout};
use crate::flush::close;
use crate::successors::flush_to;

/// A rollout compressed by its lines, with something else in between: read up to there.
struct Packed {
    path: PathBuf,
    text: String,
}

impl Packed {
    /// Takes the place of `rollout`; what comes behind its first `lines` cannot be read.
    fn broken(rollout: &Rollout, lines: usize) -> Self {
        let packed = Self {
            path: rollout.path.with_extension("jsonl.zst"),
            text: std::fs::read_to_string(&rollout.path).unwrap(),
        };
        let (head, tail) = packed.text.split_at(ends(&packed.text, lines));
        let parts = [pack(head), b"no frame".to_vec(), pack(tail)];
        std::fs::write(&packed.path, parts.concat()).unwrap();
        std::fs::remove_file(&rollout.path).unwrap();
        packed
    }

    fn mend(&self) {
        std::fs::write(&self.path, pack(&self.text)).unwrap();
    }
}

/// Where the first `lines` of a text end.
fn ends(text: &str, lines: usize) -> usize {
    text.split_inclusive('\n').take(lines).map(str::len).sum()
}

/// How many lines a rollout has by now.
fn written(rollout: &Rollout) -> usize {
    let text = std::fs::read_to_string(&rollout.path).unwrap();
    text.lines().count()
}

fn pack(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 1).unwrap()
}

/// Two finished turns, of which the second cannot be read.
fn half_of_two_turns(desk: &Desk) -> Packed {
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    rollout.end("t1", "Done.");
    let lines = written(&rollout);
    rollout.begin("t2");
    desk.hook("UserPromptSubmit", Some("t2"));
    rollout.end("t2", "Done.");
    Packed::broken(&rollout, lines)
}

/// How many turns wait, and why.
fn waiting(desk: &Desk) -> (u64, Option<String>) {
    let status = session_status(&desk.session);
    let [
        DestinationStatus {
            pending,
            last_error,
            ..
        },
    ] = status.destinations.try_into().unwrap();
    (pending, last_error.map(|error| error.message))
}

fn check_told(desk: &Desk, packed: &Packed) {
    let (pending, why) = waiting(desk);
    let why = why.unwrap();
    assert_eq!(pending, 1);
    assert!(why.starts_with("cannot read"), "{why}");
    assert!(why.contains(packed.path.to_str().unwrap()), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_flush_that_cannot_read_on_calls_nothing_complete_and_says_why() {
    let desk = Desk::new();
    let packed = half_of_two_turns(&desk);
    let flushed = desk.flush(5, None).await;
    assert!(!flushed.complete && flushed.stuck && flushed.unattended.is_some());
    desk.check(&[("t1", "completed")]);
    check_told(&desk, &packed);
    // The next one knows no more.
    assert!(!desk.flush(5, None).await.complete);
    check_told(&desk, &packed);
    packed.mend();
    assert!(desk.flush(5, None).await.complete);
    desk.check(&[("t1", "completed"), ("t2", "completed")]);
    assert_eq!(waiting(&desk), (0, None));
    assert!(desk.store().borrow().arrivals.values().all(|n| *n == 1));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_told_of_by_a_flush_of_all_sessions_and_not_waited_for() {
    let desk = Desk::new();
    half_of_two_turns(&desk);
    let sessions = desk.state.sessions();
    let begun = Instant::now();
    let deadline = begun + Duration::from_mins(1);
    let course_of = |_: &_, _: &_| Some(desk.course());
    let report = flush_all(&sessions, &course_of, deadline, &mut |_, _| ()).await;
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(!report.is_complete());
    assert_eq!(report.left[0].pending(), 1);
    assert!(report.left[0].destinations[0].last_error.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_subagent_that_no_hook_tells_of_is_pending_when_it_cannot_be_read() {
    let desk = Desk::new();
    let root = desk.rollout(ROOT);
    root.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    root.spawn("call-1", CHILD).end("t1", "Done.");
    let child = desk.rollout(CHILD);
    child.begin("c1").end("c1", "Done.");
    let packed = Packed::broken(&child, 1);
    assert!(!desk.flush(5, None).await.complete);
    desk.check(&[("t1", "completed")]);
    check_told(&desk, &packed);
    packed.mend();
    assert!(desk.flush(5, None).await.complete);
    assert_eq!(desk.turn(CHILD, "c1")["status"], "completed");
}

#[tokio::test(start_paused = true)]
async fn a_worker_reads_on_when_it_can_and_says_meanwhile_why_it_cannot() {
    let desk = Desk::new();
    let packed = half_of_two_turns(&desk);
    let somebody = async {
        sleep(Duration::from_mins(2)).await;
        check_told(&desk, &packed);
        let begun = Instant::now();
        let flushed = desk.flush(60, None).await;
        assert!(!flushed.complete && flushed.stuck, "beside the worker");
        assert!(begun.elapsed() < Duration::from_secs(5));
        packed.mend();
        sleep(Duration::from_secs(61)).await;
        desk.check(&[("t1", "completed"), ("t2", "completed")]);
    };
    let (left, ()) = tokio::join!(desk.work(), somebody);
    assert_eq!(left, Left::Finished);
    assert_eq!(waiting(&desk), (0, None));
}

#[tokio::test(start_paused = true)]
async fn a_worker_does_not_wait_for_ever_for_what_cannot_be_read() {
    let desk = Desk::new();
    let packed = half_of_two_turns(&desk);
    let begun = Instant::now();
    assert_eq!(desk.work().await, Left::GaveUp);
    let minutes = begun.elapsed().as_secs() / 60;
    assert!((10..12).contains(&minutes), "{minutes}");
    check_told(&desk, &packed);
}

#[tokio::test(start_paused = true)]
async fn a_turn_whose_end_may_stand_where_nothing_can_be_read_is_not_cut_off() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook_of_the_dead("UserPromptSubmit", Some("t1"));
    let lines = written(&rollout);
    rollout.say("The answer.").end("t1", "The answer.");
    let packed = Packed::broken(&rollout, lines);
    let somebody = async {
        sleep(Duration::from_mins(1)).await;
        desk.check(&[]);
        check_told(&desk, &packed);
        packed.mend();
    };
    let (left, ()) = tokio::join!(desk.work(), somebody);
    assert_eq!(left, Left::Finished);
    desk.check(&[("t1", "completed")]);
    assert!(desk.store().borrow().arrivals.values().all(|n| *n == 1));
}

#[tokio::test(start_paused = true)]
async fn a_worker_stays_for_a_turn_that_runs_in_what_cannot_be_read_as_long_as_codex_does() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    let lines = written(&rollout);
    // No hook tells of the end.
    rollout.end("t1", "The answer.");
    let packed = Packed::broken(&rollout, lines);
    let somebody = async {
        sleep(Duration::from_mins(20)).await;
        desk.check(&[]);
        packed.mend();
    };
    let (left, ()) = tokio::join!(desk.work(), somebody);
    assert_eq!(left, Left::Finished);
    desk.check(&[("t1", "completed")]);
}

#[tokio::test(start_paused = true)]
async fn a_turns_end_that_waits_is_not_held_up_by_a_subagent_that_cannot_be_read() {
    let desk = Desk::new();
    let root = desk.rollout(ROOT);
    root.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    root.spawn("call-1", CHILD);
    let child = desk.rollout(CHILD);
    child.begin("c1").end("c1", "Done.");
    Packed::broken(&child, 1);
    root.say("The answer.");
    close(&desk, "t1");
    let begun = Instant::now();
    assert!(desk.flush(20, Some("t1")).await.complete);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_waits_only_for_what_cannot_be_read_makes_way_for_a_flush_to_another_destination()
 {
    let desk = Desk::new();
    let root = desk.rollout(ROOT);
    root.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    root.spawn("call-1", CHILD).end("t1", "Done.");
    let child = desk.rollout(CHILD);
    child.begin("c1").end("c1", "Done.");
    Packed::broken(&child, 1);
    let flush = async {
        sleep(Duration::from_mins(1)).await;
        let begun = Instant::now();
        let report = flush_to(&desk, "other", 30).await;
        assert!(!report.is_complete() && begun.elapsed() < Duration::from_secs(15));
    };
    let (left, ()) = tokio::join!(desk.work(), flush);
    assert_eq!(left, Left::MadeWay);
    desk.check(&[("t1", "completed")]);
}
