//! The HTTP client, and the sender on top of it, against servers that behave, fail and mislead.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot set up, it cannot test"
)]

#[path = "http/answers.rs"]
mod answers;
#[path = "http/collector.rs"]
mod collector;
#[path = "http/deliveries.rs"]
mod deliveries;
#[path = "http/failures.rs"]
mod failures;
#[path = "http/log.rs"]
mod log;
#[path = "http/redirects.rs"]
mod redirects;
#[path = "http/server.rs"]
mod server;
#[path = "http/tls.rs"]
mod tls;

use std::time::Duration;

use codex_tracing_delivery::{
    Exchange, HttpClient, HttpError, HttpOptions, Method, Request, Response,
};
use secrecy::SecretString;

/// Must never be seen outside a request to the host it is for.
const KEY: &str = "planted-key-0123456789";

fn client() -> HttpClient {
    let options = HttpOptions {
        connect_timeout: Duration::from_mins(1),
        read_timeout: Duration::from_mins(1),
        total_timeout: Duration::from_mins(2),
        ..HttpOptions::new("codex-tracing/test")
    };
    HttpClient::new(&options).unwrap()
}

fn hasty() -> HttpClient {
    let options = HttpOptions {
        read_timeout: Duration::from_millis(200),
        total_timeout: Duration::from_millis(400),
        ..HttpOptions::new("codex-tracing/test")
    };
    HttpClient::new(&options).unwrap()
}

fn post(url: impl Into<String>) -> Request {
    Request {
        method: Method::Post,
        url: url.into(),
        headers: vec![("content-type", "application/json".to_owned())],
        secret_headers: vec![("authorization", SecretString::from(format!("Bearer {KEY}")))],
        body: br#"{"a":1}"#.to_vec(),
    }
}

async fn ask(request: Request) -> Result<Response, HttpError> {
    check_no_secret(&format!("{request:?}"));
    let answer = client().exchange(request).await;
    check_no_secret(&format!("{answer:?}"));
    if let Err(error) = &answer {
        check_no_secret(&error.to_string());
    }
    answer
}

fn check_no_secret(text: &str) {
    for secret in [KEY, "user-1", "pass-1", "token-1"] {
        assert!(!text.contains(secret), "{text}");
    }
}
