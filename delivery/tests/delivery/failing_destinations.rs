//! Destinations that are down, slow, or say no.

use std::sync::Arc;
use std::time::Duration;

use codex_tracing_delivery::testing::{Answer, MemoryBackend};
use codex_tracing_delivery::{Cursor, Left, has_arrived, session_status};
use tokio::time::sleep;

use tokio::time::Instant;

use crate::desk::{Desk, ROOT, Rollout, work};

fn two_turns(desk: &Desk) -> Rollout {
    let rollout = desk.rollout(ROOT);
    for turn in ["t1", "t2"] {
        rollout.begin(turn);
        desk.hook("UserPromptSubmit", Some(turn));
        rollout.say("Hm.").end(turn, "Done.");
    }
    rollout
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_is_down_keeps_its_cursor_and_gets_everything_later() {
    let desk = Desk::new();
    two_turns(&desk);
    desk.store().borrow_mut().otherwise = Some(Answer::Down(None));
    assert_eq!(desk.work().await, Left::GaveUp);
    let status = session_status(&desk.session);
    assert_eq!(status.destinations[0].pending, 2);
    assert!(status.destinations[0].last_error.is_some());
    desk.store().borrow_mut().otherwise = None;
    assert_eq!(desk.work().await, Left::Finished);
    desk.check(&[("t1", "completed"), ("t2", "completed")]);
    let status = session_status(&desk.session);
    assert_eq!(status.destinations[0].pending, 0);
    assert_eq!(status.destinations[0].delivered, 2);
    assert_eq!(status.destinations[0].last_error, None);
}

#[tokio::test(start_paused = true)]
async fn one_dead_destination_neither_blocks_nor_doubles_another() {
    let desk = Desk::with(&["main", "dead", "hung"], false);
    two_turns(&desk);
    desk.stores.of("dead").borrow_mut().otherwise = Some(Answer::Down(None));
    desk.stores.of("hung").borrow_mut().otherwise = Some(Answer::Hang);
    desk.work().await;
    desk.check(&[("t1", "completed"), ("t2", "completed")]);
    desk.stores.of("dead").borrow_mut().otherwise = None;
    desk.stores.of("hung").borrow_mut().otherwise = None;
    desk.work().await;
    for name in ["dead", "hung"] {
        assert_eq!(desk.delivered(name).len(), 2, "{name}");
    }
    assert!(desk.store().borrow().arrivals.values().all(|n| *n == 1));
}

#[tokio::test(start_paused = true)]
async fn a_destination_whose_delivery_panics_takes_no_other_with_it() {
    let desk = Desk::with(&["broken", "main", "late"], false);
    two_turns(&desk);
    desk.stores.of("broken").borrow_mut().otherwise = Some(Answer::Panic);
    let down = [Answer::Down(None), Answer::Down(None)];
    desk.stores.of("late").borrow_mut().script.extend(down);
    assert_eq!(desk.work().await, Left::GaveUp);
    for name in ["main", "late"] {
        assert_eq!(desk.delivered(name).len(), 2, "{name}");
    }
    let status = session_status(&desk.session);
    let mut places = status.destinations.iter();
    let broken = places.find(|place| place.id == "broken").unwrap();
    let message = &broken.last_error.as_ref().unwrap().message;
    assert!(message.contains("mistake in codex-tracing"), "{message}");
    // What it has not got waits for a program without the mistake.
    desk.stores.of("broken").borrow_mut().otherwise = None;
    assert_eq!(desk.work().await, Left::Finished);
    for name in ["broken", "main", "late"] {
        assert_eq!(desk.delivered(name).len(), 2, "{name}");
        let store = desk.stores.of(name);
        assert!(store.borrow().arrivals.values().all(|n| *n == 1), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejected_turn_is_told_with_the_servers_words_and_the_next_one_goes_on() {
    let desk = Desk::new();
    two_turns(&desk);
    desk.store().borrow_mut().otherwise = Some(Answer::RejectContaining("t1".to_owned()));
    assert_eq!(desk.work().await, Left::Finished);
    desk.check(&[("t2", "completed")]);
    let status = session_status(&desk.session).destinations.remove(0);
    assert_eq!((status.delivered, status.rejected_count), (1, 1));
    assert_eq!(status.rejected[0].words, "HTTP 422: no");
    assert_eq!(status.rejected[0].turn_id, "t1");
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_stops_at_once_and_a_corrected_one_delivers_the_backlog() {
    let desk = Desk::new();
    two_turns(&desk);
    desk.store().borrow_mut().script.push_back(Answer::Stop);
    assert_eq!(desk.work().await, Left::GaveUp);
    assert_eq!(desk.store().borrow().batches, 1);
    let cursor = Cursor::look(&desk.session, "main").unwrap();
    assert_eq!(cursor.last_error.unwrap().message, "HTTP 401: no");
    desk.work().await;
    desk.check(&[("t1", "completed"), ("t2", "completed")]);
}

#[tokio::test(start_paused = true)]
async fn only_what_is_missing_is_sent_again() {
    let desk = Desk::new();
    two_turns(&desk);
    let script = [
        Answer::TakeSome(1),
        Answer::Down(Some(Duration::from_secs(9))),
        Answer::TakeSome(1),
    ];
    desk.store().borrow_mut().script.extend(script);
    desk.work().await;
    desk.check(&[("t1", "completed"), ("t2", "completed")]);
    assert!(desk.store().borrow().arrivals.values().all(|n| *n == 1));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_was_too_short_for_all_of_it_goes_on_at_once_and_is_no_failure() {
    let desk = Desk::new();
    two_turns(&desk);
    desk.store().borrow_mut().otherwise = Some(Answer::TakeInTime(1));
    let began = Instant::now();
    assert!(desk.flush(20, None).await.complete);
    desk.check(&[("t1", "completed"), ("t2", "completed")]);
    assert_eq!(desk.store().borrow().batches, 4);
    assert!(began.elapsed() < Duration::from_secs(1));
    let cursor = Cursor::look(&desk.session, "main").unwrap();
    assert_eq!(cursor.last_error, None);
    let arrivals = desk.store().borrow().arrivals.clone();
    assert!(arrivals.values().all(|n| *n == 1));
}

#[tokio::test(start_paused = true)]
async fn without_a_key_nothing_is_sent_and_status_says_so() {
    let desk = Desk::new();
    two_turns(&desk);
    let mut course = desk.course();
    course.backend = Arc::new(MemoryBackend::new(&["main"], false).without_keys());
    let worker = work(desk.options_with(course), std::future::pending());
    assert_eq!(worker.await, Left::GaveUp);
    assert_eq!(desk.store().borrow().batches, 0);
    let status = session_status(&desk.session).destinations.remove(0);
    assert!(status.refused);
    assert_eq!(status.pending, 2);
    let message = status.last_error.unwrap().message;
    assert!(message.contains("no API key"), "{message}");
    desk.work().await;
    desk.check(&[("t1", "completed"), ("t2", "completed")]);
    let status = session_status(&desk.session).destinations.remove(0);
    assert!(!status.refused);
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_joins_later_gets_what_comes_from_then_on() {
    let mut desk = Desk::new();
    let rollout = two_turns(&desk);
    desk.work().await;
    desk.backend = Arc::new(MemoryBackend::new(&["main", "late"], false));
    rollout.begin("t3");
    desk.hook("UserPromptSubmit", Some("t3"));
    rollout.say("Hm.").end("t3", "Done.");
    desk.work().await;
    assert_eq!(desk.delivered("late").len(), 1);
    assert_eq!(desk.delivered("main").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_flush_with_other_settings_sends_nothing_that_was_sent() {
    let mut desk = Desk::new();
    two_turns(&desk);
    desk.work().await;
    desk.backend = Arc::new(MemoryBackend::new(&["private"], false));
    let flushed = desk.flush(20, None).await;
    assert!(flushed.complete);
    assert!(desk.delivered("private").is_empty());
    assert!(Cursor::look(&desk.session, "private").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_corrected_address_gets_what_the_wrong_one_never_got() {
    let mut desk = Desk::with(&["wrong"], false);
    two_turns(&desk);
    desk.stores.of("wrong").borrow_mut().otherwise = Some(Answer::Down(None));
    desk.work().await;
    desk.backend = Arc::new(MemoryBackend::new(&["right"], false));
    desk.work().await;
    assert_eq!(desk.delivered("right").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_mistyped_address_that_comes_back_gets_nothing_of_what_went_elsewhere_meanwhile() {
    let mut desk = Desk::with(&["wrong"], false);
    let rollout = two_turns(&desk);
    desk.stores.of("wrong").borrow_mut().otherwise = Some(Answer::Down(None));
    desk.work().await;
    desk.backend = Arc::new(MemoryBackend::new(&["right"], false));
    desk.work().await;
    assert_eq!(desk.delivered("right").len(), 2);
    // Somebody listens there now.
    desk.stores.of("wrong").borrow_mut().otherwise = None;
    desk.backend = Arc::new(MemoryBackend::new(&["wrong"], false));
    assert!(desk.flush(20, None).await.complete);
    assert!(desk.delivered("wrong").is_empty());
    let pending = |id: &str| {
        let status = session_status(&desk.session);
        let place = status.destinations.into_iter().find(|place| place.id == id);
        place.map(|place| (place.pending, place.last_error))
    };
    assert_eq!(pending("wrong"), Some((0, None)));
    rollout.begin("t3");
    desk.hook("UserPromptSubmit", Some("t3"));
    rollout.say("Hm.").end("t3", "Done.");
    desk.work().await;
    assert_eq!(desk.delivered("wrong").len(), 1);
    assert_eq!(desk.delivered("right").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_was_there_all_along_gets_what_it_missed_while_others_come_and_go() {
    let mut desk = Desk::with(&["dead"], false);
    let rollout = two_turns(&desk);
    desk.stores.of("dead").borrow_mut().otherwise = Some(Answer::Down(None));
    desk.work().await;
    desk.backend = Arc::new(MemoryBackend::new(&["dead", "main"], false));
    desk.work().await;
    rollout.begin("t3");
    desk.hook("UserPromptSubmit", Some("t3"));
    rollout.say("Hm.").end("t3", "Done.");
    desk.work().await;
    desk.stores.of("dead").borrow_mut().otherwise = None;
    desk.work().await;
    assert_eq!(desk.delivered("dead").len(), 3);
    assert_eq!(desk.delivered("main").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_one_flush_does_not_know_of_gets_what_it_missed() {
    let mut desk = Desk::with(&["main", "replica"], false);
    two_turns(&desk);
    for name in ["main", "replica"] {
        desk.stores.of(name).borrow_mut().otherwise = Some(Answer::Down(None));
    }
    desk.work().await;
    for name in ["main", "replica"] {
        desk.stores.of(name).borrow_mut().otherwise = None;
    }
    // From a shell without the replica's setting.
    desk.backend = Arc::new(MemoryBackend::new(&["main"], false));
    assert!(desk.flush(20, None).await.complete);
    desk.backend = Arc::new(MemoryBackend::new(&["main", "replica"], false));
    assert!(desk.flush(20, None).await.complete);
    assert_eq!(desk.delivered("main").len(), 2);
    assert_eq!(desk.delivered("replica").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_has_got_something_keeps_its_place_while_it_is_away() {
    let mut desk = Desk::new();
    let rollout = two_turns(&desk);
    desk.work().await;
    desk.store().borrow_mut().otherwise = Some(Answer::Down(None));
    rollout.begin("t3");
    desk.hook("UserPromptSubmit", Some("t3"));
    rollout.say("Hm.").end("t3", "Done.");
    desk.work().await;
    desk.backend = Arc::new(MemoryBackend::new(&["other"], false));
    desk.work().await;
    assert_eq!(desk.delivered("other").len(), 1);
    desk.store().borrow_mut().otherwise = None;
    desk.backend = Arc::new(MemoryBackend::new(&["main"], false));
    desk.work().await;
    assert_eq!(desk.delivered("main").len(), 3);
    assert!(desk.store().borrow().arrivals.values().all(|n| *n == 1));
}

#[tokio::test(start_paused = true)]
async fn a_destination_has_its_name_from_the_moment_it_is_first_tried() {
    let desk = Desk::new();
    two_turns(&desk);
    desk.store().borrow_mut().otherwise = Some(Answer::Hang);
    tokio::select! {
        _ = desk.work() => panic!("the worker waits for an answer"),
        () = sleep(Duration::from_secs(5)) => {}
    }
    let status = session_status(&desk.session).destinations.remove(0);
    assert_eq!((status.label.as_str(), status.pending), ("memory main", 2));
}

#[tokio::test(start_paused = true)]
async fn settings_are_kept_anew_until_something_has_arrived_and_then_no_more() {
    let desk = Desk::new();
    two_turns(&desk);
    let with = |words: &str| {
        let mut course = desk.course();
        course.settings = Some(words.as_bytes().to_vec());
        work(desk.options_with(course), std::future::pending())
    };
    desk.store().borrow_mut().otherwise = Some(Answer::Down(None));
    with("first").await;
    assert_eq!(desk.session.settings().as_deref(), Some(&b"first"[..]));
    assert!(!has_arrived(&desk.session));
    desk.store().borrow_mut().otherwise = None;
    with("corrected").await;
    assert_eq!(desk.session.settings().as_deref(), Some(&b"corrected"[..]));
    assert!(has_arrived(&desk.session));
    with("later").await;
    assert_eq!(desk.session.settings().as_deref(), Some(&b"corrected"[..]));
}
