//! Images and other binary content inside texts and values.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// What stands in place of an image that is left out.
pub(crate) const OMITTED: &str = "[image omitted]";

/// Shorter payloads are looked at like any text, and stay in running text.
const SHORTEST_INLINE: usize = 64;

/// First characters of base64 that begins a picture, and its type.
const MAGIC: &[(&str, &str)] = &[
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
];

/// Binary content as it is recorded: its type and its base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Binary<'t> {
    mime: &'t str,
    payload: &'t str,
    is_base64: bool,
}

impl<'t> Binary<'t> {
    /// A text that is nothing but binary content: a `data:` URL in base64, or base64 that begins
    /// like a picture.
    pub(crate) fn whole(text: &'t str) -> Option<Self> {
        if text.get(..5)?.eq_ignore_ascii_case("data:") {
            return Self::data_url(text)
                .filter(|binary| binary.is_base64 && binary.payload.len() >= SHORTEST_INLINE);
        }
        let (_, mime) = MAGIC.iter().find(|(magic, _)| text.starts_with(magic))?;
        (text.len() >= SHORTEST_INLINE && is_all_base64(text)).then_some(Self {
            mime,
            payload: text,
            is_base64: true,
        })
    }

    /// A `data:` URL of any encoding. A text that happens to begin with `data:` may look like one,
    /// so that only what is known to be an address may be asked.
    pub(crate) fn data_url(text: &'t str) -> Option<Self> {
        let (scheme, rest) = text.split_at_checked(5)?;
        let (head, payload) = rest.split_once(',')?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/+.-;=_".contains(c);
        if !scheme.eq_ignore_ascii_case("data:") || !head.chars().all(is_plain) {
            return None;
        }
        let (mime, parameters) = head.split_once(';').unwrap_or((head, ""));
        let encoding = parameters.rsplit(';').next().unwrap_or_default();
        let is_base64 = encoding.eq_ignore_ascii_case("base64");
        (!payload.is_empty() && (!is_base64 || is_all_base64(payload))).then_some(Self {
            mime,
            payload,
            is_base64,
        })
    }

    /// The binary content under `key` of an object that names its type, as MCP results do.
    pub(crate) fn under(object: &'t Map<String, Value>, key: &str) -> Option<Self> {
        let payload = object.get(key)?.as_str()?;
        let mime = ["mimeType", "mime_type", "media_type"]
            .iter()
            .find_map(|key| object.get(*key)?.as_str())
            .or_else(|| {
                let kind = object.get("type")?.as_str()?;
                (kind == "image_generation_call").then_some("image/png")
            })?;
        (payload.len() >= 4 && is_all_base64(payload)).then_some(Self {
            mime,
            payload,
            is_base64: true,
        })
    }

    /// `[image image/png, 12345 bytes, sha256 0123456789abcdef]`: size and the first 16 digits of
    /// the hash of the decoded content, so that it can be compared with a file.
    pub(crate) fn reference(&self) -> String {
        let decoded = if self.is_base64 { self.decode() } else { None };
        let bytes = decoded.as_deref().unwrap_or(self.payload.as_bytes());
        let kind = match self.mime.split('/').next() {
            Some(kind @ ("audio" | "video")) => kind,
            Some("image") => "image",
            _ => "binary",
        };
        let hash = format!("{:x}", Sha256::digest(bytes));
        let hash = hash.get(..16).unwrap_or(&hash);
        // The type comes from the content and may be anything.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/+.-".contains(c);
        let mime = match self.mime {
            mime if !mime.is_empty() && mime.len() <= 64 && mime.chars().all(is_plain) => mime,
            _ => "unknown type",
        };
        format!("[{kind} {mime}, {} bytes, sha256 {hash}]", bytes.len())
    }

    fn decode(&self) -> Option<Vec<u8>> {
        let text: String = self.payload.split_ascii_whitespace().collect();
        [&STANDARD, &STANDARD_NO_PAD]
            .iter()
            .find_map(|alphabet| alphabet.decode(&text).ok())
    }
}

/// Replaces `data:…;base64,…` in running text by what `put` makes of each. `None` if there is none.
pub(crate) fn replace_inline(text: &str, put: impl Fn(Binary<'_>) -> String) -> Option<String> {
    let mut result = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(found) = text.get(from..)?.find(";base64,") {
        let comma = from + found + ";base64,".len();
        let payload = text.get(comma..)?;
        let length = payload
            .bytes()
            .position(|byte| !is_base64(byte))
            .unwrap_or(payload.len());
        let end = comma + length;
        // The type is short; anything longer is no data URL.
        let window = text
            .floor_char_boundary((from + found).saturating_sub(128))
            .max(copied);
        let head = text.get(window..from + found)?;
        let start = head.rfind("data:").map(|start| window + start);
        if let Some(start) = start
            && length >= SHORTEST_INLINE
            && let Some(binary) = Binary::whole(text.get(start..end)?)
        {
            result.push_str(text.get(copied..start)?);
            result.push_str(&put(binary));
            copied = end;
        }
        from = end;
    }
    if copied == 0 {
        return None;
    }
    result.push_str(text.get(copied..)?);
    Some(result)
}

fn is_all_base64(text: &str) -> bool {
    text.bytes()
        .all(|byte| is_base64(byte) || matches!(byte, b'\r' | b'\n'))
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}
