use std::time::{Duration, Instant};

use serde_json::json;

use super::{KEY, ROOT, post, root_run, send, send_within};
use crate::collector::{Collector, Fault};

const PATH: &str = "/runs/batch";

fn faulty(fault: Fault, times: usize) -> Collector {
    let collector = Collector::start().unwrap();
    collector.inject_times("/runs", fault, times);
    collector
}

fn deliver(collector: &Collector) -> super::Answer {
    let body = json!({"post": [root_run()]}).to_string();
    send(collector, "POST", PATH, KEY, body.as_bytes())
}

#[test]
fn a_status_is_answered_as_often_as_told_and_nothing_is_taken() {
    let collector = faulty(Fault::Status(429, Some(7)), 2);
    for _ in 0..2 {
        let (status, answer) = deliver(&collector).unwrap();
        assert_eq!(status, 429);
        assert!(answer.contains("retry-after: 7"), "{answer}");
    }
    assert!(collector.runs().all().is_empty());
    assert_eq!(deliver(&collector).unwrap().0, 202);
    let answers: Vec<_> = collector
        .requests()
        .iter()
        .map(|request| request.status)
        .collect();
    assert_eq!(answers, [Some(429), Some(429), Some(202)]);
}

#[test]
fn a_dropped_connection_has_taken_the_request() {
    let collector = faulty(Fault::DropAfterRead, 1);
    assert!(deliver(&collector).is_err());
    assert!(collector.runs().get(ROOT).is_some());
    assert_eq!(deliver(&collector).unwrap().0, 409);
}

#[test]
fn a_half_closed_answer_has_taken_the_request() {
    let collector = faulty(Fault::HalfClose, 1);
    assert!(deliver(&collector).is_err());
    assert_eq!(collector.requests()[0].status, None);
    assert!(collector.runs().get(ROOT).is_some());
}

#[test]
fn a_hanging_request_is_never_answered_and_not_taken() {
    let collector = faulty(Fault::Hang, 1);
    let body = json!({"post": [root_run()]}).to_string();
    let limit = Duration::from_secs(2);
    let answer = send_within(limit, &collector, "POST", PATH, KEY, body.as_bytes());
    assert!(answer.is_err(), "{answer:?}");
    // One that comes later is answered: the first would have been.
    assert_eq!(post(&collector, PATH, &json!({"post": []})).0, 202);
    assert!(collector.runs().all().is_empty());
    assert_eq!(collector.requests().len(), 2);
}

#[test]
fn a_delay_only_delays() {
    let delay = Duration::from_millis(120);
    let collector = faulty(Fault::Delay(delay), 1);
    let started = Instant::now();
    assert_eq!(deliver(&collector).unwrap().0, 202);
    assert!(started.elapsed() >= delay);
}

#[test]
fn a_payload_limit_only_meets_what_exceeds_it() {
    let collector = Collector::start().unwrap();
    collector.inject("/runs", Fault::PayloadLimit(100));
    assert_eq!(deliver(&collector).unwrap().0, 413);
    assert_eq!(post(&collector, PATH, &json!({"post": []})).0, 202);
    collector.heal();
    assert_eq!(deliver(&collector).unwrap().0, 202);
}

#[test]
fn a_fault_meets_only_its_path_and_a_collector_can_come_back_on_its_port() {
    let collector = Collector::start().unwrap();
    collector.inject("/logs3", Fault::Status(500, None));
    assert_eq!(deliver(&collector).unwrap().0, 202);
    let port = collector.port();
    drop(collector);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    let again = Collector::start_on(port).unwrap();
    assert_eq!(deliver(&again).unwrap().0, 202);
}
