//! Structured values: every string at any depth, without recursion.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::rules;

/// Keys under which MCP results, model APIs and image generation put base64.
const BINARY_KEYS: &[&str] = &["data", "blob", "result", "b64_json"];

/// What happens to the strings of a value.
pub(crate) trait Strings {
    /// What stands in place of a key that is to be hidden itself.
    fn key(&self, key: &str) -> Option<String>;

    /// A string whose name says secret.
    fn named(&self, text: &mut String);

    /// Any other string.
    fn plain(&self, text: &mut String);

    /// Looks at an object before its strings: what stands in place of the binary content under
    /// `key`, if there is some and it does not stay.
    fn binary(&self, object: &Map<String, Value>, key: &str) -> Option<String>;
}

/// Walks over all strings of `value`. Its shape stays as it is.
pub(crate) fn walk(value: &mut Value, strings: &impl Strings) {
    let mut open = vec![(value, false)];
    while let Some((value, is_named)) = open.pop() {
        match value {
            Value::String(text) if is_named => strings.named(text),
            Value::String(text) => strings.plain(text),
            Value::Array(values) => {
                mark_option_values(values, strings);
                open.extend(values.iter_mut().map(|value| {
                    let is_named = is_named && value.is_string();
                    (value, is_named)
                }));
            }
            Value::Object(object) => {
                replace_binary(object, strings);
                // By what stood there, whatever the rules make of it.
                let pair = secret_pair(object);
                let renamed = rename_secret_keys(object, strings);
                for (key, value) in object {
                    let key = renamed.get(key).unwrap_or(key);
                    let is_named = match value {
                        Value::String(text) => {
                            rules::names_secret_exactly(key, text)
                                || (pair && key.eq_ignore_ascii_case("value"))
                        }
                        Value::Array(_) => rules::key_names_secret(key),
                        _ => false,
                    };
                    open.push((value, is_named));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// `["--token", "…"]`: the option's value is an argument of its own.
fn mark_option_values(values: &mut [Value], strings: &impl Strings) {
    let mut follows_option = false;
    for value in values {
        let Value::String(text) = value else {
            follows_option = false;
            continue;
        };
        if follows_option && text.len() >= 6 && !text.starts_with('-') {
            strings.named(text);
            follows_option = false;
        } else {
            follows_option = text.strip_prefix("--").is_some_and(rules::key_names_secret);
        }
    }
}

/// `{"name": "API_KEY", "value": "…"}`, as container and build settings have it.
fn secret_pair(object: &Map<String, Value>) -> bool {
    ["name", "key", "Name", "Key"].iter().any(|key| {
        object
            .get(*key)
            .and_then(Value::as_str)
            .is_some_and(rules::key_names_secret)
    })
}

fn replace_binary(object: &mut Map<String, Value>, strings: &impl Strings) {
    for key in BINARY_KEYS {
        if let Some(text) = strings.binary(object, key)
            && let Some(value) = object.get_mut(*key)
        {
            *value = Value::String(text);
        }
    }
}

/// A map from keys to their owners has its secrets where nobody looks for them. Gives the new keys with
/// what they were.
fn rename_secret_keys(
    object: &mut Map<String, Value>,
    strings: &impl Strings,
) -> BTreeMap<String, String> {
    let mut renamed = BTreeMap::new();
    if object.keys().all(|key| strings.key(key).is_none()) {
        return renamed;
    }
    let entries = std::mem::take(object);
    for (key, value) in entries {
        let mut name = strings.key(&key).unwrap_or_else(|| key.clone());
        if object.contains_key(&name) {
            name = format!("{name} {}", object.len() + 1);
        }
        if name != key {
            renamed.insert(name.clone(), key);
        }
        object.insert(name, value);
    }
    renamed
}
