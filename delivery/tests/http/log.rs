//! The log of a whole delivery: what it tells, and what it must never tell. Being one per
//! process, it also holds what the other tests of this file's process have to say.

use std::sync::Arc;
use std::time::Duration;

use codex_tracing_delivery::{
    FactsStore, HttpClient, HttpOptions, Item, LogState, RetryPolicy, Sender, init_logging,
};
use tokio::time::Instant;

use crate::KEY;
use crate::collector::{Collector, Wire};
use crate::server::{Reply, answer};

#[tokio::test]
async fn failures_are_logged_with_their_host_and_without_key_or_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("codex-tracing.log");
    assert_eq!(init_logging(&path, Some("debug")), LogState::On);
    let again = init_logging(&path, Some("debug"));
    assert!(matches!(again, LogState::Failed(_)), "one log per process");

    let quoting = format!("what is {KEY}?");
    let faults = [Reply::Drop, answer(500, &quoting), answer(401, &quoting)];
    let collector = Collector::with_faults(faults).await.refusing("i1");
    let backend = collector.backend();
    let destination = Wire::destination();
    let client = HttpClient::new(&HttpOptions::new("codex-tracing/test")).unwrap();
    let policy = RetryPolicy {
        initial: Duration::from_millis(1),
        ..RetryPolicy::default()
    };
    let facts = FactsStore::new(folder.path().join("facts"));
    let mut sender =
        Sender::new(Arc::new(backend), destination, client, facts).with_retry(policy, 1);
    let mut items: Vec<Item> = (0..3)
        .map(|number| Item {
            id: format!("i{number}"),
            body: format!(r#"{{"id":"i{number}","input":"planted-content"}}"#).into_bytes(),
            known: false,
        })
        .collect();
    for _ in 0..2 {
        let deadline = Instant::now() + Duration::from_secs(30);
        items = sender.send(items, deadline).await.unsent;
    }
    assert_eq!(items, []);

    let log = std::fs::read_to_string(path).unwrap();
    for told in [
        "collector",
        "the connection to 127.0.0.1",
        "500",
        "[redacted]",
        "i1 is not welcome",
    ] {
        assert!(log.contains(told), "{told} is not in\n{log}");
    }
    for secret in [KEY, "planted-content"] {
        assert!(!log.contains(secret), "{log}");
    }
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}
