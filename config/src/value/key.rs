//! API keys: what they look like, and how they are shown.

use secrecy::{ExposeSecret, SecretString};

use super::Reading;
use crate::context::Environment;
use crate::field::Kind;
use crate::warning::Problem;

/// A key and the variables it was read from, if a file said `${VAR}`.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) secret: SecretString,
    pub(crate) via: Vec<String>,
}

/// A key as written: trimmed, in a file with `${VAR}` filled in.
pub(super) fn check(written: &str, reading: &mut Reading<'_>) -> Result<Key, Problem> {
    let (secret, via) = if reading.expand {
        expand(written.trim(), &reading.ctx.env)?
    } else {
        (written.trim().to_owned(), Vec::new())
    };
    if secret.is_empty() || !secret.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Problem::Unexpected {
            expected: Kind::Key.expected(),
            found: "other text",
        });
    }
    if is_placeholder(&secret) {
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
        let Some((name, after)) = after.split_once('}').filter(|(name, _)| is_name(name)) else {
            // Not a reference: `${` stands for itself.
            text.push_str(before);
            text.push_str("${");
            rest = after;
            continue;
        };
        let value = env.get(name).ok_or_else(|| Problem::UnsetVariable {
            name: name.to_owned(),
        })?;
        text.push_str(before);
        text.push_str(value.trim());
        names.push(name.to_owned());
        rest = after;
    }
    text.push_str(rest);
    Ok((text, names))
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn is_placeholder(key: &str) -> bool {
    key.starts_with('<') || key.starts_with("your-") || key.starts_with("your_")
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

/// Whether a text looks like a key of one of the products. Keys turn up in places that are not
/// meant for them, where they would be shown or sent.
pub(crate) fn looks_like_key(text: &str) -> bool {
    let prefixed = ["lsv2_", "sk-", "bt-st-"]
        .iter()
        .any(|prefix| text.starts_with(prefix));
    prefixed && text.len() >= 20 && !text.contains(char::is_whitespace)
}

/// The text, masked if it looks like a key.
pub(crate) fn mask_if_key(text: &str) -> String {
    if looks_like_key(text) {
        mask(&SecretString::from(text))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let env = Environment::from_pairs([("A", "one"), ("B_2", "two"), ("EMPTY", " ")]);
        for (written, result) in [
            ("${A}", Ok("one")),
            ("x-${A}-${B_2}", Ok("x-one-two")),
            ("plain", Ok("plain")),
            ("$A", Ok("$A")),
            ("${", Ok("${")),
            ("${not a name}", Ok("${not a name}")),
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
}
