//! Runs bound to one destination: ids, project and updates.

use codex_tracing_delivery::{Item, Mode};
use serde_json::{Map, Value};

use crate::ids::replica_id;
use crate::run::{Json, Run};
use crate::settings::Target;

/// Fields that hold a trace together; `updates` never changes them.
const FIXED: [&str; 8] = [
    "id",
    "trace_id",
    "dotted_order",
    "parent_run_id",
    "run_type",
    "start_time",
    "end_time",
    "session_name",
];

/// The item of `run` for `target`.
///
/// Ids are changed as LangSmith's SDKs change them where the target asks for it; `updates` are
/// merged in when the run is created. `{"metadata": …}` in them means the run's metadata, as the
/// documentation's example has it, although the SDKs lose it. With [`Mode::Metadata`] updates
/// stay out, like all custom metadata.
pub(crate) fn bind(mut run: Run, target: &Target, mode: Mode) -> Item {
    if target.new_ids {
        run.place = run.place.with_ids(|id| replica_id(id, &target.project));
    }
    let changes = match mode {
        Mode::Full => changes(&run, &target.updates),
        Mode::Metadata => Vec::new(),
    };
    run.item(&target.project, changes)
}

fn changes(run: &Run, updates: &Map<String, Value>) -> Vec<(String, Json)> {
    let mut extra = None;
    let mut changes = Vec::new();
    for (name, update) in updates {
        match name.as_str() {
            "metadata" => {
                let extra = extra.get_or_insert_with(|| Value::Object(run.extra()));
                let mut nested = Map::new();
                nested.insert("metadata".to_owned(), update.clone());
                merge(extra, &Value::Object(nested));
            }
            "extra" => merge(
                extra.get_or_insert_with(|| Value::Object(run.extra())),
                update,
            ),
            name if FIXED.contains(&name) => {}
            _ => changes.push((name.clone(), merged(current(run, name), update))),
        }
    }
    if let Some(extra) = extra {
        changes.push(("extra".to_owned(), Json::of(&extra)));
    }
    changes
}

/// What a field holds before the update.
fn current(run: &Run, name: &str) -> Option<Value> {
    let json = match name {
        "inputs" => Some(&run.inputs),
        "outputs" => run.outputs.as_ref(),
        _ => None,
    }?;
    serde_json::from_str(&json.0).ok()
}

fn merged(current: Option<Value>, update: &Value) -> Json {
    let mut value = current.unwrap_or(Value::Null);
    merge(&mut value, update);
    Json::of(&value)
}

/// Objects are merged key by key, anything else is replaced.
fn merge(value: &mut Value, update: &Value) {
    match (value, update) {
        (Value::Object(fields), Value::Object(updates)) => {
            for (name, update) in updates {
                merge(fields.entry(name.clone()).or_insert(Value::Null), update);
            }
        }
        (value, update) => *value = update.clone(),
    }
}
