//! Any answer of a server: no panic, and words that fit into a status line.

use jiff::Timestamp;

use crate::{Backend, Facts, Item, Response, Step, Verdict};

/// Bodies as servers, gateways and login pages may answer with.
pub const BODIES: &[&str] = &[
    "",
    "null",
    "[]",
    "{}",
    "{\"org_info\":[{\"name\":\"\u{1b}[2J\",\"api_url\":\"https://x\"}]}",
    "{\"org_info\":[]}",
    "{\"id\":\"p\"}",
    "{\"id\":7}",
    "{\"batch_ingest_config\":{\"size_limit\":0,\"size_limit_bytes\":18446744073709551615}}",
    "{\"batch_ingest_config\":[],\"instance_flags\":\"x\"}",
    "{\"logs3_payload_max_bytes\":1}",
    "{\"method\":\"PUT\",\"signedUrl\":\"https://x/y\",\"headers\":{},\"key\":\"k\"}",
    "<html>\u{7}\u{9b}</html>",
];

/// Each of [`BODIES`], a deep and a long one, at every status that means something, as [`exercise`]
/// takes them.
pub fn every(mut take: impl FnMut(&[u8])) {
    let deep = "[".repeat(100_000);
    let long = format!(
        "{{\"org_info\":[{{\"name\":\"{0}\"}}],\"id\":\"{0}\",\"error\":\"{0}\"}}",
        "n".repeat(100_000)
    );
    let more = [deep.as_str(), long.as_str()];
    for body in BODIES.iter().copied().chain(more) {
        for status in [
            200_u16, 202, 302, 400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 599,
        ] {
            let [high, low] = (status - 100).to_be_bytes();
            take(&[&[high, low, 255, 7], body.as_bytes()].concat());
        }
    }
}

/// Learns from an answer and settles a batch with it. The first bytes are status, step and
/// `Retry-After`; the rest is the body.
pub fn exercise(backend: &impl Backend, bytes: &[u8]) {
    let (head, body) = bytes.split_at(bytes.len().min(4));
    let byte = |at: usize| head.get(at).copied().unwrap_or_default();
    let response = Response {
        status: 100 + u16::from_be_bytes([byte(0), byte(1)]) % 500,
        retry_after: Some(std::time::Duration::from_secs(u64::from(byte(2)))),
        content_type: None,
        body: body.to_vec(),
    };
    let destination = &backend.destinations()[0];
    let now = Timestamp::UNIX_EPOCH;
    let mut facts = Facts::default();
    told(&backend.learn(destination, &mut facts, &response, now));
    let _ = backend.handshake(destination, &facts, now);
    let limits = backend.limits(destination, &facts);
    assert!(limits.items > 0 && limits.bytes <= 20 << 20, "{limits:?}");
    let items = [
        Item {
            id: "a".to_owned(),
            body: br#"{"id":"a"}"#.to_vec(),
            known: false,
        },
        Item {
            id: "b".to_owned(),
            body: body.to_vec(),
            known: false,
        },
    ];
    let items: Vec<&Item> = items.iter().collect();
    for count in 1..=items.len() {
        let items = &items[..count];
        let _ = backend.request(destination, &facts, items);
        for step in 0..=usize::from(byte(3) % 8) {
            match backend.settle(destination, &mut facts, items, step, &response) {
                Step::Done(verdict) => told(&verdict),
                Step::Next(_) => {}
            }
        }
    }
    let kept: usize = facts.values.values().map(String::len).sum();
    assert!(kept <= 4096, "{kept} bytes of facts");
}

/// Words are shown in a terminal and kept in the cursor.
fn told(verdict: &Verdict) {
    if let Verdict::Reject(words) | Verdict::Stop(words) = verdict {
        assert!(words.chars().count() <= 1000, "{} characters", words.len());
        assert!(!words.contains(char::is_control), "{words:?}");
    }
}
