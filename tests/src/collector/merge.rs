//! How Braintrust folds writes of one row: a plain row replaces, a row with `_is_merge` is merged
//! deeply; arrays and scalars replace, `null` overwrites, top-level `tags` are united, and below a
//! path of `_merge_paths` nothing is merged.

use serde_json::{Map, Value};

/// Fields that a merge into an existing row does not touch.
const FIXED: [&str; 4] = ["created", "span_id", "root_span_id", "span_parents"];

/// The row after `next` was written over `row`; `None` if that deletes it.
pub(super) fn written(
    row: Option<Map<String, Value>>,
    next: &Map<String, Value>,
) -> Option<Map<String, Value>> {
    let set = |field: &str| next.get(field) == Some(&Value::Bool(true));
    if set("_object_delete") {
        return None;
    }
    let plain = next.iter().filter(|(field, _)| !field.starts_with('_'));
    let plain = plain.map(|(field, value)| (field.clone(), value.clone()));
    let Some(mut row) = row.filter(|_| set("_is_merge")) else {
        return Some(plain.collect());
    };
    let stops = paths(next.get("_merge_paths"));
    for (field, value) in plain {
        if FIXED.contains(&field.as_str()) && row.contains_key(&field) {
            continue;
        }
        match row.get_mut(&field) {
            Some(Value::Array(old)) if field == "tags" && value.is_array() => {
                let new = value.as_array().into_iter().flatten();
                let missing: Vec<_> = new.filter(|tag| !old.contains(tag)).cloned().collect();
                old.extend(missing);
            }
            Some(old) => merge(old, value, &mut vec![field.clone()], &stops),
            None => {
                row.insert(field, value);
            }
        }
    }
    Some(row)
}

fn paths(value: Option<&Value>) -> Vec<Vec<String>> {
    let path = |path: &Value| {
        let fields = path.as_array()?.iter();
        fields
            .map(|field| Some(field.as_str()?.to_owned()))
            .collect()
    };
    let listed = value.and_then(Value::as_array).into_iter().flatten();
    listed.filter_map(path).collect()
}

fn merge(old: &mut Value, new: Value, path: &mut Vec<String>, stops: &[Vec<String>]) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) if !stops.contains(path) => {
            for (field, value) in new {
                match old.get_mut(&field) {
                    Some(old) => {
                        path.push(field);
                        merge(old, value, path, stops);
                        path.pop();
                    }
                    None => {
                        old.insert(field, value);
                    }
                }
            }
        }
        (old, new) => *old = new,
    }
}
