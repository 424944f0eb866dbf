//! Braintrust's ingest: login, project registration, version, `/logs3` with its overflow path, and
//! the public `/v1/project_logs/{id}/insert`.

use serde_json::{Map, Value, json};

use super::request::Content;
use super::serve::{Incoming, Reply};
use super::state::State;

/// Where overflow bodies are uploaded to; no bearer token is expected there.
pub(super) const UPLOADS: &str = "/overflow-uploads/";

/// A data plane behind a gateway: every path may stand below this one, too.
const PREFIX: &str = "/data-plane";

const ORGANISATION: &str = "00000000-0000-4000-8000-00000000a001";

/// A row that reached the collector.
#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) key: String,
    pub(super) project: String,
    pub(super) row: Map<String, Value>,
    /// Position of its request among those with rows; two rows of one id in one request have no
    /// defined order.
    pub(super) request: usize,
}

/// The id that the project `name` gets: the same for the same name.
pub(super) fn project_id(name: &str) -> String {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("00000000-0000-4000-8000-{:012x}", hash & 0xffff_ffff_ffff)
}

/// Answers, if the path is Braintrust's.
pub(super) fn take(state: &mut State, incoming: &Incoming<'_>) -> Option<Reply> {
    let key = incoming.key.unwrap_or_default();
    let json = match incoming.content {
        Content::Json(value) => value,
        _ => &Value::Null,
    };
    let path = incoming.path.strip_prefix(PREFIX).unwrap_or(incoming.path);
    Some(match (incoming.method, path) {
        ("POST", "/api/apikey/login") => login(incoming),
        ("POST", "/api/project/register") => match named(json, "project_name") {
            Ok(project) => (200, json!({ "project": project })),
            Err(reason) => bad(&reason),
        },
        ("POST", "/v1/project") => match named(json, "name") {
            Ok(project) => (200, project),
            Err(reason) => bad(&reason),
        },
        ("GET", "/v1/project") => (200, json!({ "objects": [] })),
        ("GET", "/version") => {
            let limit = state.payload_max_bytes;
            (200, json!({ "logs3_payload_max_bytes": limit }))
        }
        ("POST", "/logs3") => match logs3(state, json, incoming.raw.len()) {
            Ok(rows) => store(state, key, None, &rows),
            Err(reply) => reply,
        },
        ("POST", "/logs3/overflow") => overflow(state, incoming.base, json),
        ("PUT", path) if path.starts_with(UPLOADS) => {
            let upload = path.trim_start_matches(UPLOADS).to_owned();
            state.uploads.insert(upload, incoming.raw.to_vec());
            (200, json!({}))
        }
        ("POST", path) => {
            let project = path.strip_prefix("/v1/project_logs/")?;
            let project = project.strip_suffix("/insert")?;
            match json.get("events").and_then(Value::as_array) {
                Some(rows) => store(state, key, Some(project), &rows.clone()),
                None => bad("`events` must be a list"),
            }
        }
        _ => return None,
    })
}

fn bad(reason: &str) -> Reply {
    (400, json!({"error": {"message": reason}}))
}

fn login(incoming: &Incoming<'_>) -> Reply {
    let organisation = json!({
        "id": ORGANISATION, "name": "test-org", "api_url": incoming.base,
        "proxy_url": incoming.base, "is_universal_api": true, "git_metadata": null,
    });
    (200, json!({ "org_info": [organisation] }))
}

fn named(body: &Value, field: &str) -> Result<Value, String> {
    let name = body.get(field).and_then(Value::as_str);
    let name = name.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| format!("`{field}` must be a name"))?;
    Ok(json!({"id": project_id(name), "name": name, "org_id": ORGANISATION}))
}

