//! Settings that are lists: replicas and redaction rules.

use serde_json::{Map, Value};

use super::{Key, Reading, key, text, url};
use crate::field::{Kind, to_snake};
use crate::settings::RedactRule;
use crate::warning::{Found, Problem, shown_key};

/// One replica as written, before its fall-backs are known.
#[derive(Clone, Default)]
pub(crate) struct ReplicaEntry {
    pub(crate) api_url: Option<String>,
    pub(crate) api_key: Option<Key>,
    pub(crate) project: Option<String>,
    pub(crate) workspace_id: Option<String>,
    pub(crate) primary: Option<bool>,
    pub(crate) updates: Map<String, Value>,
}

/// An array of objects or an object `{url: key}`. An item that cannot be used is left out alone;
/// a list of which nothing is left is not one.
pub(super) fn replicas(value: &Value, reading: &mut Reading<'_>) -> Option<Vec<ReplicaEntry>> {
    let (count, usable): (usize, Vec<ReplicaEntry>) = match value {
        Value::Array(items) => {
            let items_in_order = items.iter().enumerate();
            let usable = items_in_order.filter_map(|(index, item)| replica(index, item, reading));
            (items.len(), usable.collect())
        }
        Value::Object(pairs) => {
            let pairs_in_order = pairs.iter().enumerate();
            let usable =
                pairs_in_order.filter_map(|(index, (url, key))| pair(index, url, key, reading));
            (pairs.len(), usable.collect())
        }
        _ => return None,
    };
    (count == 0 || !usable.is_empty()).then_some(usable)
}

/// One member of `{url: key}`. Messages count instead of naming: the two may be swapped.
fn pair(
    index: usize,
    written_url: &str,
    written_key: &Value,
    reading: &mut Reading<'_>,
) -> Option<ReplicaEntry> {
    let path = format!("[{index}]");
    let Some(api_url) = url::normalise(written_url) else {
        reading.note(path, unexpected(Kind::Url, &Value::from(written_url)));
        return None;
    };
    let api_key = checked_key(&path, written_key, reading)?;
    Some(ReplicaEntry {
        api_url: Some(api_url),
        api_key: Some(api_key),
        ..ReplicaEntry::default()
    })
}

fn replica(index: usize, item: &Value, reading: &mut Reading<'_>) -> Option<ReplicaEntry> {
    let path = format!("[{index}]");
    let Some(members) = item.as_object() else {
        let problem = Problem::Unexpected {
            expected: "an object such as {\"api_url\", \"api_key\", \"project\"}",
            found: Found::of(item),
        };
        reading.note(path, problem);
        return None;
    };
    let mut entry = ReplicaEntry::default();
    for (name, value) in members {
        if value.is_null() {
            continue;
        }
        let below = format!("{path}.{}", shown_key(name));
        if member(&mut entry, &below, name, value, reading).is_none() {
            reading.note(path, Problem::DestinationLeftOut);
            return None;
        }
    }
    Some(entry)
}

/// Sets one member. `None` drops the replica: without its URL, key, project or workspace the
/// data would go somewhere else than was written.
fn member(
    entry: &mut ReplicaEntry,
    path: &str,
    name: &str,
    value: &Value,
    reading: &mut Reading<'_>,
) -> Option<()> {
    let mut fail = |kind: Kind| reading.note(path.to_owned(), unexpected(kind, value));
    match to_snake(name).as_str() {
        "api_url" | "endpoint" | "url" => {
            entry.api_url = value.as_str().and_then(url::normalise);
            if entry.api_url.is_none() {
                fail(Kind::Url);
                return None;
            }
        }
        "api_key" => entry.api_key = Some(checked_key(path, value, reading)?),
        "project" | "project_name" => {
            entry.project = text(value);
            if entry.project.is_none() {
                fail(Kind::Text);
                return None;
            }
        }
        "workspace_id" => {
            entry.workspace_id = text(value);
            if entry.workspace_id.is_none() {
                fail(Kind::Text);
                return None;
            }
        }
        "primary" => {
            entry.primary = super::switch(value);
            if entry.primary.is_none() {
                fail(Kind::Switch);
            }
        }
        "updates" => match value.as_object() {
            Some(updates) => entry.updates.clone_from(updates),
            None => fail(Kind::Object),
        },
        _ => reading.note(path.to_owned(), Problem::UnknownKey { nearest: None }),
    }
    Some(())
}

fn checked_key(path: &str, value: &Value, reading: &mut Reading<'_>) -> Option<Key> {
    let before = reading.inner.len();
    let checked = match value.as_str() {
        Some(written) => key::check(written, reading),
        None => Err(unexpected(Kind::Key, value)),
    };
    // What the key's own check noted stands below this path.
    for (below, _) in reading.inner.iter_mut().skip(before) {
        below.insert_str(0, path);
    }
    match checked {
        Ok(key) => Some(key),
        Err(problem) => {
            reading.note(path.to_owned(), problem);
            None
        }
    }
}

/// An array of `{pattern, replace?}`. A rule that cannot be used is left out alone; a list of
/// which nothing is left is not one.
pub(super) fn rules(value: &Value, reading: &mut Reading<'_>) -> Option<Vec<RedactRule>> {
    let items = value.as_array()?;
    let items_in_order = items.iter().enumerate();
    let usable: Vec<RedactRule> = items_in_order
        .filter_map(|(index, item)| rule(index, item, reading))
        .collect();
    (items.is_empty() || !usable.is_empty()).then_some(usable)
}

fn rule(index: usize, item: &Value, reading: &mut Reading<'_>) -> Option<RedactRule> {
    let path = format!("[{index}]");
    let expected = "an object {\"pattern\", \"replace\"} of texts";
    let Some(members) = item.as_object() else {
        let found = Found::of(item);
        reading.note(path, Problem::Unexpected { expected, found });
        return None;
    };
    let mut pattern = None;
    let mut replace = None;
    for (name, value) in members {
        let slot = match to_snake(name).as_str() {
            "pattern" => &mut pattern,
            "replace" | "replacement" => &mut replace,
            _ => {
                let path = format!("{path}.{}", shown_key(name));
                reading.note(path, Problem::UnknownKey { nearest: None });
                continue;
            }
        };
        *slot = value.as_str().map(str::to_owned);
        if slot.is_none() && !value.is_null() {
            let path = format!("{path}.{}", shown_key(name));
            reading.note(path, unexpected(Kind::Text, value));
        }
    }
    match pattern {
        Some(pattern) if !pattern.is_empty() => Some(RedactRule { pattern, replace }),
        _ => {
            let found = Found::NoPattern;
            reading.note(path, Problem::Unexpected { expected, found });
            None
        }
    }
}

fn unexpected(kind: Kind, value: &Value) -> Problem {
    Problem::Unexpected {
        expected: kind.expected(),
        found: Found::of(value),
    }
}
