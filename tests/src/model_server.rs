//! A scripted stand-in for the model: OpenAI's Responses API as server-sent events, on loopback.
//!
//! What it answers is told by the `model` list of a [`Scenario`](crate::Scenario): each entry
//! answers one request, in order, or any request that matches its conditions (see
//! [`model_server/script.rs`](self) for the language). A request that nothing answers gets the
//! message `done (default)`. Each request is kept and can be looked at.

mod events;
mod gates;
mod script;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::chunks;
use crate::loopback::Loopback;
use events::{Answer, Emission};
use gates::Gates;
use script::Script;

/// One request that reached the scripted model.
#[derive(Debug, Clone)]
pub struct ModelRequest {
    /// Position in the order of arrival, from 0.
    pub index: usize,
    /// When it arrived.
    pub at: SystemTime,
    /// Path with query.
    pub path: String,
    /// Headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The JSON body, or a string with what was sent instead.
    pub body: Value,
}

/// The running server. Dropping it closes the port.
#[derive(Debug)]
pub struct ModelServer {
    server: Loopback,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    script: Script,
    requests: Vec<ModelRequest>,
}

impl ModelServer {
    /// Starts a server that follows `scenario`: an object with `model` (and perhaps `vars`), or the
    /// list of entries itself. Fails on an entry outside the language.
    pub fn start(scenario: &Value) -> anyhow::Result<Self> {
        let shared = Arc::new(Mutex::new(Shared {
            script: Script::parse(scenario)?,
            requests: Vec::new(),
        }));
        let state = (Arc::clone(&shared), Gates::default());
        let server = Loopback::serve(0, |_| Router::new().fallback(answer).with_state(state))?;
        Ok(Self { server, shared })
    }

    /// What a provider's `base_url` is set to.
    pub fn base_url(&self) -> String {
        format!("{}/v1", self.server.url())
    }

    /// Every request so far, in order of arrival.
    pub fn requests(&self) -> Vec<ModelRequest> {
        lock(&self.shared).requests.clone()
    }

    /// Number of requests for a model's response so far (compactions included).
    pub fn responses_asked(&self) -> usize {
        let shared = lock(&self.shared);
        let asked = |request: &&ModelRequest| request.path.contains("/responses");
        shared.requests.iter().filter(asked).count()
    }

    /// Waits until `count` responses were asked for; false if `limit` passed before.
    pub fn wait_for_responses(&self, count: usize, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        while self.responses_asked() < count {
            if Instant::now() >= until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }
}

fn lock(shared: &Mutex<Shared>) -> std::sync::MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    State((shared, gates)): State<(Arc<Mutex<Shared>>, Gates)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if method != Method::POST {
        return axum::Json(json!({"data": [], "models": []})).into_response();
    }
    let body = serde_json::from_slice(&body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned()));
    let path = uri.path().to_owned();
    let (index, answer) = {
        let mut shared = lock(&shared);
        let index = shared.requests.len();
        let answer = respond(&mut shared.script, &path, &body);
        shared.requests.push(ModelRequest {
            index,
            at: SystemTime::now(),
            path: uri.to_string(),
            headers: readable(&headers),
            body: body.clone(),
        });
        (index, answer)
    };
    match answer {
        Answer::Json(status, value) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, axum::Json(value)).into_response()
        }
        Answer::Stream(items) => stream(events::emissions(&items, index, &body), gates),
    }
}

fn respond(script: &mut Script, path: &str, body: &Value) -> Answer {
    if !path.contains("responses") {
        return Answer::Json(404, json!({"error": {"message": "no such path"}}));
    }
    if path.trim_end_matches('/').ends_with("/compact") {
        let output = json!([{"type": "compaction", "encrypted_content": "ENC"}]);
        return Answer::Json(200, json!({ "output": output }));
    }
    events::answer(script.pick(body))
}

fn stream(emissions: Vec<Emission>, gates: Gates) -> Response {
    let (feed, body) = chunks::body();
    tokio::spawn(async move {
        for emission in emissions {
            match emission {
                Emission::Pause(pause) => tokio::time::sleep(pause).await,
                Emission::Gate(name) => gates.pass(&name).await,
                Emission::Open(name) => gates.open(&name),
                Emission::Event(text) => {
                    if feed.send(Ok(text)).await.is_err() {
                        return;
                    }
                }
            }
        }
    });
    let headers = [("content-type", "text/event-stream")];
    (headers, Body::new(body)).into_response()
}

/// Headers as pairs of text.
pub(crate) fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into();
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect()
}

#[cfg(test)]
mod tests;
