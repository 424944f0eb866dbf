//! Requests: `/info`, multipart and JSON batches.

mod multipart;

use codex_tracing_delivery::{Facts, Item, Method, Request};

use crate::run::Operation;
use crate::server;
use crate::settings::Target;

/// Asks what the server can do.
pub(crate) fn info(target: &Target, agent: &str) -> Request {
    base(target, agent, Method::Get, "/info")
}

/// Carries `items` the way the server prefers.
pub(crate) fn runs(target: &Target, agent: &str, facts: &Facts, items: &[&Item]) -> Request {
    runs_as(target, agent, facts, items, Operation::of_item)
}

/// Carries `items` as updates: for runs that the server already has.
pub(crate) fn updates(target: &Target, agent: &str, facts: &Facts, items: &[&Item]) -> Request {
    runs_as(target, agent, facts, items, |_| Operation::Close)
}

/// A batch with nothing in it: `/info` would not tell whether the key is taken.
pub(crate) fn nothing(target: &Target, agent: &str) -> Request {
    let mut request = base(target, agent, Method::Post, "/runs/batch");
    request
        .headers
        .push(("content-type", "application/json".to_owned()));
    request.body = batch(&[]);
    request
}

/// For a destination that does not exist: a request that no client will send.
pub(crate) fn nowhere() -> Request {
    Request {
        method: Method::Post,
        url: String::new(),
        headers: Vec::new(),
        secret_headers: Vec::new(),
        body: Vec::new(),
    }
}

fn runs_as(
    target: &Target,
    agent: &str,
    facts: &Facts,
    items: &[&Item],
    operation: impl Fn(&Item) -> Operation,
) -> Request {
    let items: Vec<_> = items.iter().map(|item| (operation(item), *item)).collect();
    if server::has_multipart(facts) {
        let mut request = base(target, agent, Method::Post, "/runs/multipart");
        multipart::fill(&mut request, &items, server::has_zstd(facts));
        return request;
    }
    let mut request = base(target, agent, Method::Post, "/runs/batch");
    request
        .headers
        .push(("content-type", "application/json".to_owned()));
    request.body = batch(&items);
    request
}

/// `{"post":[…],"patch":[…]}`.
fn batch(items: &[(Operation, &Item)]) -> Vec<u8> {
    let mut body = b"{\"post\":[".to_vec();
    append(&mut body, items, |operation| operation != Operation::Close);
    body.extend_from_slice(b"],\"patch\":[");
    append(&mut body, items, |operation| operation == Operation::Close);
    body.extend_from_slice(b"]}");
    body
}

fn append(body: &mut Vec<u8>, items: &[(Operation, &Item)], take: impl Fn(Operation) -> bool) {
    let mut first = true;
    for (_, item) in items.iter().filter(|(operation, _)| take(*operation)) {
        if !first {
            body.push(b',');
        }
        first = false;
        body.extend_from_slice(&item.body);
    }
}

fn base(target: &Target, agent: &str, method: Method, path: &str) -> Request {
    let mut headers = vec![
        ("accept", "application/json".to_owned()),
        ("user-agent", agent.to_owned()),
    ];
    if let Some(workspace) = &target.workspace_id {
        headers.push(("x-tenant-id", workspace.clone()));
    }
    let key = target.api_key.iter().map(|key| ("x-api-key", key.clone()));
    Request {
        method,
        url: format!("{}{path}", target.api_url),
        headers,
        secret_headers: key.collect(),
        body: Vec::new(),
    }
}
