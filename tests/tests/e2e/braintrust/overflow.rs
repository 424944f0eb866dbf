//! Servers that take only small bodies.

use super::{arrived, on_each, tree};

#[test]
fn what_is_too_large_for_the_server_is_uploaded_and_arrives_whole() {
    on_each("parallel-tools", |stage| {
        stage.collector.set_payload_limit(Some(4_000));
        stage.run().unwrap();
        let rows = arrived(stage, 1);
        assert_eq!(rows.typed("tool").len(), 6, "{}", tree(&rows));
        let requests = stage.collector.requests();
        let announced = requests.iter().filter(|r| r.path == "/logs3/overflow");
        let uploads: Vec<_> = requests.iter().filter(|r| r.method == "PUT").collect();
        assert!(!uploads.is_empty(), "nothing was uploaded");
        assert_eq!(announced.count(), uploads.len());
        // A signed URL is its own credential; the key has no business there.
        assert!(uploads.iter().all(|r| r.key.is_none()));
        // The limit is asked for once and remembered.
        let asked = requests.iter().filter(|r| r.path == "/version").count();
        assert_eq!(asked, 1);
        let refused = requests.iter().filter(|r| r.status == Some(413)).count();
        assert!(refused <= 1, "{refused} bodies were sent in vain");
    });
}
