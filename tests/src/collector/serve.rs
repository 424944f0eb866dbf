//! The HTTP side: reads a request whole, lets it meet its fault, hands it to its protocol.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, State as Shared};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::fault::Fault;
use super::request::{Content, Request};
use super::state::State;
use super::{body, braintrust, langsmith};
use crate::chunks;
use crate::loopback::Cut;
use crate::model_server::readable;

/// Status and JSON body of an answer.
pub(super) type Reply = (u16, Value);

/// A request on its way to its protocol.
pub(super) struct Incoming<'a> {
    pub(super) base: &'a str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) key: Option<&'a str>,
    pub(super) raw: &'a [u8],
    pub(super) content: &'a Content,
}

#[derive(Clone)]
struct Served {
    base: String,
    state: Arc<Mutex<State>>,
}

/// The whole server: one handler, since the protocols have to be told apart by hand anyway
/// (LangSmith's paths may stand below `/api` or `/api/v1`).
pub(super) fn router(base: String, state: Arc<Mutex<State>>) -> Router {
    Router::new()
        .fallback(handle)
        .layer(DefaultBodyLimit::disable())
        .with_state(Served { base, state })
}

async fn handle(
    Shared(served): Shared<Served>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let fault = {
        let mut state = served.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.faults.meet(uri.path(), bytes.len())
    };
    if let Some(Fault::Delay(delay)) = fault {
        tokio::time::sleep(delay).await;
    }
    let reply = record(&served, &method, &uri, &headers, &bytes, fault.as_ref());
    match fault {
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::DropAfterRead) => {
            cut.now();
            answer(reply, None)
        }
        Some(Fault::HalfClose) => half(reply),
        Some(Fault::Page) => axum::response::Html("<!doctype html><p>Sign in").into_response(),
        Some(Fault::Status(_, retry_after)) => answer(reply, retry_after),
        _ => answer(reply, None),
    }
}

/// Takes the request unless its fault forbids that, and records it.
fn record(
    served: &Served,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    bytes: &Bytes,
    fault: Option<&Fault>,
) -> Reply {
    let content = body::decode(headers, bytes);
    let key = key(headers);
    let mut state = served.state.lock().unwrap_or_else(PoisonError::into_inner);
    let reply = match fault {
        Some(Fault::Status(status, _)) => (*status, json!({"error": "injected"})),
        Some(Fault::PayloadLimit(limit)) => (413, json!({"error": format!("over {limit} bytes")})),
        Some(Fault::Hang) => (503, Value::Null),
        Some(Fault::Page) => (200, Value::Null),
        _ => {
            let incoming = Incoming {
                base: &served.base,
                method: method.as_str(),
                path: uri.path(),
                key: key.as_deref(),
                raw: bytes,
                content: &content,
            };
            take(&mut state, &incoming)
        }
    };
    let unanswered = matches!(
        fault,
        Some(Fault::Hang | Fault::DropAfterRead | Fault::HalfClose)
    );
    state.requests.push(Request {
        at: SystemTime::now(),
        method: method.to_string(),
        path: uri.to_string(),
        headers: readable(headers),
        key,
        wire_bytes: bytes.len(),
        content,
        status: (!unanswered).then_some(reply.0),
    });
    reply
}

fn take(state: &mut State, incoming: &Incoming<'_>) -> Reply {
    if let Content::Broken(reason) = incoming.content {
        return (400, json!({ "error": reason }));
    }
    let open = matches!(incoming.path, "/version") || incoming.path.ends_with("/info");
    let uploads = incoming.path.starts_with(braintrust::UPLOADS);
    if !open && !uploads {
        let known = |key: &str| state.keys.as_ref().is_none_or(|keys| keys.contains(key));
        if !incoming.key.is_some_and(known) {
            return (401, json!({"error": "Invalid token"}));
        }
    }
    braintrust::take(state, incoming)
        .or_else(|| langsmith::take(state, incoming))
        .unwrap_or_else(|| (404, json!({"error": "no such path"})))
}

/// `x-api-key`, else the bearer token, without surrounding space.
fn key(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let bearer = || text("authorization")?.strip_prefix("Bearer ");
    let key = text("x-api-key").or_else(bearer)?.trim();
    (!key.is_empty()).then(|| key.to_owned())
}

fn answer((status, body): Reply, retry_after: Option<u64>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, axum::Json(body)).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    response
}

/// A response whose body ends, with the connection, before its stated length.
fn half((status, body): Reply) -> Response {
    let (feed, chunks) = chunks::body();
    tokio::spawn(async move {
        let _ = feed.send(Ok("{".to_owned())).await;
        let broken = std::io::ErrorKind::ConnectionReset.into();
        let _ = feed.send(Err(broken)).await;
    });
    let length = body.to_string().len() + 64;
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .header("content-length", length)
        .body(Body::new(chunks));
    response.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}
