//! Tokens in LangSmith's shape.

use codex_tracing_transcript::Usage;
use serde_json::{Map, Value, json};

/// `usage_metadata`: input with all that was cached, output with reasoning. The details name what
/// is part of them, so nothing is added or taken away.
pub(super) fn usage_metadata(usage: &Usage) -> Value {
    let mut input = Map::new();
    input.insert("cache_read".to_owned(), json!(usage.cached));
    if usage.cache_write > 0 {
        input.insert("cache_creation".to_owned(), json!(usage.cache_write));
    }
    json!({
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "total_tokens": total(usage),
        "input_token_details": input,
        "output_token_details": { "reasoning": usage.reasoning },
    })
}

/// The turn's own tokens in Codex's words. This is no `usage_metadata`: LangSmith does not count
/// it, and so does not count the calls' tokens twice.
pub(super) fn usage_totals(usage: &Usage) -> Value {
    json!({
        "input_tokens": usage.input,
        "cached_input_tokens": usage.cached,
        "cache_write_input_tokens": usage.cache_write,
        "output_tokens": usage.output,
        "reasoning_output_tokens": usage.reasoning,
        "total_tokens": total(usage),
    })
}

fn total(usage: &Usage) -> u64 {
    if usage.total > 0 {
        usage.total
    } else {
        usage.input.saturating_add(usage.output)
    }
}
