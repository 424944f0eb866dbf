//! Bodies for `POST /runs/multipart`.
//!
//! Each run is a part `post.<id>` (or `patch.<id>`) without its large fields, and one further part
//! for each of those, so that the server can store them unread. Every part tells its length in
//! bytes; only the request as a whole may be compressed.

use std::fmt;
use std::io::Write as _;

use codex_tracing_delivery::{Item, Request};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use zstd::zstd_safe::CParameter;

use crate::ids::hex_digest;
use crate::run::Operation;

/// Fields with a part of their own, in the order in which they are written.
const OUT_OF_LINE: [&str; 6] = [
    "inputs",
    "outputs",
    "events",
    "extra",
    "error",
    "serialized",
];

/// Compression level: the repetitions are what counts, and even low levels find those.
const LEVEL: i32 = 3;
/// Conversations repeat from run to run, further apart than the default window (2 MiB): 8 MiB, twice
/// what one run has of them at the most, and all that HTTP allows for (RFC 9659).
const WINDOW_LOG: u32 = 23;

/// Sets body and headers.
pub(super) fn fill(request: &mut Request, items: &[(Operation, &Item)], zstd: bool) {
    let mut body = Body::new(items);
    for (operation, item) in items {
        body.run(*operation, item);
    }
    let Body {
        boundary,
        bytes,
        data,
        ..
    } = body.finished();
    let kind = format!("multipart/form-data; boundary={boundary}");
    request.headers.push(("content-type", kind));
    match zstd.then(|| compressed(&bytes)).flatten() {
        Some(smaller) => {
            let sizes = [
                ("x-pre-compressed-size", data),
                ("x-post-compressed-size", smaller.len()),
            ];
            request
                .headers
                .push(("content-encoding", "zstd".to_owned()));
            request
                .headers
                .extend(sizes.map(|(name, size)| (name, size.to_string())));
            request.body = smaller;
        }
        None => request.body = bytes,
    }
}

/// `None` if the compressor refuses; the body then goes as it is.
fn compressed(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL).ok()?;
    compressor
        .set_parameter(CParameter::WindowLog(WINDOW_LOG))
        .ok()?;
    compressor
        .set_parameter(CParameter::EnableLongDistanceMatching(true))
        .ok()?;
    compressor.compress(bytes).ok()
}

struct Body {
    boundary: String,
    bytes: Vec<u8>,
    /// Bytes of part contents, without the frame.
    data: usize,
}

impl Body {
    fn new(items: &[(Operation, &Item)]) -> Self {
        // Ids and sizes tell requests apart, and no run can hold a hash over itself.
        let sizes: Vec<_> = items
            .iter()
            .map(|(_, item)| item.body.len().to_string())
            .collect();
        let ids = items.iter().map(|(_, item)| item.id.as_str());
        let hex = hex_digest(ids.chain(sizes.iter().map(String::as_str)), 24);
        let size: usize = items.iter().map(|(_, item)| item.body.len() + 1024).sum();
        Self {
            boundary: format!("codex-tracing-{hex}"),
            bytes: Vec::with_capacity(size),
            data: 0,
        }
    }

    fn run(&mut self, operation: Operation, item: &Item) {
        let verb = if operation == Operation::Close {
            "patch"
        } else {
            "post"
        };
        let id = item.id.split('#').next().unwrap_or_default();
        let fields = fields(&item.body);
        let (large, small): (Vec<_>, Vec<_>) = fields
            .into_iter()
            .partition(|(name, _)| OUT_OF_LINE.contains(&name.as_str()));
        self.part(&format!("{verb}.{id}"), &object(&small));
        for name in OUT_OF_LINE {
            if let Some((_, value)) = large.iter().find(|(field, _)| field == name) {
                self.part(&format!("{verb}.{id}.{name}"), value.get().as_bytes());
            }
        }
    }

    fn part(&mut self, name: &str, content: &[u8]) {
        let head = format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\
             Content-Type: application/json; length={length}\r\nContent-Length: {length}\r\n\r\n",
            self.boundary,
            length = content.len(),
        );
        self.bytes.extend_from_slice(head.as_bytes());
        self.bytes.extend_from_slice(content);
        self.bytes.extend_from_slice(b"\r\n");
        self.data += content.len();
    }

    fn finished(mut self) -> Self {
        // Writing to a vector cannot fail.
        let _ = write!(self.bytes, "--{}--\r\n", self.boundary);
        self
    }
}

/// The object with these fields.
fn object(fields: &[(String, &RawValue)]) -> Vec<u8> {
    let mut text = Vec::with_capacity(512);
    text.push(b'{');
    for (index, (name, value)) in fields.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(serde_json::to_string(name).unwrap_or_default().as_bytes());
        text.push(b':');
        text.extend_from_slice(value.get().as_bytes());
    }
    text.push(b'}');
    text
}

/// The fields of a run in their order, values as they stand; empty for what is no object.
fn fields(body: &[u8]) -> Vec<(String, &RawValue)> {
    struct Fields;
    impl<'a> Visitor<'a> for Fields {
        type Value = Vec<(String, &'a RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a run")
        }

        fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = Vec::with_capacity(16);
            while let Some(field) = map.next_entry()? {
                fields.push(field);
            }
            Ok(fields)
        }
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    (&mut json).deserialize_map(Fields).unwrap_or_default()
}
