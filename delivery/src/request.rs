//! Requests and answers as data.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

/// HTTP methods a backend may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
}

/// One HTTP request, as data. `Debug` shows neither header values nor the body, nor what a URL
/// may hide (a password, a signature in the query).
#[derive(Clone)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Absolute URL.
    pub url: String,
    /// Headers that are not secret.
    pub headers: Vec<(&'static str, String)>,
    /// Headers that are (`x-api-key`, `authorization`): exposed only while they are sent.
    pub secret_headers: Vec<(&'static str, SecretString)>,
    /// Body; empty for none.
    pub body: Vec<u8>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &bare(&self.url))
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Scheme, host, port and path of a URL.
fn bare(url: &str) -> String {
    Url::parse(url).map_or_else(
        |_| "not a URL".to_owned(),
        |url| format!("{}{}", url.origin().ascii_serialization(), url.path()),
    )
}

/// What came back. The body is cut at a bound set by the HTTP engine (1 MiB).
#[derive(Debug, Clone)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Parsed `Retry-After`, in seconds or as a date, relative to when the answer arrived.
    pub retry_after: Option<Duration>,
    /// `Content-Type`, if there is a readable one.
    pub content_type: Option<String>,
    /// Body bytes.
    pub body: Vec<u8>,
}

impl Response {
    /// Whether the status is 2xx, and the body is not a web page: APIs answer JSON or nothing.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status) && !self.is_page()
    }

    /// Whether this is a page for people (a login, a proxy's notice, a wrong address) and not the
    /// answer of an API.
    pub fn is_page(&self) -> bool {
        let body = self.body.strip_prefix("\u{feff}".as_bytes());
        let body = body.unwrap_or(&self.body).trim_ascii_start();
        let says_so = self.content_type.as_deref().is_some_and(|value| {
            let kind = value.split(';').next().unwrap_or_default();
            kind.trim().eq_ignore_ascii_case("text/html")
        });
        let begins = |mark: &[u8]| {
            let start = body.get(..mark.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(mark))
        };
        begins(b"<!doctype html") || begins(b"<html") || (says_so && !body.is_empty())
    }
}
