//! From the bytes on the wire to content: decompression, JSON, multipart.

use std::io::Read as _;

use axum::http::HeaderMap;

use super::multipart;
use super::request::Content;

/// Decodes a body by its headers.
pub(super) fn decode(headers: &HeaderMap, bytes: &[u8]) -> Content {
    if bytes.is_empty() {
        return Content::Empty;
    }
    let plain = match decompress(header(headers, "content-encoding"), bytes) {
        Ok(plain) => plain,
        Err(reason) => return Content::Broken(reason),
    };
    let kind = header(headers, "content-type").unwrap_or_default();
    if let Some(boundary) = multipart::boundary(kind) {
        return match multipart::parts(&boundary, &plain) {
            Ok(parts) => Content::Parts(parts),
            Err(reason) => Content::Broken(reason),
        };
    }
    match serde_json::from_slice(&plain) {
        Ok(value) => Content::Json(value),
        Err(error) => Content::Broken(format!("the body is not JSON: {error}")),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn decompress(encoding: Option<&str>, bytes: &[u8]) -> Result<Vec<u8>, String> {
    match encoding {
        None | Some("identity") => Ok(bytes.to_vec()),
        Some("zstd") => {
            unpack(bytes).map_err(|error| format!("the body is not zstd as HTTP has it: {error}"))
        }
        Some("gzip") => {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(bytes)
                .read_to_end(&mut plain)
                .map_err(|error| format!("the body is not gzip: {error}"))?;
            Ok(plain)
        }
        Some(other) => Err(format!("content-encoding `{other}` is not supported")),
    }
}

/// With the window that decoders of HTTP have to allow for, and no larger one (RFC 9659).
fn unpack(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut decoder = zstd::Decoder::new(bytes)?;
    decoder.window_log_max(23)?;
    let mut plain = Vec::new();
    decoder.read_to_end(&mut plain)?;
    Ok(plain)
}
