//! Where the turns of subagents hang.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use codex_tracing_delivery::{Cursor, SessionTurn, append_journal, read_session};
use codex_tracing_transcript::{Scrub, Verbatim};
use serde_json::json;
use tokio::time::sleep;

use crate::desk::{CHILD, Desk, GRANDCHILD, ROOT};

#[tokio::test(start_paused = true)]
async fn subagents_hang_below_the_turns_that_spawned_them_at_any_depth() {
    let desk = Desk::new();
    let root = desk.rollout(ROOT);
    root.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    root.spawn("call-1", CHILD);
    let child = desk.rollout(CHILD);
    child.begin("c1").spawn("call-2", GRANDCHILD);
    let grandchild = desk.rollout(GRANDCHILD);
    grandchild.begin("g1").say("Deep.").end("g1", "Deep.");
    root.say("Go on without me.").end("t1", "Go on without me.");
    // The child outlives the turn that spawned it.
    let late = async {
        sleep(Duration::from_secs(30)).await;
        child.end("c1", "Late.");
    };
    tokio::join!(desk.work(), late);
    assert_eq!(desk.turn(CHILD, "c1")["path"], serde_json::json!(["t1"]));
    assert_eq!(
        desk.turn(GRANDCHILD, "g1")["path"],
        serde_json::json!(["t1", "c1"])
    );
    assert_eq!(desk.turn(GRANDCHILD, "g1")["root"], ROOT);
}

#[tokio::test(start_paused = true)]
async fn a_subagent_that_goes_on_after_the_worker_has_left_keeps_its_place() {
    let desk = Desk::new();
    let root = desk.rollout(ROOT);
    root.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    root.spawn("call-1", CHILD);
    let child = desk.rollout(CHILD);
    child.begin("c1").end("c1", "First.");
    root.end("t1", "Done.");
    desk.work().await;
    root.begin("t2");
    desk.hook("UserPromptSubmit", Some("t2"));
    child.begin("c2").end("c2", "Second.");
    root.end("t2", "Done.");
    desk.work().await;
    assert_eq!(desk.turn(CHILD, "c2")["path"], serde_json::json!(["t1"]));
    assert!(desk.store().borrow().arrivals.values().all(|n| *n == 1));
}

#[tokio::test(start_paused = true)]
async fn a_later_turn_of_a_subagent_comes_from_the_call_that_asked_for_it() {
    let desk = Desk::new();
    let root = desk.rollout(ROOT);
    root.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    root.spawn("call-1", CHILD);
    let child = desk.rollout(CHILD);
    child.begin("c1").end("c1", "First.");
    root.end("t1", "Done.").begin("t2");
    desk.hook("UserPromptSubmit", Some("t2"));
    // Asked for by a turn that is still running when the child's turn is over.
    root.message("call-2", CHILD);
    child.begin("c2").spawn("call-3", GRANDCHILD);
    let grandchild = desk.rollout(GRANDCHILD);
    grandchild.begin("g1").end("g1", "Deep.");
    child.end("c2", "Second.");
    let late = async {
        sleep(Duration::from_secs(20)).await;
        root.end("t2", "Done.");
    };
    tokio::join!(desk.work(), late);
    // The worker has left; the next one knows the calls from the cursor.
    root.begin("t3");
    desk.hook("UserPromptSubmit", Some("t3"));
    root.message("call-4", CHILD).message("call-5", CHILD);
    child.begin("c3").end("c3", "Third.");
    root.end("t3", "Done.");
    desk.work().await;
    let causes = |thread, turn| desk.turn(thread, turn)["causes"].clone();
    assert_eq!(causes(CHILD, "c1"), json!(["t1/call-1"]));
    assert_eq!(causes(CHILD, "c2"), json!(["t2/call-2"]));
    assert_eq!(causes(GRANDCHILD, "g1"), json!(["t2/call-2", "c2/call-3"]));
    assert_eq!(causes(CHILD, "c3"), json!(["t3/call-5"]));
    assert_eq!(desk.turn(CHILD, "c3")["path"], json!(["t1"]));
    assert!(desk.store().borrow().arrivals.values().all(|n| *n == 1));
}

#[tokio::test(start_paused = true)]
async fn the_calls_that_led_to_a_turn_outlive_the_worker_that_read_them() {
    let desk = Desk::new();
    let root = desk.rollout(ROOT);
    root.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    root.spawn("call-1", CHILD);
    let child = desk.rollout(CHILD);
    child.begin("c1").end("c1", "First.");
    root.end("t1", "Done.").begin("t2");
    desk.hook("UserPromptSubmit", Some("t2"));
    root.message("call-2", CHILD).end("t2", "Done.");
    desk.work().await;
    // The child begins only now: its own worker never reads the turn that asked for it.
    child.begin("c2").end("c2", "Second.");
    root.begin("t3");
    desk.hook("UserPromptSubmit", Some("t3"));
    root.end("t3", "Done.");
    desk.work().await;
    assert_eq!(desk.turn(CHILD, "c2")["causes"], json!(["t2/call-2"]));
}

