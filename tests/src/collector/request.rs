//! A request as it was recorded.

use std::time::SystemTime;

use serde_json::Value;

use super::multipart::Part;

/// One request that reached the collector.
#[derive(Debug, Clone)]
pub struct Request {
    /// When it had been read whole.
    pub at: SystemTime,
    /// The method, in capitals.
    pub method: String,
    /// Path with query.
    pub path: String,
    /// Headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The key it used: `x-api-key`, or the bearer token.
    pub key: Option<String>,
    /// Bytes of the body as sent.
    pub wire_bytes: usize,
    /// The body, decompressed and decoded.
    pub content: Content,
    /// The status it was answered with; `None` if the connection was cut or kept waiting.
    pub status: Option<u16>,
}

impl Request {
    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |pair: &&(String, String)| pair.0 == name;
        Some(&self.headers.iter().find(named)?.1)
    }
}

/// A decoded body.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// No body.
    Empty,
    /// A JSON body.
    Json(Value),
    /// The parts of a multipart body.
    Parts(Vec<Part>),
    /// A body that is neither, or breaks the rules; the reason.
    Broken(String),
}
