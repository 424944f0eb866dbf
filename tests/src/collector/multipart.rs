//! Strict reading of `multipart/form-data` as LangSmith's ingest takes it: CRLF framing, a name,
//! a `Content-Type` and the exact length in bytes on every part, no encoding of single parts.

/// One part of a multipart body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The `name` of its `Content-Disposition`.
    pub name: String,
    /// Its `Content-Type` without parameters.
    pub content_type: String,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// The boundary, if `content_type` is multipart.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let mut fields = content_type.split(';').map(str::trim);
    if !fields.next()?.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = fields.find_map(|field| field.strip_prefix("boundary="))?;
    Some(boundary.trim_matches('"').to_owned())
}

/// The parts, or what is wrong with the body.
pub(super) fn parts(boundary: &str, body: &[u8]) -> Result<Vec<Part>, String> {
    let dashed = format!("--{boundary}");
    let mut rest = body
        .strip_prefix(dashed.as_bytes())
        .ok_or("the body does not begin with the boundary")?;
    let between = format!("\r\n{dashed}");
    let mut parts = Vec::new();
    loop {
        if let Some(end) = rest.strip_prefix(b"--".as_slice()) {
            return match end {
                b"" | b"\r\n" => Ok(parts),
                _ => Err("bytes after the closing boundary".to_owned()),
            };
        }
        let part = rest
            .strip_prefix(b"\r\n".as_slice())
            .ok_or("a boundary without a line end")?;
        let (head, part) =
            split(part, b"\r\n\r\n").ok_or("a part without an empty line after its headers")?;
        let (part, after) = read(head, part, between.as_bytes())?;
        parts.push(part);
        rest = after;
    }
}

fn read<'a>(head: &[u8], rest: &'a [u8], between: &[u8]) -> Result<(Part, &'a [u8]), String> {
    let head = std::str::from_utf8(head).map_err(|_| "part headers that are not UTF-8")?;
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let disposition = header("content-disposition").ok_or("a part without Content-Disposition")?;
    let name = parameter(disposition, "name").ok_or("a part without a name")?;
    let content_type =
        header("content-type").ok_or_else(|| format!("part `{name}` has no Content-Type"))?;
    if header("content-encoding").is_some() {
        return Err(format!("part `{name}` has a Content-Encoding of its own"));
    }
    let length = parameter(content_type, "length")
        .or_else(|| header("content-length").map(str::to_owned))
        .ok_or_else(|| format!("part `{name}` states no length"))?;
    let length: usize = length
        .parse()
        .map_err(|_| format!("part `{name}` states the length `{length}`"))?;
    let exact = rest
        .split_at_checked(length)
        .and_then(|(body, after)| Some((body, after.strip_prefix(between)?)));
    let Some((body, after)) = exact else {
        let real = split(rest, between).map_or(rest.len(), |(body, _)| body.len());
        return Err(format!(
            "part `{name}` states {length} bytes and has {real}"
        ));
    };
    let content_type = content_type.split(';').next().unwrap_or_default();
    let part = Part {
        name,
        content_type: content_type.trim().to_owned(),
        body: body.to_vec(),
    };
    Ok((part, after))
}

/// A parameter of a header value, without its quotes.
fn parameter(value: &str, name: &str) -> Option<String> {
    let mut parameters = value.split(';').skip(1).map(str::trim);
    parameters.find_map(|parameter| {
        let (found, value) = parameter.split_once('=')?;
        found
            .eq_ignore_ascii_case(name)
            .then(|| value.trim_matches('"').to_owned())
    })
}

fn split<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes
        .windows(separator.len())
        .position(|window| window == separator)?;
    let (before, after) = bytes.split_at_checked(at)?;
    Some((before, after.get(separator.len()..)?))
}
