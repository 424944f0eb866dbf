//! What the collector holds, free of what differs from run to run.

use std::collections::BTreeMap;
use std::path::Path;

use codex_tracing_tests::{Collector, Product, Replay};
use serde_json::Value;

/// Both products.
pub(crate) const PRODUCTS: [Product; 2] = [Product::LangSmith, Product::Braintrust];

/// Everything delivered, by id, with the home's path and the collector's address replaced. Fails
/// the test if an id stands twice or the trace is unsound.
pub(crate) fn folded(
    collector: &Collector,
    product: Product,
    replay: &Replay,
) -> BTreeMap<String, Value> {
    let items: Vec<(String, Value)> = match product {
        Product::LangSmith => {
            let runs = collector.runs();
            runs.assert_sound();
            let fields = |run: &codex_tracing_tests::Run| Value::Object(run.fields.clone());
            let all = runs.all().iter();
            all.map(|run| (run.id().to_owned(), fields(run))).collect()
        }
        Product::Braintrust => {
            let rows = collector.rows();
            rows.assert_sound();
            let fields = |row: &codex_tracing_tests::Row| Value::Object(row.fields.clone());
            let all = rows.all().iter();
            all.map(|row| (row.id().to_owned(), fields(row))).collect()
        }
    };
    let count = items.len();
    let home = replay.home().to_owned();
    let url = collector.url();
    let folded: BTreeMap<String, Value> = items
        .into_iter()
        .map(|(id, value)| (id, neutral(&value, &home, &url)))
        .collect();
    assert_eq!(folded.len(), count, "an id stands twice");
    folded
}

fn neutral(value: &Value, home: &Path, url: &str) -> Value {
    let text = value.to_string();
    let text = text.replace(&home.display().to_string(), "/HOME");
    serde_json::from_str(&text.replace(url, "http://collector")).unwrap()
}

/// Fails with the first difference, not with two whole traces.
pub(crate) fn assert_same(
    got: &BTreeMap<String, Value>,
    expected: &BTreeMap<String, Value>,
    what: &str,
    log: &str,
) {
    let missing: Vec<_> = expected
        .keys()
        .filter(|id| !got.contains_key(*id))
        .collect();
    let foreign: Vec<_> = got
        .keys()
        .filter(|id| !expected.contains_key(*id))
        .collect();
    assert!(
        missing.is_empty() && foreign.is_empty(),
        "{what}: missing {missing:?}, too many {foreign:?}\n{log}"
    );
    for (id, value) in expected {
        let other = &got[id];
        if other != value {
            let (fields, others) = (value.as_object().unwrap(), other.as_object().unwrap());
            let names = fields.keys().chain(others.keys());
            let differing = names.filter(|name| fields.get(*name) != others.get(*name));
            for name in differing {
                eprintln!(
                    "{name}: {:?}\n   not {:?}",
                    others.get(name),
                    fields.get(name)
                );
            }
            panic!("{what}: {id} differs\n{log}");
        }
    }
}

/// The program's log, for messages of failed tests.
pub(crate) fn log(replay: &Replay) -> String {
    let file = replay.plugin_data().join("codex-tracing.log");
    std::fs::read_to_string(file).unwrap_or_default()
}

/// `codex-tracing flush`, which must leave nothing.
pub(crate) fn flush(replay: &Replay) {
    let output = replay.call(&["flush", "--timeout", "10m"]).unwrap();
    let words = format!("{}{}\n{}", output.stdout, output.stderr, log(replay));
    assert_eq!(output.code, Some(0), "flush left something:\n{words}");
}
