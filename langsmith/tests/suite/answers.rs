//! Any answer of a server: no panic, and words that fit into a status line.
//!
//! [`exercise`] is shared by the fuzz target and the bounded test.

use codex_tracing_config::{Context, Environment};
use codex_tracing_delivery::{Backend, Facts, Item, Response, Step, Verdict};
use codex_tracing_langsmith::LangSmith;
use codex_tracing_redact::{Images, Redactor};
use jiff::Timestamp;

/// Learns from an answer and settles a batch with it. The first bytes are status, step and
/// `Retry-After`; the rest is the body.
pub(crate) fn exercise(bytes: &[u8]) {
    let (head, body) = bytes.split_at(bytes.len().min(4));
    let byte = |at: usize| head.get(at).copied().unwrap_or_default();
    let response = Response {
        status: 100 + u16::from_be_bytes([byte(0), byte(1)]) % 500,
        retry_after: Some(std::time::Duration::from_secs(u64::from(byte(2)))),
        content_type: None,
        body: body.to_vec(),
    };
    let env = Environment::from_pairs([
        ("TRACE_TO_LANGSMITH", "true"),
        ("LANGSMITH_API_KEY", "lsv2_pt_0123456789abcdef"),
    ]);
    let settings = codex_tracing_config::langsmith(&Context::new(env, "/nowhere".into())).settings;
    let (redactor, _) = Redactor::new(true, &[], None, Images::Keep);
    let backend = LangSmith::new(&settings, redactor, "1.0.0");
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
