//! An MCP server over streamable HTTP on loopback, with one tool, that keeps what it was asked.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::loopback::Loopback;

/// One request to the server.
#[derive(Debug, Clone)]
pub struct McpRequest {
    /// `initialize`, `tools/list`, `tools/call`, …; empty if the body was no message.
    pub method: String,
    /// The message's `params`.
    pub params: Value,
    /// The bearer token.
    pub bearer: Option<String>,
}

/// The running server. Dropping it closes the port.
#[derive(Debug)]
pub struct McpServer {
    server: Loopback,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    tool: String,
    bearer: String,
    requests: Mutex<Vec<McpRequest>>,
}

impl McpServer {
    /// Starts a server with a tool of this name, open to who brings `bearer`; others get 401.
    pub fn start(tool: &str, bearer: &str) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared {
            tool: tool.to_owned(),
            bearer: bearer.to_owned(),
            requests: Mutex::default(),
        });
        let state = Arc::clone(&shared);
        let server = Loopback::serve(0, |_| Router::new().fallback(handle).with_state(state))?;
        Ok(Self { server, shared })
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Every message so far, in order of arrival.
    pub fn requests(&self) -> Vec<McpRequest> {
        let requests = self.shared.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = headers.get("authorization").and_then(|v| v.to_str().ok());
    let bearer = header.and_then(|value| value.strip_prefix("Bearer "));
    let bearer = bearer.map(str::to_owned);
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = message.get("method").and_then(Value::as_str);
    let request = McpRequest {
        method: text.unwrap_or_default().to_owned(),
        params: message.get("params").cloned().unwrap_or_default(),
        bearer: bearer.clone(),
    };
    let answer = answer(&shared.tool, &request);
    if method == Method::POST {
        let requests = shared.requests.lock();
        requests
            .unwrap_or_else(PoisonError::into_inner)
            .push(request);
    }
    if bearer.as_deref() != Some(&shared.bearer) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    // No stream from server to client, which the protocol allows.
    if method != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let Some(id) = message.get("id") else {
        return StatusCode::ACCEPTED.into_response();
    };
    axum::Json(json!({"jsonrpc": "2.0", "id": id, "result": answer})).into_response()
}

fn answer(tool: &str, request: &McpRequest) -> Value {
    match request.method.as_str() {
        "initialize" => json!({
            "protocolVersion": request.params.get("protocolVersion"),
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "loopback", "version": "1"},
        }),
        "tools/list" => json!({"tools": [{
            "name": tool,
            "description": "Lists what was used last.",
            "inputSchema": {"type": "object", "properties": {"limit": {"type": "integer"}}},
            "annotations": {"readOnlyHint": true},
        }]}),
        "tools/call" => json!({"content": [{"type": "text", "text": "one experiment"}]}),
        _ => json!({}),
    }
}
