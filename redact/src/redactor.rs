//! The redactor that the rest of the program uses: rules, limits and images in one.

use std::borrow::Cow;
use std::sync::Arc;

use codex_tracing_transcript::Scrub;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::embedded::Place;
use crate::extra::{self, Extra, Pass};
use crate::images::{self, Binary};
use crate::rules::PLACEHOLDER;
use crate::{embedded, engine, json, limit};

/// JSON in a string in JSON and so on: each level doubles the backslashes, so that this is more
/// than any real text has.
const DEEPEST_EMBEDDED: usize = 12;

/// Rounds of redacting and cutting until both are content.
const ROUNDS: usize = 4;

/// A rule of the user's, run after the built-in ones on texts and on the keys of structured values.
///
/// At most 100 rules are used, with patterns of at most 8 KiB that take at most 1 MiB each and 16 MiB
/// together when compiled. They make no text more than ten times as long (and 128 bytes): a match
/// whose replacement has no room is taken out all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtraRule {
    /// Regular expression in the syntax of the `regex` crate; case-sensitive, every match.
    pub pattern: String,
    /// Replacement, `$1` allowed; default `[redacted]`.
    pub replace: Option<String>,
}

/// An extra rule that was skipped, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("redact rule {index} skipped: {reason}")]
pub struct RuleProblem {
    /// Position in the list, from 0.
    pub index: usize,
    /// What is wrong with its pattern.
    pub reason: String,
}

/// What to do with images and other binary content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Images {
    /// Send as recorded. One that is larger than the limit for texts is replaced by a reference,
    /// since half an image is none.
    #[default]
    Keep,
    /// Replace data URLs by their type, size and hash.
    Reference,
    /// Leave out.
    Omit,
}

/// Scrubs secrets and cuts oversized texts. Cheap to clone.
///
/// Every text goes through the same steps: binary content, built-in rules, extra rules, limit. So
/// a secret is gone before a cut could leave half of it. A text that is JSON is still JSON after
/// the rules (the limit cuts it like any other text). Doing all of it twice changes nothing,
/// provided that the extra rules leave their own replacements alone.
#[derive(Clone)]
pub struct Redactor {
    inner: Arc<Inner>,
}

struct Inner {
    secrets: bool,
    extra: Vec<Extra>,
    max_field_bytes: Option<usize>,
    images: Images,
}

impl Redactor {
    /// Built-in rules (unless `secrets` is false), `extra` rules, a limit for single texts in
    /// bytes, and the treatment of images. Bad extra rules are skipped and reported.
    pub fn new(
        secrets: bool,
        extra: &[ExtraRule],
        max_field_bytes: Option<usize>,
        images: Images,
    ) -> (Self, Vec<RuleProblem>) {
        let (extra, problems) = extra::compile(extra);
        let inner = Inner {
            secrets,
            extra,
            max_field_bytes,
            images,
        };
        (
            Self {
                inner: Arc::new(inner),
            },
            problems,
        )
    }
}

impl Scrub for Redactor {
    fn text(&self, text: Cow<'_, str>) -> String {
        match self.inner.text(&text) {
            Cow::Borrowed(_) => text.into_owned(),
            Cow::Owned(new) => new,
        }
    }

    fn json(&self, value: &mut Value) {
        if !self.inner.is_idle() {
            json::walk(value, &*self.inner);
        }
    }

    fn image(&self, url: Cow<'_, str>) -> String {
        match self.inner.images {
            Images::Omit => images::OMITTED.to_owned(),
            Images::Reference if let Some(binary) = Binary::data_url(&url) => {
                self.text(Cow::Owned(binary.reference()))
            }
            Images::Keep | Images::Reference => self.text(url),
        }
    }
}

impl Inner {
    /// Whether nothing is asked for.
    fn is_idle(&self) -> bool {
        !self.secrets
            && self.extra.is_empty()
            && self.max_field_bytes.is_none()
            && self.images == Images::Keep
    }

    fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        if let Some(binary) = Binary::whole(&text) {
            match self.binary(binary, text.len()) {
                Some(new) => text = Cow::Owned(new),
                None => return text,
            }
        } else if self.images != Images::Keep
            && let Some(new) = images::replace_inline(&text, |binary| self.stand_in(binary))
        {
            text = Cow::Owned(new);
        }
        let allowance = extra::allowance(&text);
        for _ in 0..ROUNDS {
            if let Some(new) = self.rules(&text, 0, Pass::new(&self.extra, &allowance)) {
                text = Cow::Owned(new);
            }
            match self
                .max_field_bytes
                .and_then(|limit| limit::cut(&text, limit))
            {
                Some(new) => text = Cow::Owned(new),
                None => break,
            }
        }
        text
    }

    /// What the built-in and the `extra` rules make of a text; `None` if they leave it as it is.
    fn rules(&self, text: &str, depth: usize, extra: Pass<'_>) -> Option<String> {
        if !self.secrets && extra.is_empty() {
            return None;
        }
        let looks_harmless = || extra.is_empty() && !engine::is_suspicious(text);
        if depth < DEEPEST_EMBEDDED
            && embedded::looks_like_json(text)
            && !looks_harmless()
            && embedded::is_json(text)
        {
            return self.json_text(text, depth, extra);
        }
        let new = self.plain_rules(text, extra)?;
        // What broke the JSON may have been in a secret.
        let is_json_now =
            self.secrets && embedded::looks_like_json(&new) && embedded::is_json(&new);
        let again = is_json_now
            .then(|| self.json_text(&new, depth, extra.done()))
            .flatten();
        Some(again.unwrap_or(new))
    }

    /// The same, whether the text is JSON or not.
    fn plain_rules(&self, text: &str, extra: Pass<'_>) -> Option<String> {
        let mut new = Cow::Borrowed(text);
        if self.secrets {
            new = engine::redact(text);
        }
        if !extra.is_empty() {
            new = extra.apply(new);
            if self.secrets {
                new = Cow::Owned(engine::redact(&new).into_owned());
            }
        }
        (*new != *text).then(|| new.into_owned())
    }

    /// The same for a text that is JSON, which it still is afterwards.
    fn json_text(&self, text: &str, depth: usize, extra: Pass<'_>) -> Option<String> {
        let new = embedded::rewrite(text, |string, place| match place {
            Place::Key => self.plain_rules(string, extra),
            Place::Secret if self.secrets => Some(PLACEHOLDER.to_owned()),
            Place::Secret | Place::Value if Binary::whole(string).is_some() => None,
            Place::Secret | Place::Value => self.rules(string, depth + 1, extra),
        });
        if extra.is_empty() {
            return new;
        }
        // A rule may be written for the text with its quotes. It must leave JSON behind.
        let current = new.as_deref().unwrap_or(text);
        let whole = extra.apply(Cow::Borrowed(current));
        if *whole != *current && embedded::is_json(&whole) {
            // It may have broken JSON inside a string, which is text now.
            let again = self.rules(&whole, depth, extra.done());
            return Some(again.unwrap_or_else(|| whole.into_owned()));
        }
        new
    }

    /// What stands in place of binary content of `length` bytes; `None` if it stays.
    fn binary(&self, binary: Binary<'_>, length: usize) -> Option<String> {
        let is_too_long = self.max_field_bytes.is_some_and(|limit| length > limit);
        (self.images != Images::Keep || is_too_long).then(|| self.stand_in(binary))
    }

    fn stand_in(&self, binary: Binary<'_>) -> String {
        match self.images {
            Images::Omit => images::OMITTED.to_owned(),
            Images::Keep | Images::Reference => binary.reference(),
        }
    }
}

impl json::Strings for Inner {
    fn key(&self, key: &str) -> Option<String> {
        let allowance = extra::allowance(key);
        self.plain_rules(key, Pass::new(&self.extra, &allowance))
    }

    fn named(&self, text: &mut String) {
        if self.secrets && text.len() >= 6 {
            PLACEHOLDER.clone_into(text);
        } else {
            self.plain(text);
        }
    }

    fn plain(&self, text: &mut String) {
        if let Cow::Owned(new) = self.text(text) {
            *text = new;
        }
    }

    fn binary(&self, object: &Map<String, Value>, key: &str) -> Option<String> {
        let binary = Binary::under(object, key)?;
        let length = object.get(key)?.as_str()?.len();
        let new = self.binary(binary, length)?;
        Some(self.text(&new).into_owned())
    }
}
