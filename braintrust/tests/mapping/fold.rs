//! What Braintrust makes of the rows it gets: they are folded by id.

use std::collections::BTreeMap;

use codex_tracing_delivery::Item;
use serde_json::{Map, Value};

/// Spans by id.
pub(crate) type Trace = BTreeMap<String, Value>;

/// Folds rows in order of arrival.
pub(crate) fn fold<'a>(items: impl IntoIterator<Item = &'a Item>) -> Trace {
    let mut trace = Trace::new();
    for item in items {
        let row: Value = serde_json::from_slice(&item.body).expect("a row is JSON");
        let (id, _) = item.id.split_once('#').unwrap_or((&item.id, ""));
        assert_eq!(row["id"], id, "the item is named by its row");
        write(&mut trace, row);
    }
    trace
}

/// What is left of `items` if of each item only the latest version is sent, as delivery does with
/// what waits.
pub(crate) fn latest(items: &[Item]) -> Vec<Item> {
    let mut left: Vec<Item> = Vec::new();
    for item in items {
        match left.iter_mut().find(|known| known.id == item.id) {
            Some(known) => *known = item.clone(),
            None => left.push(item.clone()),
        }
    }
    left
}

fn write(trace: &mut Trace, row: Value) {
    let Value::Object(mut row) = row else {
        panic!("a row is an object")
    };
    let id = row["id"].as_str().expect("id").to_owned();
    let is_merge = row.remove("_is_merge") == Some(Value::Bool(true));
    match trace.get_mut(&id) {
        Some(Value::Object(known)) if is_merge => {
            for fixed in ["created", "span_id", "root_span_id", "span_parents"] {
                row.remove(fixed);
            }
            if let (Some(Value::Array(known)), Some(Value::Array(tags))) =
                (known.get_mut("tags"), row.get_mut("tags"))
            {
                tags.retain(|tag| !known.contains(tag));
                known.append(tags);
                row.remove("tags");
            }
            merge(known, row);
        }
        _ => {
            trace.insert(id, Value::Object(row));
        }
    }
}

fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// What holds for every whole trace.
pub(crate) fn assert_sound(trace: &Trace) {
    let mut span_ids: Vec<&str> = trace.values().map(|row| text(row, "span_id")).collect();
    span_ids.sort_unstable();
    span_ids.dedup();
    assert_eq!(span_ids.len(), trace.len(), "one row id for each span id");
    let roots = trace.values().map(|row| text(row, "root_span_id"));
    let roots: std::collections::BTreeSet<&str> = roots.collect();
    assert_eq!(roots.len(), 1, "one trace");
    for row in trace.values() {
        assert!(!has_null(row), "no explicit null at the row's top: {row}");
        let (start, end) = interval(row);
        assert!(end >= start, "ends before it starts: {row}");
        for parent in row["span_parents"].as_array().into_iter().flatten() {
            let Some(parent) = trace.get(parent.as_str().expect("parent id")) else {
                panic!("the parent is missing: {row}");
            };
            let (parent_start, parent_end) = interval(parent);
            assert!(
                parent_start <= start && end <= parent_end,
                "leaves its parent: {row}\nin {parent}"
            );
        }
    }
}

fn has_null(row: &Value) -> bool {
    row.as_object().expect("row").values().any(Value::is_null)
}

fn interval(row: &Value) -> (f64, f64) {
    let of = |key: &str| row["metrics"][key].as_f64();
    let start = of("start").expect("start");
    (start, of("end").unwrap_or(f64::INFINITY))
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().expect(key)
}

/// The only span of that name.
pub(crate) fn span<'a>(trace: &'a Trace, name: &str) -> &'a Value {
    let found = spans(trace, name);
    assert_eq!(found.len(), 1, "spans named {name} in {:?}", names(trace));
    found[0]
}

/// All spans of that name, by start.
pub(crate) fn spans<'a>(trace: &'a Trace, name: &str) -> Vec<&'a Value> {
    let mut found: Vec<&Value> = trace
        .values()
        .filter(|row| row["span_attributes"]["name"] == name)
        .collect();
    found.sort_by(|a, b| interval(a).0.total_cmp(&interval(b).0));
    found
}

/// Names of all spans.
pub(crate) fn names(trace: &Trace) -> Vec<&str> {
    trace
        .values()
        .map(|row| row["span_attributes"]["name"].as_str().unwrap_or("(none)"))
        .collect()
}

/// Sum of a token metric over the model spans.
pub(crate) fn tokens(trace: &Trace, metric: &str) -> u64 {
    trace
        .values()
        .filter(|row| row["span_attributes"]["type"] == "llm")
        .filter_map(|row| row["metrics"][metric].as_u64())
        .sum()
}