#[tokio::test(start_paused = true)]
async fn a_subagents_rollout_that_appears_late_and_elsewhere_is_found() {
    let desk = Desk::new();
    let root = desk.rollout(ROOT);
    root.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    root.spawn("call-1", CHILD);
    let late = async {
        sleep(Duration::from_secs(40)).await;
        let child = desk.rollout(CHILD);
        child.begin("c1").end("c1", "Late.");
        let elsewhere = desk.codex_home().join("sessions/2026/11/21");
        std::fs::create_dir_all(&elsewhere).unwrap();
        let name = child.path.file_name().unwrap();
        std::fs::rename(&child.path, elsewhere.join(name)).unwrap();
        sleep(Duration::from_mins(1)).await;
        assert_eq!(desk.turn(CHILD, "c1")["path"], json!(["t1"]));
        root.end("t1", "Done.");
    };
    tokio::join!(desk.work(), late);
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_a_call_tells_which_turn_it_led_to_whatever_the_clocks_say() {
    let desk = Desk::new();
    let root = desk.rollout(ROOT);
    root.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    root.spawn("call-1", CHILD);
    let child = desk.rollout(CHILD);
    child.begin("c1").end("c1", "First.");
    // The child begins before the calls that led to it are recorded, by the clock of this test
    // whole seconds before.
    child.begin("c2").end("c2", "Second.");
    child.begin("c3").end("c3", "Third.");
    root.message("call-2", CHILD).message("call-3", CHILD);
    root.submitted("call-2", "c3").submitted("call-3", "c2");
    root.end("t1", "Done.");
    desk.work().await;
    let causes = |turn| desk.turn(CHILD, turn)["causes"].clone();
    assert_eq!(causes("c1"), json!(["t1/call-1"]));
    assert_eq!(causes("c2"), json!(["t1/call-3"]));
    assert_eq!(causes("c3"), json!(["t1/call-2"]));
}

/// A session with a subagent that has one itself, all compressed.
fn compressed_family(desk: &Desk) -> PathBuf {
    let root = desk.rollout(ROOT);
    root.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    root.spawn("call-1", CHILD).end("t1", "Done.");
    let child = desk.rollout(CHILD);
    child
        .begin("c1")
        .spawn("call-2", GRANDCHILD)
        .end("c1", "Done.");
    let grandchild = desk.rollout(GRANDCHILD);
    grandchild.begin("g1").end("g1", "Done.");
    for path in [&root.path, &child.path, &grandchild.path] {
        let packed = zstd::encode_all(&std::fs::read(path).unwrap()[..], 1).unwrap();
        std::fs::write(path.with_extension("jsonl.zst"), packed).unwrap();
        std::fs::remove_file(path).unwrap();
    }
    root.path.with_extension("jsonl.zst")
}

#[tokio::test(start_paused = true)]
async fn a_flush_delivers_subagents_whose_rollouts_were_compressed_meanwhile() {
    let desk = Desk::new();
    compressed_family(&desk);
    assert!(desk.flush(30, None).await.complete);
    let turns = desk.delivered("main");
    let turns: Vec<_> = turns.iter().map(|(turn, _)| turn.as_str()).collect();
    assert_eq!(turns, ["c1", "g1", "t1"]);
}

#[test]
fn an_export_has_subagents_at_any_depth_whose_rollouts_were_compressed() {
    let desk = Desk::new();
    let root = compressed_family(&desk);
    let scrub: Arc<dyn Scrub> = Arc::new(Verbatim);
    let mut turns = Vec::new();
    let mut keep = |turn: SessionTurn| turns.push(turn.turn.id);
    read_session(&desk.codex_home(), &root, &scrub, &mut keep).unwrap();
    assert_eq!(turns, ["t1", "c1", "g1"]);
}

/// The JavaScript plugin sent a subagent's turns as traces of their own when the subagent's own
/// hook came, and then never below the turn that spawned it.
#[tokio::test(start_paused = true)]
async fn hooks_of_a_subagent_make_no_traces_of_their_own() {
    let mut desk = Desk::new();
    let root = desk.rollout(ROOT);
    root.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    root.spawn("call-1", CHILD);
    let child = desk.rollout(CHILD);
    child.begin("c1").end("c1", "First.");
    let of_child = desk.state.session(CHILD).unwrap();
    let of_root = std::mem::replace(&mut desk.session, of_child);
    for (event, turn) in [("UserPromptSubmit", "c1"), ("Stop", "c1")] {
        let mut entry = desk.entry(event, Some(turn));
        CHILD.clone_into(&mut entry.session_id);
        append_journal(&desk.session, &entry).unwrap();
    }
    desk.work().await;
    assert_eq!(
        desk.delivered("main"),
        [],
        "nothing by the subagent's own worker"
    );
    desk.session = of_root;
    root.end("t1", "Done.");
    desk.work().await;
    assert_eq!(desk.turn(CHILD, "c1")["causes"], json!(["t1/call-1"]));
    assert!(desk.store().borrow().arrivals.values().all(|n| *n == 1));
}

#[tokio::test(start_paused = true)]
async fn subagents_beyond_the_most_that_a_session_may_have_are_counted_as_left_out_and_not_kept() {
    let desk = Desk::new();
    let root = desk.rollout(ROOT);
    root.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    // With the root one more than are followed.
    let ids = (0..2000).map(|number| format!("01a1f885-0000-7000-8001-{number:012}"));
    for id in ids {
        root.spawn(&format!("call-{id}"), &id);
    }
    root.end("t1", "Done.");
    desk.work().await;
    let cursor = Cursor::look(&desk.session, "main").unwrap();
    assert_eq!(cursor.threads.len(), 2000);
    let losses = cursor.all_losses();
    let losses: Vec<_> = losses.iter().collect();
    let expected = [
        ("rollout_missing", 1999),
        ("skipped:subagent_beyond_limit", 1),
    ];
    assert_eq!(losses, expected);
}
