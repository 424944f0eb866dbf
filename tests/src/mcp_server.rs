//! An MCP server over streamable HTTP on loopback, with one tool, that keeps what it was asked.

mod login;

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::loopback::Loopback;
use login::Login;

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
    /// Who gives out the bearer token; without, its owner has it from elsewhere.
    login: Option<Arc<Login>>,
    requests: Mutex<Vec<McpRequest>>,
}

impl McpServer {
    /// Starts a server with a tool of this name, open to who brings `bearer`; others get 401.
    pub fn start(tool: &str, bearer: &str) -> anyhow::Result<Self> {
        Self::serve(tool, bearer, |_| None)
    }

    /// The same, where `bearer` is what a login gives: the server tells where to log in.
    pub fn with_login(tool: &str, bearer: &str) -> anyhow::Result<Self> {
        Self::serve(tool, bearer, |base| {
            Some(Arc::new(Login::new(base.to_owned(), bearer)))
        })
    }

    fn serve(
        tool: &str,
        bearer: &str,
        login: impl FnOnce(&str) -> Option<Arc<Login>>,
    ) -> anyhow::Result<Self> {
        let mut made = None;
        let server = Loopback::serve(0, |base| {
            let login = login(&base);
            let shared = Arc::new(Shared {
                tool: tool.to_owned(),
                bearer: bearer.to_owned(),
                login: login.clone(),
                requests: Mutex::default(),
            });
            made = Some(Arc::clone(&shared));
            let router = login.map(login::routes).unwrap_or_default();
            router.merge(Router::new().fallback(handle).with_state(shared))
        })?;
        let shared = made.context("the server has no routes")?;
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
        return match &shared.login {
            Some(login) => {
                let told = [(WWW_AUTHENTICATE, login.challenge())];
                (StatusCode::UNAUTHORIZED, told).into_response()
            }
            None => StatusCode::UNAUTHORIZED.into_response(),
        };
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
