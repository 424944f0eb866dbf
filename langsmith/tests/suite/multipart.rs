//! A strict reader of multipart bodies: what LangSmith's server insists on.

use std::collections::BTreeMap;

/// One part of a body.
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// The parts of a body; fails on anything that is not framed as it should be.
pub(crate) fn parts(content_type: &str, body: &[u8]) -> Vec<Part> {
    let boundary = content_type
        .strip_prefix("multipart/form-data; boundary=")
        .unwrap();
    assert!(boundary.len() <= 70, "RFC 2046 allows 70 characters");
    let text = std::str::from_utf8(body).unwrap();
    let text = text.strip_prefix(&format!("--{boundary}\r\n")).unwrap();
    let text = text
        .strip_suffix(&format!("\r\n--{boundary}--\r\n"))
        .unwrap();
    text.split(&format!("\r\n--{boundary}\r\n"))
        .map(part)
        .collect()
}

fn part(text: &str) -> Part {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let headers: BTreeMap<_, _> = head
        .split("\r\n")
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let name = headers["content-disposition"]
        .strip_prefix("form-data; name=\"")
        .unwrap();
    Part {
        name: name.strip_suffix('"').unwrap().to_owned(),
        body: body.as_bytes().to_vec(),
        headers,
    }
}
