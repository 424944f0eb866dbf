//! What a server can do: the answer of `GET /info`, kept in [`Facts`].

use codex_tracing_delivery::{Facts, Limits};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// Whether multipart ingestion is offered: `true` unless the server said otherwise.
const MULTIPART: &str = "multipart";
/// Whether bodies may be compressed with zstd: `false` unless the server said otherwise.
const ZSTD: &str = "zstd";
/// Runs per request.
const RUNS: &str = "runs";
/// Bytes per request.
const BYTES: &str = "bytes";
/// `asked` or `failed`.
const INFO: &str = "info";

/// How long an answer is believed.
const FRESH: SignedDuration = SignedDuration::from_hours(24);
/// How long a failure is remembered before the server is asked again.
const FRESH_FAILURE: SignedDuration = SignedDuration::from_mins(15);

/// Runs per request where the server names no number.
const DEFAULT_RUNS: usize = 100;
/// Bytes per request where the server names no number, and the most in any case: 20 MiB.
const MAX_BYTES: usize = 20 * 1024 * 1024;
/// What the multipart frame of one run may take.
const FRAME_BYTES: usize = 1536;

/// Whether `/info` need not be asked.
pub(crate) fn is_fresh(facts: &Facts, now: Timestamp) -> bool {
    let Some(learned_at) = facts.learned_at else {
        return false;
    };
    let failed = facts
        .values
        .get(INFO)
        .is_some_and(|value| value == "failed");
    let age = now.duration_since(learned_at);
    // A negative age means that the clock was set back: ask.
    !age.is_negative() && age < if failed { FRESH_FAILURE } else { FRESH }
}

/// Takes the answer of `/info`; `None` for one that is of no use. Nothing here is fatal: without
/// an answer the defaults hold, or what an earlier answer said.
pub(crate) fn learn(facts: &mut Facts, body: Option<&[u8]>, now: Timestamp) {
    let info: Option<Value> = body.and_then(|body| serde_json::from_slice(body).ok());
    facts.learned_at = Some(now);
    let mut set = |name: &str, value: String| facts.values.insert(name.to_owned(), value);
    let Some(info) = info.filter(Value::is_object) else {
        set(INFO, "failed".to_owned());
        return;
    };
    set(INFO, "asked".to_owned());
    let ingest = &info["batch_ingest_config"];
    let multipart = ingest["use_multipart_endpoint"].as_bool().unwrap_or(true);
    set(MULTIPART, multipart.to_string());
    let zstd = info["instance_flags"]["zstd_compression_enabled"].as_bool();
    set(ZSTD, zstd.unwrap_or(false).to_string());
    for (name, field) in [(RUNS, "size_limit"), (BYTES, "size_limit_bytes")] {
        match ingest[field].as_u64().filter(|limit| *limit > 0) {
            Some(limit) => facts.values.insert(name.to_owned(), limit.to_string()),
            None => facts.values.remove(name),
        };
    }
}

/// Whether to send multipart requests.
pub(crate) fn has_multipart(facts: &Facts) -> bool {
    facts
        .values
        .get(MULTIPART)
        .is_none_or(|value| value != "false")
}

/// Notes that the server knows no multipart endpoint, until `/info` is asked again.
pub(crate) fn forget_multipart(facts: &mut Facts) {
    facts
        .values
        .insert(MULTIPART.to_owned(), "false".to_owned());
}

/// Whether to compress.
pub(crate) fn has_zstd(facts: &Facts) -> bool {
    facts.values.get(ZSTD).is_some_and(|value| value == "true")
}

/// How much one request may hold.
pub(crate) fn limits(facts: &Facts) -> Limits {
    let number = |name: &str| facts.values.get(name).and_then(|value| value.parse().ok());
    let items: usize = number(RUNS).unwrap_or(DEFAULT_RUNS).max(1);
    let bytes: usize = number(BYTES).unwrap_or(MAX_BYTES).min(MAX_BYTES);
    // The limit is on the request, of which the bodies are a part.
    let frames = items.saturating_mul(FRAME_BYTES).min(bytes / 2);
    Limits {
        items,
        bytes: bytes - frames,
    }
}
