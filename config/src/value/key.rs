//! API keys: what they look like, and how they are shown.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::Reading;
use super::url::unquote;
use crate::context::Environment;
use crate::field::Kind;
use crate::warning::{Found, Problem, is_showable};

/// A key and the variables it was read from, if a file said `${VAR}`.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) secret: SecretString,
    pub(crate) via: Vec<String>,
}

/// A key as written: trimmed, without one pair of quotes, in a file with `${VAR}` filled in.
pub(super) fn check(written: &str, reading: &mut Reading<'_>) -> Result<Key, Problem> {
    let written = unquote(written.trim()).trim();
    let (secret, via) = if reading.expand {
        expand(written, &reading.ctx.env)?
    } else {
        (written.to_owned(), Vec::new())
    };
    if secret.is_empty() || !secret.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Problem::Unexpected {
            expected: Kind::Key.expected(),
            found: Found::Text,
        });
    }
    // Told, and kept all the same: what a server takes for a key is its business.
    if is_reference_elsewhere(&secret) {
        let in_file = reading.expand;
        reading.note(String::new(), Problem::NoReference { in_file });
    } else if is_placeholder(&secret) {
        reading.note(String::new(), Problem::Placeholder);
    }
    Ok(Key {
        secret: SecretString::from(secret),
        via,
    })
}

/// The text with every `${NAME}` replaced, and the names.
fn expand(written: &str, env: &Environment) -> Result<(String, Vec<String>), Problem> {
    let mut text = String::with_capacity(written.len());
    let mut names = Vec::new();
    let mut rest = written;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else {
            // Not a reference: `${` stands for itself.
            text.push_str(before);
            text.push_str("${");
            rest = after;
            continue;
        };
        // Who takes the braces for part of the notation puts the key itself between them.
        let set = Some(name).filter(|name| is_name(name));
        let Some(value) = set.and_then(|name| env.get(name)) else {
            let told = is_name(name) && !may_be_key(name);
            let name = name.to_owned();
            return Err(if told {
                Problem::UnsetVariable { name }
            } else {
                Problem::NoVariable
            });
        };
        text.push_str(before);
        text.push_str(value.trim());
        names.push(name.to_owned());
        rest = after;
    }
    text.push_str(rest);
    Ok((text, names))
}

/// Whether a key as written in a file is nothing but a reference to a variable.
pub(crate) fn is_reference(written: &str) -> bool {
    let braced = written.trim().strip_prefix("${");
    braced
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|name| is_name(name) && !may_be_key(name))
}

/// Whether what is spelled like a name may be a key: names of variables have words in them.
fn may_be_key(name: &str) -> bool {
    begins_key(name) || (!is_showable(name) && !name.contains('_'))
}

/// Whether it is spelled like a variable's name. So are some keys.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn is_placeholder(key: &str) -> bool {
    key.starts_with('<')
        || key.starts_with("your-")
        || key.starts_with("your_")
        || key.ends_with("...")
}

/// Whether a key is a variable's name in the notation of a shell or of Windows, or `${NAME}` where
/// that is not read. No key has such signs in it.
fn is_reference_elsewhere(key: &str) -> bool {
    let windows = key.strip_prefix('%').and_then(|key| key.strip_suffix('%'));
    key.contains("${") || key.strip_prefix('$').is_some_and(is_name) || windows.is_some_and(is_name)
}

/// A key as it may be shown: `lsv2_…a1b2`, or only `…` if it is too short to give anything away.
pub(crate) fn mask(key: &SecretString) -> String {
    let key = key.expose_secret();
    let count = key.chars().count();
    if count < 20 {
        return "…".to_owned();
    }
    let prefix: String = match key.find(['_', '-']) {
        Some(end) if end < 6 => key.chars().take(end + 1).collect(),
        _ => String::new(),
    };
    let tail: String = key.chars().skip(count - 4).collect();
    format!("{prefix}…{tail}")
}

