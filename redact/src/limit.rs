//! Oversized texts: head and tail stay, a marker says how much is gone.

/// Cuts `text` to at most `limit` bytes, marker included, at character boundaries. A limit that
/// has no room for the marker leaves the marker alone. `None` if nothing is to be cut.
pub(crate) fn cut(text: &str, limit: usize) -> Option<String> {
    if text.len() <= limit || is_marker(text) {
        return None;
    }
    // The number in the marker has at most as many digits as the length of the text.
    let room = limit.saturating_sub(marker(text.len()).len());
    let head_end = text.floor_char_boundary(room.div_ceil(2));
    let tail_start = text.ceil_char_boundary(text.len() - room / 2);
    let head = text.get(..head_end).unwrap_or_default();
    let tail = text.get(tail_start..).unwrap_or_default();
    let omitted = text.len() - head.len() - tail.len();
    Some(format!("{head}{}{tail}", marker(omitted)))
}

fn marker(bytes: usize) -> String {
    format!("…[{bytes} bytes omitted by max_field_bytes]…")
}

fn is_marker(text: &str) -> bool {
    text.strip_prefix("…[")
        .and_then(|rest| rest.strip_suffix(" bytes omitted by max_field_bytes]…"))
        .is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_and_tail_stay_within_the_limit() {
        let check = |text: &str, limit: usize, expected: Option<&str>| {
            let result = cut(text, limit);
            assert_eq!(result.as_deref(), expected, "{limit}");
            if let Some(result) = result {
                assert_eq!(cut(&result, limit), None, "cutting twice changes something");
            }
        };
        let text = format!("{}{}", "a".repeat(100), "z".repeat(100));
        check(&text, 200, None);
        check(
            &text,
            63,
            Some("aaaaaaaaaa…[181 bytes omitted by max_field_bytes]…zzzzzzzzz"),
        );
        check(&text, 3, Some("…[200 bytes omitted by max_field_bytes]…"));
        check(
            &"é".repeat(40),
            48,
            Some("é…[76 bytes omitted by max_field_bytes]…é"),
        );
        check("", 0, None);
    }
}