/// The rows of a `/logs3` body, fetched from the upload if it refers to one.
fn logs3(state: &State, body: &Value, bytes: usize) -> Result<Vec<Value>, Reply> {
    let limit = state.payload_max_bytes.filter(|&limit| limit > 0);
    if limit.is_some_and(|limit| bytes as u64 > limit) {
        return Err((413, json!({"error": "the request is too large"})));
    }
    match body.get("rows") {
        Some(Value::Array(rows)) => Ok(rows.clone()),
        Some(Value::Object(reference)) => {
            let kind = reference.get("type").and_then(Value::as_str);
            let key = reference.get("key").and_then(Value::as_str);
            let upload = key.and_then(|key| state.uploads.get(key));
            let (Some("logs3_overflow"), Some(upload)) = (kind, upload) else {
                return Err(bad("`rows` refers to no upload"));
            };
            let body: Value = serde_json::from_slice(upload)
                .map_err(|error| bad(&format!("the upload is not JSON: {error}")))?;
            let rows = body.get("rows").and_then(Value::as_array).cloned();
            rows.ok_or_else(|| bad("the upload has no `rows`"))
        }
        _ => Err(bad("`rows` must be a list or refer to an upload")),
    }
}

fn overflow(state: &mut State, base: &str, body: &Value) -> Reply {
    if state.payload_max_bytes.is_none() {
        return (404, json!({"error": "overflow is not available"}));
    }
    let told = body.get("size_bytes").is_some_and(Value::is_u64)
        && body.get("content_type").is_some_and(Value::is_string)
        && body.get("rows").is_some_and(Value::is_array);
    if !told {
        return bad("an overflow request states content_type, size_bytes and rows");
    }
    state.overflows += 1;
    let key = format!("upload-{}", state.overflows);
    let url = format!("{base}{UPLOADS}{key}");
    (
        200,
        json!({"method": "PUT", "signedUrl": url, "headers": {}, "key": key}),
    )
}

fn store(state: &mut State, key: &str, project: Option<&str>, rows: &[Value]) -> Reply {
    let request = state.writes.last().map_or(0, |write| write.request + 1);
    let mut writes = Vec::new();
    for row in rows {
        match checked(row, project) {
            Ok((project, row)) => writes.push(Write {
                key: key.to_owned(),
                project,
                row,
                request,
            }),
            Err(reason) => return bad(&reason),
        }
    }
    let id = |write: &Write| write.row.get("id").cloned();
    let ids: Vec<_> = writes.iter().map(id).collect();
    state.writes.extend(writes);
    (200, json!({ "row_ids": ids }))
}

/// A row's project and the row, if it is one.
fn checked(row: &Value, project: Option<&str>) -> Result<(String, Map<String, Value>), String> {
    let row = row.as_object().ok_or("a row must be an object")?;
    let text = |field: &str| row.get(field).and_then(Value::as_str);
    let id = text("id").filter(|id| !id.is_empty());
    let id = id.ok_or("a row without an `id`")?;
    let project = match project {
        Some(project) => project,
        None if text("log_id") != Some("g") => {
            return Err(format!("row {id} has no `log_id` \"g\""));
        }
        None => text("project_id").ok_or_else(|| format!("row {id} has no `project_id`"))?,
    };
    let merge = row.get("_is_merge") == Some(&Value::Bool(true));
    for field in ["span_id", "root_span_id"] {
        if text(field).is_none() && !merge {
            return Err(format!("row {id} has no `{field}`"));
        }
    }
    let numbers = |metrics: &Map<String, Value>| {
        metrics
            .values()
            .all(|value| value.is_number() || value.is_null())
    };
    match row.get("metrics") {
        None | Some(Value::Null) => {}
        Some(Value::Object(metrics)) if numbers(metrics) => {}
        Some(other) => return Err(format!("`metrics` of row {id} are not numbers: {other}")),
    }
    for (field, right) in [
        ("span_parents", row.get("span_parents").is_none_or(is_texts)),
        ("tags", row.get("tags").is_none_or(is_texts)),
        (
            "metadata",
            row.get("metadata")
                .is_none_or(|v| v.is_object() || v.is_null()),
        ),
    ] {
        if !right {
            return Err(format!("`{field}` of row {id} has the wrong type"));
        }
    }
    Ok((project.to_owned(), row.clone()))
}

fn is_texts(value: &Value) -> bool {
    let texts = |list: &Vec<Value>| list.iter().all(Value::is_string);
    value.is_null() || value.as_array().is_some_and(texts)
}
