//! LangSmith's ingest: `GET /info`, `POST /runs/multipart`, `POST /runs/batch`, `POST /runs`,
//! `PATCH /runs/{id}`, also below `/api` and `/api/v1`.
//!
//! A request with one bad run is refused as a whole. A second create, or a second update, of a run
//! by the same key is a conflict (409).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::dotted_order;
use super::multipart::Part;
use super::request::Content;
use super::serve::{Incoming, Reply};
use super::state::State;

/// Create or update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Post,
    Patch,
}

/// A create or update that reached the collector.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) kind: Kind,
    pub(super) key: String,
    pub(super) id: String,
    pub(super) run: Map<String, Value>,
    /// Refused because the same operation was taken before.
    pub(super) duplicate: bool,
}

type Runs = Vec<(Kind, Map<String, Value>)>;

/// Answers, if the path is LangSmith's.
pub(super) fn take(state: &mut State, incoming: &Incoming<'_>) -> Option<Reply> {
    let path = ["/api/v1", "/api"]
        .iter()
        .find_map(|prefix| incoming.path.strip_prefix(prefix))
        .unwrap_or(incoming.path);
    let runs = match (incoming.method, path, incoming.content) {
        ("GET", "/info", _) => return Some((200, state.info.clone())),
        ("POST", "/runs/multipart", Content::Parts(parts)) => assembled(parts),
        ("POST", "/runs/batch", Content::Json(body)) => batch(body),
        ("POST", "/runs", Content::Json(Value::Object(run))) => Ok(vec![(Kind::Post, run.clone())]),
        ("PATCH", path, Content::Json(Value::Object(run))) => {
            let id = path.strip_prefix("/runs/")?;
            let mut run = run.clone();
            run.insert("id".to_owned(), id.into());
            Ok(vec![(Kind::Patch, run)])
        }
        ("POST", "/runs/multipart" | "/runs/batch" | "/runs", _) => {
            Err("the body has not the form this path takes".to_owned())
        }
        _ => return None,
    };
    let checked = runs.and_then(|runs| {
        runs.iter().try_for_each(|(kind, run)| check(*kind, run))?;
        Ok(runs)
    });
    Some(match checked {
        Ok(runs) => store(state, incoming.key.unwrap_or_default(), runs),
        Err(reason) => (400, json!({ "detail": reason })),
    })
}

fn store(state: &mut State, key: &str, runs: Runs) -> Reply {
    let mut conflict = false;
    let mut operations = Vec::new();
    for (kind, run) in runs {
        let id = text(&run, "id").unwrap_or_default().to_owned();
        let same = |other: &&Operation| {
            !other.duplicate && other.kind == kind && other.key == key && other.id == id
        };
        let taken = &mut state.operations.iter().chain(&operations);
        let duplicate = taken.any(|other| same(&other));
        conflict |= duplicate;
        operations.push(Operation {
            kind,
            key: key.to_owned(),
            id,
            run,
            duplicate,
        });
    }
    if conflict && state.duplicates_refuse_request {
        operations.retain(|operation| operation.duplicate);
    }
    state.operations.extend(operations);
    if conflict {
        let reason = "Conflict: payload already received: payloads already received";
        return (409, json!({ "error": reason }));
    }
    (202, json!({"message": "Runs batch ingested"}))
}

fn batch(body: &Value) -> Result<Runs, String> {
    let listed = |kind: Kind, name: &str| {
        let runs = body.get(name).and_then(Value::as_array);
        runs.into_iter().flatten().map(move |run| match run {
            Value::Object(run) => Ok((kind, run.clone())),
            other => Err(format!("a run must be an object, not {other}")),
        })
    };
    listed(Kind::Post, "post")
        .chain(listed(Kind::Patch, "patch"))
        .collect()
}

/// Runs put together from their parts.
fn assembled(parts: &[Part]) -> Result<Runs, String> {
    let mut runs: Runs = Vec::new();
    let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for part in parts {
        let mut names = part.name.splitn(3, '.');
        let (operation, id, field) = (
            names.next().unwrap_or_default(),
            names.next().unwrap_or_default(),
            names.next(),
        );
        let kind = match operation {
            "post" => Kind::Post,
            "patch" => Kind::Patch,
            "attachment" | "feedback" => continue,
            _ => return Err(format!("part name `{}` is not known", part.name)),
        };
        if part.content_type != "application/json" {
            return Err(format!("part `{}` is not application/json", part.name));
        }
        let value: Value = serde_json::from_slice(&part.body)
            .map_err(|error| format!("part `{}` is not JSON: {error}", part.name))?;
        match (field, value) {
            (None, Value::Object(run)) => {
                if run.get("id").and_then(Value::as_str) != Some(id) {
                    return Err(format!("part `{}` carries another run's id", part.name));
                }
                places.insert((operation, id), runs.len());
                runs.push((kind, run));
            }
            (None, _) => return Err(format!("part `{}` is not an object", part.name)),
            (Some(field), value) => {
                if !FIELDS.contains(&field) {
                    return Err(format!("part name `{}` is not known", part.name));
                }
                let place = places
                    .get(&(operation, id))
                    .and_then(|&at| runs.get_mut(at));
                let (_, run) =
                    place.ok_or_else(|| format!("part `{}` comes before its run", part.name))?;
                if run.insert(field.to_owned(), value).is_some() {
                    return Err(format!("`{field}` of run {id} was sent twice"));
                }
            }
        }
    }
    Ok(runs)
}

/// The fields that travel as parts of their own.
const FIELDS: [&str; 6] = [
    "inputs",
    "outputs",
    "events",
    "extra",
    "error",
    "serialized",
];

const RUN_TYPES: [&str; 7] = [
    "llm",
    "chain",
    "tool",
    "retriever",
    "embedding",
    "prompt",
    "parser",
];

fn text<'a>(run: &'a Map<String, Value>, field: &str) -> Option<&'a str> {
    run.get(field)?.as_str()
}

/// What the service checks of one run.
fn check(kind: Kind, run: &Map<String, Value>) -> Result<(), String> {
    let need = |field: &str| {
        text(run, field).ok_or_else(|| format!("a run without `{field}` (or not a string)"))
    };
    let id = need("id")?;
    if !dotted_order::is_id(id) {
        return Err(format!("run id `{id}` is not a UUID"));
    }
    if kind == Kind::Post {
        need("name")?;
        let run_type = need("run_type")?;
        if !RUN_TYPES.contains(&run_type) {
            return Err(format!("run_type `{run_type}` of run {id} is not known"));
        }
        if run.get("start_time").is_none_or(Value::is_null) {
            return Err(format!("run {id} has no start_time"));
        }
    }
    for field in ["inputs", "outputs", "extra"] {
        if run
            .get(field)
            .is_some_and(|value| !value.is_object() && !value.is_null())
        {
            return Err(format!("`{field}` of run {id} is not an object"));
        }
    }
    if run
        .get("error")
        .is_some_and(|value| !value.is_string() && !value.is_null())
    {
        return Err(format!("`error` of run {id} is not a string"));
    }
    let parent = text(run, "parent_run_id");
    dotted_order::check(need("dotted_order")?, id, need("trace_id")?, parent)
}
