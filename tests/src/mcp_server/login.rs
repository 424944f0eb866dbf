//! An authorisation server as MCP asks for one (OAuth 2.1): metadata, registration of clients, a
//! code bound to its client by PKCE, a token. Whoever asks is let in at once: the user's consent is
//! the one thing left out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The running authorisation server's state.
#[derive(Debug)]
pub(super) struct Login {
    /// Base URL of it and of the MCP server it stands before.
    base: String,
    /// What it hands out.
    token: String,
    ledger: Mutex<Ledger>,
}

#[derive(Debug, Default)]
struct Ledger {
    /// Where each client may be sent back to, by client id.
    clients: HashMap<String, Vec<String>>,
    /// What each code was given out for.
    codes: HashMap<String, Grant>,
}

#[derive(Debug)]
struct Grant {
    client_id: String,
    redirect_uri: String,
    challenge: String,
}

impl Login {
    pub(super) fn new(base: String, token: &str) -> Self {
        Self {
            base,
            token: token.to_owned(),
            ledger: Mutex::default(),
        }
    }

    /// What a request without a token is told: where to learn who gives one.
    pub(super) fn challenge(&self) -> String {
        let metadata = format!("{}/.well-known/oauth-protected-resource/mcp", self.base);
        format!("Bearer resource_metadata=\"{metadata}\"")
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A code for a client that is known and comes with a challenge; the address to go back to.
    fn authorize(&self, query: &str) -> Option<String> {
        let asked = form(query);
        let field = |name: &str| asked.get(name).map(String::as_str);
        let (client_id, redirect_uri) = (field("client_id")?, field("redirect_uri")?);
        let mut ledger = self.ledger();
        let known = ledger.clients.get(client_id)?;
        let is_fine = known.iter().any(|uri| uri == redirect_uri)
            && field("response_type") == Some("code")
            && field("code_challenge_method") == Some("S256");
        let grant = Grant {
            client_id: client_id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            challenge: field("code_challenge")?.to_owned(),
        };
        let code = format!("code-{}", ledger.codes.len());
        let mut back = url::Url::parse(redirect_uri).ok().filter(|_| is_fine)?;
        back.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", field("state")?);
        ledger.codes.insert(code, grant);
        Some(back.into())
    }

    /// Whether a code is good: given out for this client and address, used once, by whoever knows
    /// what the challenge was made from.
    fn redeem(&self, body: &str) -> bool {
        let asked = form(body);
        let field = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
        let Some(grant) = self.ledger().codes.remove(field("code")) else {
            return false;
        };
        field("grant_type") == "authorization_code"
            && field("client_id") == grant.client_id
            && field("redirect_uri") == grant.redirect_uri
            && URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier"))) == grant.challenge
    }
}

/// Its routes.
pub(super) fn routes(login: Arc<Login>) -> Router {
    let resource = "/.well-known/oauth-protected-resource";
    let server = "/.well-known/oauth-authorization-server";
    Router::new()
        .route(resource, get(describe_resource))
        .route(&format!("{resource}/mcp"), get(describe_resource))
        .route(server, get(describe_server))
        .route(&format!("{server}/mcp"), get(describe_server))
        .route("/register", post(register))
        .route("/authorize", get(authorize))
        .route("/token", post(token))
        .with_state(login)
}

async fn describe_resource(State(login): State<Arc<Login>>) -> Response {
    let base = &login.base;
    let resource = format!("{base}/mcp");
    axum::Json(json!({"resource": resource, "authorization_servers": [base]})).into_response()
}

async fn describe_server(State(login): State<Arc<Login>>) -> Response {
    let base = &login.base;
    axum::Json(json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "registration_endpoint": format!("{base}/register"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
    }))
    .into_response()
}

async fn register(
    State(login): State<Arc<Login>>,
    axum::Json(mut client): axum::Json<Value>,
) -> Response {
    let uris = client.get("redirect_uris").and_then(Value::as_array);
    let uris = uris.into_iter().flatten().filter_map(Value::as_str);
    let uris: Vec<String> = uris.map(str::to_owned).collect();
    let mut ledger = login.ledger();
    let id = format!("client-{}", ledger.clients.len());
    ledger.clients.insert(id.clone(), uris);
    if let Some(fields) = client.as_object_mut() {
        fields.insert("client_id".to_owned(), Value::from(id));
    }
    (StatusCode::CREATED, axum::Json(client)).into_response()
}

async fn authorize(State(login): State<Arc<Login>>, RawQuery(query): RawQuery) -> Response {
    match login.authorize(&query.unwrap_or_default()) {
        Some(back) => (StatusCode::FOUND, [(header::LOCATION, back)]).into_response(),
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

async fn token(State(login): State<Arc<Login>>, body: String) -> Response {
    if !login.redeem(&body) {
        let refusal = json!({"error": "invalid_grant"});
        return (StatusCode::BAD_REQUEST, axum::Json(refusal)).into_response();
    }
    axum::Json(json!({
        "access_token": login.token,
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": "refresh-0123456789",
    }))
    .into_response()
}

/// The fields of a query or a form.
fn form(text: &str) -> HashMap<String, String> {
    url::form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}