/// What the products' keys begin with.
const PREFIXES: [&str; 5] = ["lsv2_", "lsv2-", "ls__", "sk-", "bt-st-"];

/// Shortest text after which a prefix is taken for a key's.
const SHORTEST: usize = 20;

/// Whether a key of one of the products begins anywhere in the text, however short it is.
pub(crate) fn begins_key(text: &str) -> bool {
    starts(text).next().is_some()
}

/// Whether the text holds what looks like a key of one of the products. Keys turn up in places that
/// are not meant for them, where they would be shown or sent.
pub(crate) fn holds_key(text: &str) -> bool {
    next_key(text).is_some()
}

/// The text with what looks like a key masked.
pub(crate) fn mask_keys(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, key, after)) = next_key(rest) {
        shown.push_str(before);
        shown.push_str(&mask(&SecretString::from(key)));
        rest = after;
    }
    shown.push_str(rest);
    shown
}

/// The value with what looks like a key masked in every text in it.
pub(crate) fn masked(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::from(mask_keys(text)),
        Value::Array(items) => items.iter().map(masked).collect(),
        Value::Object(members) => Value::Object(masked_members(members)),
        other => other.clone(),
    }
}

/// The same for the members of an object, their names included.
pub(crate) fn masked_members(members: &Map<String, Value>) -> Map<String, Value> {
    let members = members.iter();
    members
        .map(|(name, value)| (mask_keys(name), masked(value)))
        .collect()
}

/// The first key in the text, with what stands before and after it.
fn next_key(text: &str) -> Option<(&str, &str, &str)> {
    let belongs = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    starts(text).find_map(|start| {
        let (before, rest) = text.split_at(start);
        let (key, after) = rest.split_at(rest.find(|c| !belongs(c)).unwrap_or(rest.len()));
        // Words such as `eu-sk-gateway` and `sk-learn-experiments`.
        let digits = key.bytes().filter(u8::is_ascii_digit).count();
        let is_words = key.starts_with("sk-") && digits < if before.ends_with('-') { 4 } else { 1 };
        (key.len() >= SHORTEST && !is_words).then_some((before, key, after))
    })
}

