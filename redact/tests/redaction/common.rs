//! What the tests of this crate share.

use std::borrow::Cow;

use codex_tracing_redact::{Images, Redactor};
use codex_tracing_transcript::Scrub;
use serde_json::Value;

/// A redactor with the built-in rules and nothing else.
pub(crate) fn built_in() -> Redactor {
    let (redactor, problems) = Redactor::new(true, &[], None, Images::Keep);
    assert!(problems.is_empty(), "{problems:?}");
    redactor
}

/// The text as the built-in rules leave it.
pub(crate) fn scrub(text: &str) -> String {
    built_in().text(Cow::Borrowed(text))
}

/// The same for a value.
pub(crate) fn scrub_json(value: &mut Value) {
    built_in().json(value);
}
