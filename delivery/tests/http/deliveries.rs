//! The sender over real sockets, against a collector that fails in every way it can.

use std::sync::Arc;
use std::time::Duration;

use codex_tracing_delivery::{
    Deadline, FactsStore, HttpClient, HttpOptions, Item, RetryPolicy, SendReport, Sender, Throttle,
};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::KEY;
use crate::collector::{Collector, Wire};
use crate::failures::{LARGE, slow_reader};
use crate::server::{Reply, answer, answer_with};

/// Waits short enough for tests on real time.
fn fast() -> RetryPolicy {
    RetryPolicy {
        initial: Duration::from_millis(2),
        max: Duration::from_millis(10),
        retry_after_cap: Duration::from_millis(20),
        ..RetryPolicy::default()
    }
}

fn sender(collector: &Collector, folder: &TempDir, silence: Duration) -> Sender {
    let options = HttpOptions {
        read_timeout: silence,
        total_timeout: silence * 2,
        ..HttpOptions::new("codex-tracing/test")
    };
    let client = HttpClient::new(&options).unwrap();
    let facts = FactsStore::new(folder.path());
    let backend = Arc::new(collector.backend());
    Sender::new(backend, Wire::destination(), client, facts).with_retry(fast(), 1)
}

async fn send(collector: &Collector, items: Vec<Item>) -> SendReport {
    send_with(collector, items, Duration::from_secs(20)).await
}

async fn send_with(collector: &Collector, items: Vec<Item>, silence: Duration) -> SendReport {
    let folder = tempfile::tempdir().unwrap();
    let mut sender = sender(collector, &folder, silence);
    let deadline = Instant::now() + Duration::from_mins(1);
    let report = sender.send(items, deadline).await;
    assert!(!format!("{report:?}").contains(KEY));
    report
}

fn items(count: usize) -> Vec<Item> {
    let body = |id: &str| format!(r#"{{"id":"{id}","input":"text of {id}"}}"#).into_bytes();
    (0..count)
        .map(|number| format!("i{number:03}"))
        .map(|id| Item {
            body: body(&id),
            id,
            known: false,
        })
        .collect()
}

fn ids(items: &[Item]) -> Vec<String> {
    items.iter().map(|item| item.id.clone()).collect()
}

#[tokio::test]
async fn whatever_fails_on_the_way_each_item_arrives_in_the_end() {
    let faults = [
        Reply::Drop,
        answer(500, "oops"),
        answer_with(429, "Retry-After: 1"),
        Reply::HalfBody,
        answer_with(503, "Retry-After: 3600"),
        Reply::Garbage,
        answer(408, ""),
    ];
    // Each fault strikes after the items were stored, and again before.
    let collector = Collector::with_faults(faults.iter().chain(&faults).cloned()).await;
    let items = items(30);
    let report = send(&collector, items.clone()).await;
    assert_eq!(report.acknowledged, ids(&items));
    assert_eq!(collector.stored(), ids(&items));
    assert!(report.last_error.is_some());
    assert_eq!(report.unsent, []);
}

#[tokio::test]
async fn a_collector_that_never_answers_costs_no_more_than_the_time_out() {
    let collector = Collector::with_faults([Reply::Silence, Reply::Drip]).await;
    let items = items(3);
    let silence = Duration::from_millis(300);
    let report = send_with(&collector, items.clone(), silence).await;
    assert_eq!(report.acknowledged, ids(&items));
    assert!(
        report
            .last_error
            .unwrap()
            .contains("did not answer in time")
    );
}

#[tokio::test]
async fn a_large_body_on_its_way_over_a_slow_line_arrives_though_the_attempt_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let client = HttpClient::new(&HttpOptions::new("codex-tracing/test")).unwrap();
    let large = Item {
        id: "large".to_owned(),
        body: vec![b'1'; LARGE],
        known: false,
    };
    let moment = Duration::from_secs(2);
    for (last, arrives) in [(Some(moment * 2), false), (None, true)] {
        let line = slow_reader(Duration::from_millis(200)).await;
        let backend = Arc::new(Wire::at(format!("http://{line}/")));
        let facts = FactsStore::new(folder.path());
        let mut sender = Sender::new(backend, Wire::destination(), client.clone(), facts);
        let began_at = Instant::now();
        let deadline = Deadline {
            until: began_at + moment,
            at_last: last.map(|last| began_at + last),
        };
        let report = sender.send(vec![large.clone()], deadline).await;
        assert!(began_at.elapsed() >= moment * 2);
        let error = report.last_error;
        assert_eq!(report.acknowledged.len(), usize::from(arrives), "{error:?}");
    }
}

#[tokio::test]
async fn the_poison_among_a_hundred_is_rejected_alone_with_the_servers_words() {
    let collector = Collector::with_faults([]).await.refusing("i042");
    let report = send(&collector, items(100)).await;
    assert_eq!(
        report.rejected,
        [(
            "i042".to_owned(),
            "HTTP 422: i042 is not welcome".to_owned()
        )]
    );
    assert_eq!(report.acknowledged.len(), 99);
    assert_eq!(collector.stored(), report.acknowledged);
    assert!(collector.requests() <= 15, "{}", collector.requests());
}

#[tokio::test]
async fn batches_over_the_size_limit_are_split_and_an_oversized_item_arrives_shrunk() {
    let collector = Collector::with_faults([]).await.taking(2000);
    let mut items = items(50);
    let huge = format!(r#"{{"id":"i007","input":"{}"}}"#, "x".repeat(100_000));
    items[7].body = huge.into_bytes();
    let report = send(&collector, items.clone()).await;
    assert_eq!(report.acknowledged, ids(&items));
    assert_eq!(report.shrunk, ["i007"]);
    let stored = collector.item("i007");
    assert_eq!(stored["id"], "i007");
    let marker = stored["input"].as_str().unwrap();
    assert!(marker.contains("100002 bytes left out"), "{marker}");
}

#[tokio::test]
async fn a_refused_key_stops_and_the_corrected_one_delivers_the_backlog() {
    let collector = Collector::with_faults([answer(401, &format!("unknown key {KEY}"))]).await;
    let items = items(5);
    let report = send(&collector, items.clone()).await;
    assert_eq!(ids(&report.unsent), ids(&items));
    assert_eq!(
        report.stopped.as_deref(),
        Some("HTTP 401: unknown key [redacted]")
    );
    assert_eq!(collector.requests(), 1);
    let report = send(&collector, report.unsent).await;
    assert_eq!(report.acknowledged, ids(&items));
}

#[tokio::test]
async fn many_senders_of_one_process_spare_a_busy_collector() {
    let busy = std::iter::repeat_n(answer_with(429, "Retry-After: 1"), 3);
    let collector = Collector::with_faults(busy).await;
    let throttle = Throttle::new();
    let senders = (0..8).map(|_| {
        let (collector, throttle) = (collector.clone(), throttle.clone());
        tokio::spawn(async move {
            let folder = tempfile::tempdir().unwrap();
            let silence = Duration::from_secs(20);
            let mut sender = sender(&collector, &folder, silence).with_throttle(throttle);
            let deadline = Instant::now() + Duration::from_mins(1);
            sender.send(items(3), deadline).await
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        assert_eq!(sender.await.unwrap().acknowledged, ids(&items(3)));
    }
    assert_eq!(collector.stored(), ids(&items(3)));
    assert!(collector.requests() <= 8 + 3);
}
