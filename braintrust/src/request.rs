//! Requests as data. Sources: Braintrust's SDKs (login, `/version`, `/logs3` and its overflow) and
//! its public `OpenAPI` description (`/v1/project`).

mod fold;
mod overflow;

use codex_tracing_delivery::{Facts, Item, Method, Request};
use serde_json::{Map, Value};

use crate::settings::Target;

use fold::fold;
pub(crate) use overflow::{Slot, announce, commit, upload};

/// Names of what is remembered of a server.
pub(crate) mod fact {
    /// Data plane, learned by login.
    pub(crate) const API_URL: &str = "api_url";
    /// Organisation, learned by login.
    pub(crate) const ORG_NAME: &str = "org_name";
    /// The project's id.
    pub(crate) const PROJECT_ID: &str = "project_id";
    /// Largest request body the server takes, in bytes; `0`: it did not say.
    pub(crate) const PAYLOAD_LIMIT: &str = "payload_limit";
    /// Passing: what the next response answers, while a batch takes more than one request.
    pub(crate) const STAGE: &str = "stage";
    /// Passing: key of an overflow upload that is under way.
    pub(crate) const OVERFLOW_KEY: &str = "overflow_key";
    /// Passing: the project was asked for again because the server did not know it.
    pub(crate) const ASKED_AGAIN: &str = "asked_again";
}

/// The data plane: configured, or learned.
pub(crate) fn api_url<'a>(target: &'a Target, facts: &'a Facts) -> Option<&'a str> {
    target
        .api_url
        .as_deref()
        .or_else(|| facts.values.get(fact::API_URL).map(String::as_str))
}

/// The organisation: configured, or learned.
pub(crate) fn org_name<'a>(target: &'a Target, facts: &'a Facts) -> Option<&'a str> {
    target
        .org_name
        .as_deref()
        .or_else(|| facts.values.get(fact::ORG_NAME).map(String::as_str))
}

/// Asks the control plane which organisations the key belongs to and where their data planes are.
pub(crate) fn login(target: &Target) -> Request {
    let url = format!("{}/api/apikey/login", target.app_url);
    authorized(target, None, Method::Post, url, Vec::new())
}

/// Creates the project, or gets it if there is one of that name.
pub(crate) fn project(target: &Target, facts: &Facts, api: &str) -> Request {
    let org = org_name(target, facts);
    let mut body = Map::new();
    body.insert("name".to_owned(), Value::from(target.project.as_str()));
    if let Some(org) = org {
        body.insert("org_name".to_owned(), Value::from(org));
    }
    let body = Value::Object(body).to_string().into_bytes();
    authorized(target, org, Method::Post, format!("{api}/v1/project"), body)
}

/// Asks for any one project that the key may see; changes nothing.
pub(crate) fn projects(target: &Target, facts: &Facts, api: &str) -> Request {
    let url = format!("{api}/v1/project?limit=1");
    authorized(
        target,
        org_name(target, facts),
        Method::Get,
        url,
        Vec::new(),
    )
}

/// Asks for the payload limit.
pub(crate) fn version(target: &Target, facts: &Facts) -> Request {
    let url = format!("{}/version", api_url(target, facts).unwrap_or_default());
    let org = org_name(target, facts);
    authorized(target, org, Method::Get, url, Vec::new())
}

/// Sends rows.
pub(crate) fn logs3(target: &Target, facts: &Facts, body: Vec<u8>) -> Request {
    let url = format!("{}/logs3", api_url(target, facts).unwrap_or_default());
    let org = org_name(target, facts);
    authorized(target, org, Method::Post, url, body)
}

/// The body of a `/logs3` request: the items, folded so that no id occurs twice, each with the
/// project it goes to.
pub(crate) fn rows(facts: &Facts, items: &[&Item]) -> Vec<u8> {
    let project = facts.values.get(fact::PROJECT_ID);
    let place = format!(
        "{{\"project_id\":{},\"log_id\":\"g\",",
        Value::from(project.map_or("", String::as_str))
    );
    let bytes: usize = items.iter().map(|item| item.body.len() + place.len()).sum();
    let mut body = Vec::with_capacity(bytes + 64);
    body.extend_from_slice(b"{\"rows\":[");
    for (index, row) in fold(items).iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        // A row is an object with at least an id in it: its fields follow the place's.
        body.extend_from_slice(place.as_bytes());
        body.extend_from_slice(row.get(1..).unwrap_or_default());
    }
    body.extend_from_slice(b"],\"api_version\":2}");
    body
}

fn authorized(
    target: &Target,
    org: Option<&str>,
    method: Method,
    url: String,
    body: Vec<u8>,
) -> Request {
    let mut headers = Vec::new();
    if method != Method::Get {
        headers.push(("content-type", "application/json".to_owned()));
    }
    // A header value must be visible ASCII; an organisation of another name goes without.
    if let Some(org) = org.filter(|org| org.bytes().all(|b| (0x20..0x7f).contains(&b))) {
        headers.push(("x-bt-org-name", org.to_owned()));
    }
    Request {
        method,
        url,
        headers,
        secret_headers: target
            .authorization
            .iter()
            .map(|key| ("authorization", key.clone()))
            .collect(),
        body,
    }
}
