//! JSON inside a string: arguments and outputs of tools, files that were printed.
//!
//! The text is not written anew: only the string literals that change are, so that spaces, order,
//! duplicate keys and the digits of numbers stay, and JSON stays JSON.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use crate::rules;

/// Where a string stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is a key.
    Key,
    /// Its key, or what stands before it, says that it is a secret.
    Secret,
    /// Anywhere else.
    Value,
}

/// Whether the text begins like JSON that has strings in it.
pub(crate) fn looks_like_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[', '"'])
}

/// Whether the whole text is JSON.
pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// `text`, which must be JSON, with each string that `scrub` changes replaced. `scrub` gets the
/// decoded string and where it stands.
pub(crate) fn rewrite(text: &str, scrub: impl Fn(&str, Place) -> Option<String>) -> Option<String> {
    let mut result = String::new();
    let mut copied = 0;
    let mut context = Context::default();
    for literal in (Literals { text, at: 0 }) {
        let raw = text.get(literal.start..literal.end)?;
        let string = decode(raw);
        let between = text.get(literal.previous_end..literal.start)?;
        let place = if literal.is_key {
            context.key(&string);
            Place::Key
        } else if context.value_is_secret(&string, between) {
            Place::Secret
        } else {
            Place::Value
        };
        if let Some(new) = scrub(&string, place) {
            result.push_str(text.get(copied..literal.start)?);
            result.push_str(&serde_json::to_string(&new).ok()?);
            copied = literal.end;
        }
    }
    if copied == 0 {
        return None;
    }
    result.push_str(text.get(copied..)?);
    Some(result)
}

/// The string a literal stands for. One that no string can stand for (half of a surrogate pair)
/// is taken as it is written.
fn decode(raw: &str) -> Cow<'_, str> {
    let inner = raw
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(raw);
    if inner.contains('\\') {
        serde_json::from_str(raw).map_or(Cow::Borrowed(inner), Cow::Owned)
    } else {
        Cow::Borrowed(inner)
    }
}

/// What the strings before it say about a string.
#[derive(Default)]
struct Context {
    /// The key the next value stands under.
    key: Option<String>,
    /// The value under the `name` of this object says secret.
    pair: bool,
    /// The string before was an option such as `--token`.
    option: bool,
}

impl Context {
    fn key(&mut self, key: &str) {
        self.key = Some(key.to_owned());
        self.option = false;
    }

    fn value_is_secret(&mut self, value: &str, between: &str) -> bool {
        let follows_option = std::mem::take(&mut self.option) && between.trim() == ",";
        if between.contains(['{', '}']) && !between.contains(':') {
            self.key = None;
        }
        self.option = value
            .strip_prefix("--")
            .is_some_and(rules::key_names_secret);
        if follows_option && value.len() >= 6 && !value.starts_with('-') {
            return true;
        }
        let Some(key) = &self.key else {
            return false;
        };
        if matches!(key.as_str(), "name" | "key" | "Name" | "Key") {
            self.pair = rules::key_names_secret(value);
        } else if key.eq_ignore_ascii_case("value") && std::mem::take(&mut self.pair) {
            return value.len() >= 6;
        }
        rules::names_secret_exactly(key, value)
    }
}

/// A string literal with its quotes.
struct Literal {
    start: usize,
    end: usize,
    /// Where the literal before it ended.
    previous_end: usize,
    is_key: bool,
}

/// The string literals of valid JSON, in order.
struct Literals<'t> {
    text: &'t str,
    at: usize,
}

impl Iterator for Literals<'_> {
    type Item = Literal;

    fn next(&mut self) -> Option<Literal> {
        let bytes = self.text.as_bytes();
        let previous_end = self.at;
        let start = self.at
            + bytes
                .get(self.at..)?
                .iter()
                .position(|&byte| byte == b'"')?;
        let mut end = start + 1;
        loop {
            match bytes.get(end)? {
                b'\\' => end += 2,
                b'"' => break,
                _ => end += 1,
            }
        }
        end += 1;
        self.at = end;
        let after = bytes
            .get(end..)?
            .iter()
            .find(|byte| !byte.is_ascii_whitespace());
        Some(Literal {
            start,
            end,
            previous_end,
            is_key: after == Some(&b':'),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changed_literals_are_written_anew() {
        let text = "{ \"a\" : 1.10, \"token\":\"abcdefgh\",\n\"a\": [\"x\\u0041\", 1e400] }";
        let scrub = |string: &str, place: Place| {
            (place == Place::Secret || string == "xA").then(|| "new \"one\"".to_owned())
        };
        assert_eq!(
            rewrite(text, scrub).as_deref(),
            Some(
                "{ \"a\" : 1.10, \"token\":\"new \\\"one\\\"\",\n\"a\": [\"new \\\"one\\\"\", 1e400] }"
            )
        );
        assert_eq!(rewrite(text, |_, _| None), None);
    }
}
