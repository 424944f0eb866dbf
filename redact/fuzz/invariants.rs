//! What must hold for any bytes. Used by the fuzz target and by a bounded test.

use std::borrow::Cow;

use codex_tracing_redact::{ExtraRule, Images, MuteState, Redactor};
use codex_tracing_transcript::Scrub;
use serde_json::Value;

/// Longest marker of a cut text, in bytes.
const MARKER: usize = 64;

/// Panics if redaction of these bytes breaks a promise.
pub fn check(bytes: &[u8]) {
    // The first byte chooses the settings, the rest is the text.
    let (settings, bytes) = bytes.split_first().unwrap_or((&0, &[]));
    let limit = (settings & 1 != 0).then_some(usize::from(settings >> 2) * 8);
    let images = match settings & 6 {
        2 => Images::Reference,
        4 => Images::Omit,
        _ => Images::Keep,
    };
    let (redactor, _) = Redactor::new(true, &[], limit, images);
    let text = String::from_utf8_lossy(bytes);

    let once = redactor.text(Cow::Borrowed(&text));
    assert_eq!(redactor.text(Cow::Borrowed(&once)), once, "not idempotent");
    if let Some(limit) = limit {
        assert!(once.len() <= limit + MARKER, "longer than the limit");
    }

    if let Ok(mut value) = serde_json::from_slice::<Value>(bytes) {
        if limit.is_none() {
            serde_json::from_str::<Value>(&once).expect("JSON is no longer JSON");
        }
        redactor.json(&mut value);
        let before = value.clone();
        redactor.json(&mut value);
        assert_eq!(value, before, "not idempotent for a value");
    }

    redactor.image(Cow::Borrowed(&text));
    MuteState::parse(bytes);
    let rule = ExtraRule {
        pattern: text.chars().take(64).collect(),
        replace: None,
    };
    Redactor::new(false, &[rule], None, Images::Keep);
}
