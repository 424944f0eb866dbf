//! Bodies above the payload limit: announced, uploaded to a signed URL, and committed by key.

use codex_tracing_delivery::{Facts, Item, Method, Request};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{api_url, authorized, fact, fold, org_name};
use crate::settings::Target;

/// Headers a signed URL may ask for. Those of a [`Request`] have fixed names, so that a server
/// cannot make the client send others.
const SIGNED_HEADERS: [&str; 10] = [
    "cache-control",
    "content-disposition",
    "content-md5",
    "content-type",
    "if-none-match",
    "x-amz-acl",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-goog-content-length-range",
    "x-ms-blob-type",
];

/// Where an announced body is to be put.
#[derive(Debug, Deserialize)]
pub(crate) struct Slot {
    method: String,
    #[serde(rename = "signedUrl")]
    signed_url: String,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    fields: Map<String, Value>,
    /// Names the upload when it is committed.
    pub(crate) key: String,
}

/// Says that a body of `size` bytes with these rows will be uploaded.
pub(crate) fn announce(target: &Target, facts: &Facts, items: &[&Item], size: usize) -> Request {
    let project = facts.values.get(fact::PROJECT_ID);
    let rows: Vec<Value> = fold(items)
        .iter()
        .map(|row| {
            json!({
                "object_ids": { "project_id": project, "log_id": "g" },
                "is_delete": false,
                "input_row": { "byte_size": row.len() },
            })
        })
        .collect();
    let body = json!({ "content_type": "application/json", "size_bytes": size, "rows": rows });
    let api = api_url(target, facts).unwrap_or_default();
    authorized(
        target,
        org_name(target, facts),
        Method::Post,
        format!("{api}/logs3/overflow"),
        body.to_string().into_bytes(),
    )
}

/// Puts `body` into its slot. The signed URL is all the permission needed: the key stays here.
/// `None` if the slot asks for a method that does not exist.
pub(crate) fn upload(slot: &Slot, body: Vec<u8>) -> Option<Request> {
    match slot.method.as_str() {
        "PUT" => Some(put(slot, body)),
        "POST" => Some(post(slot, &body)),
        _ => None,
    }
}

/// Makes the uploaded rows count.
pub(crate) fn commit(target: &Target, facts: &Facts, key: &str) -> Request {
    let body = json!({ "rows": { "type": "logs3_overflow", "key": key }, "api_version": 2 });
    super::logs3(target, facts, body.to_string().into_bytes())
}

fn put(slot: &Slot, body: Vec<u8>) -> Request {
    let mut headers: Vec<(&'static str, String)> = Vec::new();
    for (name, value) in &slot.headers {
        let known = SIGNED_HEADERS
            .iter()
            .find(|known| known.eq_ignore_ascii_case(name));
        if let (Some(known), Some(value)) = (known, value.as_str()) {
            headers.push((*known, value.to_owned()));
        }
    }
    let has =
        |headers: &[(&str, String)], name: &str| headers.iter().any(|(known, _)| *known == name);
    if !has(&headers, "content-type") {
        headers.push(("content-type", "application/json".to_owned()));
    }
    let is_azure = url::Url::parse(&slot.signed_url)
        .ok()
        .and_then(|url| Some(url.host_str()?.ends_with(".blob.core.windows.net")))
        .unwrap_or(false);
    if is_azure && !has(&headers, "x-ms-blob-type") {
        headers.push(("x-ms-blob-type", "BlockBlob".to_owned()));
    }
    unauthorized(Method::Put, slot, headers, body)
}

/// A form with the slot's fields and the body as its file.
fn post(slot: &Slot, body: &[u8]) -> Request {
    let boundary = boundary(body);
    let mut form = Vec::with_capacity(body.len() + 1024);
    for (name, value) in &slot.fields {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        let part = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{value}\r\n",
            name.replace(['"', '\r', '\n'], "_")
        );
        form.extend_from_slice(part.as_bytes());
    }
    let part = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"logs3.json\"\r\n\
         Content-Type: application/json\r\n\r\n"
    );
    form.extend_from_slice(part.as_bytes());
    form.extend_from_slice(body);
    form.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let kind = format!("multipart/form-data; boundary={boundary}");
    unauthorized(Method::Post, slot, vec![("content-type", kind)], form)
}

/// A line that does not occur in `body`: that is JSON without line breaks, and a boundary begins
/// on a line of its own.
fn boundary(body: &[u8]) -> String {
    format!("codex-tracing-{}", crate::ids::digest(body))
}

fn unauthorized(
    method: Method,
    slot: &Slot,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
) -> Request {
    Request {
        method,
        url: slot.signed_url.clone(),
        headers,
        secret_headers: Vec::new(),
        body,
    }
}
