//! The gate that every text passes on its way into the model.

use std::borrow::Cow;

use serde_json::Value;

/// Changes content while records are assembled, so that nothing behind the assembler ever holds
/// the original. Called once per text, whatever the number of model calls that later repeat it.
///
/// Implementations must be pure and idempotent.
pub trait Scrub: Send + Sync {
    /// A free text: prompt, answer, reasoning, tool output, error, tool argument string.
    fn text(&self, text: Cow<'_, str>) -> String;

    /// A structured value; only its strings may change, its shape must not.
    fn json(&self, value: &mut Value);

    /// The address of an image: a data URL, a web URL or a path.
    fn image(&self, url: Cow<'_, str>) -> String;
}

/// Changes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Verbatim;

impl Scrub for Verbatim {
    fn text(&self, text: Cow<'_, str>) -> String {
        text.into_owned()
    }

    fn json(&self, _: &mut Value) {}

    fn image(&self, url: Cow<'_, str>) -> String {
        url.into_owned()
    }
}