/// Where prefixes of keys stand. `sk-` is the end of some words too, such as `task-`; what follows
/// a backslash is a pattern's `\b`.
fn starts(text: &str) -> impl Iterator<Item = usize> {
    let is_start = |(at, _): &(usize, char)| {
        let (before, rest) = text.split_at(*at);
        let mut nearest = before.chars().rev();
        let goes_on =
            nearest.next().is_some_and(|c| c.is_ascii_lowercase()) && nearest.next() != Some('\\');
        let found = PREFIXES.iter().find(|prefix| rest.starts_with(**prefix));
        found.is_some_and(|prefix| *prefix != "sk-" || !goes_on)
    };
    text.char_indices().filter(is_start).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;

    #[test]
    fn a_masked_key_shows_its_kind_and_last_four_and_a_short_one_nothing() {
        for (key, shown) in [
            ("lsv2_pt_0123456789abcdefa1b2", "lsv2_…a1b2"),
            ("sk-0123456789abcdefghijWXYZ", "sk-…WXYZ"),
            ("bt-st-0123456789abcdefgh9876", "bt-…9876"),
            ("0123456789abcdefghijklmnop", "…mnop"),
            ("lsv2_pt_short", "…"),
            ("", "…"),
        ] {
            assert_eq!(mask(&SecretString::from(key)), shown);
        }
    }

    #[test]
    fn references_are_filled_in_and_anything_else_stays() {
        let env = Environment::from_pairs([
            ("A", "one"),
            ("B_2", "two"),
            ("EMPTY", " "),
            ("KEY_OF_20251120", "dated"),
        ]);
        for (written, result) in [
            ("${A}", Ok("one")),
            ("x-${A}-${B_2}", Ok("x-one-two")),
            ("plain", Ok("plain")),
            ("$A", Ok("$A")),
            ("${", Ok("${")),
            ("${KEY_OF_20251120}", Ok("dated")),
            ("${NONE}", Err("NONE")),
            ("${EMPTY}", Err("EMPTY")),
        ] {
            let expanded = expand(written, &env).map(|(text, _)| text);
            let expected = result
                .map(str::to_owned)
                .map_err(|name| Problem::UnsetVariable {
                    name: name.to_owned(),
                });
            assert_eq!(expanded, expected, "{written}");
        }
    }

    #[test]
    fn what_is_a_reference_elsewhere_and_no_key_is_told_of() {
        let told = |written: &str, expand: bool| {
            let ctx = Context::new(Environment::from_pairs([("A", "one")]), "/nowhere".into());
            let mut reading = Reading::new(&ctx, expand);
            check(written, &mut reading).map(|_| reading.inner.pop().map(|(_, problem)| problem))
        };
        let no_reference = |in_file| Ok(Some(Problem::NoReference { in_file }));
        for written in ["$A", "%A%", "${A", "x${A"] {
            assert_eq!(told(written, true), no_reference(true), "{written}");
        }
        assert_eq!(told("${A}", false), no_reference(false));
        for written in ["lsv2_...", "sk-...", "<key>", "your-key"] {
            assert_eq!(
                told(written, true),
                Ok(Some(Problem::Placeholder)),
                "{written}"
            );
        }
        for written in ["${A}", "lsv2_pt_01$", "p$ssw0rd", "50%", "%2F"] {
            assert_eq!(told(written, true), Ok(None), "{written}");
        }
    }

    #[test]
    fn a_key_between_the_braces_is_no_variable_and_is_not_told() {
        let env = Environment::from_pairs([("A", "one")]);
        for written in [
            "${lsv2_pt_0123456789abcdef}",
            "${lsv2_pt_short}",
            "${sk-0123456789abcdefghij}",
            "${0123456789abcdef0123456789abcdef}",
            "${abcdefabcdef0123456789abcdefabcd}",
            "${AbCdEfGhIjKlMnOp1}",
            "${A}${lsv2_pt_0123456789abcdef}",
            "${not a name}",
            "${}",
        ] {
            let expanded = expand(written, &env);
            assert_eq!(expanded, Err(Problem::NoVariable), "{written}");
            assert!(!is_reference(written), "{written}");
        }
        assert!(is_reference(" ${COMPANY_KEY_2} "));
    }

    #[test]
    fn keys_are_masked_wherever_in_a_text_they_stand() {
        for (text, shown) in [
            ("lsv2_pt_0123456789abcdefa1b2", "lsv2_…a1b2"),
            ("Bearer lsv2_pt_0123456789abcdefa1b2", "Bearer lsv2_…a1b2"),
            (
                "https://a.example/sk-0123456789abcdefWXYZ/x",
                "https://a.example/sk-…WXYZ/x",
            ),
            (
                "X_lsv2_pt_0123456789abcdefa1b2 é bt-st-0123456789abcdefgh9876",
                "X_lsv2_…a1b2 é bt-…9876",
            ),
            (
                "ask-me-anything-about-this-project",
                "ask-me-anything-about-this-project",
            ),
            ("a task-0123456789abcdefghij", "a task-0123456789abcdefghij"),
            ("my-sk-learn-experiments-2", "my-sk-learn-experiments-2"),
            (
                "sk-learn-experiments-of-ours",
                "sk-learn-experiments-of-ours",
            ),
            (
                "https://eu-sk-langsmith-gateway-1.corp.example",
                "https://eu-sk-langsmith-gateway-1.corp.example",
            ),
            (r"\bsk-0123456789abcdefWXYZ\b", r"\bsk-…WXYZ\b"),
            ("lsv2_pt_short", "lsv2_pt_short"),
            ("", ""),
        ] {
            assert_eq!(mask_keys(text), shown);
            assert_eq!(holds_key(text), text != shown, "{text}");
        }
    }
}
