//! Reading answers: bounded, and without the secrets they may echo.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use super::HttpError;

/// What stands where a server echoed a secret.
const BLANK: &[u8] = b"[redacted]";

/// Shorter words are no keys; blanking them would garble answers.
const SHORTEST_SECRET: usize = 8;

/// At most `limit` bytes of the body; the rest stays unread and the connection is given up. No
/// two pieces may be further apart than `silence`.
pub(super) async fn read_capped(
    mut answer: reqwest::Response,
    host: String,
    limit: usize,
    silence: Duration,
) -> Result<Vec<u8>, HttpError> {
    let mut body = Vec::new();
    loop {
        let chunk = match timeout(silence, answer.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => return Ok(body),
            Ok(Err(error)) => return Err(HttpError::from_reqwest(&host, &error)),
            Err(_) => return Err(HttpError::Timeout { host }),
        };
        let room = limit.saturating_sub(body.len());
        body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if body.len() >= limit {
            return Ok(body);
        }
    }
}

/// The words of secret headers that must not be told on: `Bearer abc…` counts as `abc…`.
pub(super) fn secrets(headers: &[(&'static str, SecretString)]) -> Vec<Vec<u8>> {
    headers
        .iter()
        .flat_map(|(_, secret)| secret.expose_secret().split_ascii_whitespace())
        .filter(|word| word.len() >= SHORTEST_SECRET)
        .map(|word| word.as_bytes().to_vec())
        .collect()
}

/// Replaces each occurrence of each secret: servers like to quote a refused key.
pub(super) fn blank(body: &mut Vec<u8>, secrets: &[Vec<u8>]) {
    for secret in secrets {
        let mut rest = body.as_slice();
        let mut blanked = Vec::new();
        while let Some((before, after)) = split_once(rest, secret) {
            blanked.extend_from_slice(before);
            blanked.extend_from_slice(BLANK);
            rest = after;
        }
        if rest.len() < body.len() {
            blanked.extend_from_slice(rest);
            *body = blanked;
        }
    }
}

/// What comes before and after the first `needle`.
fn split_once<'a>(haystack: &'a [u8], needle: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = haystack
        .windows(needle.len())
        .position(|window| window == needle)?;
    Some((haystack.get(..at)?, haystack.get(at + needle.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, body: &str, expected: &str) {
        let secrets = secrets(&[("authorization", SecretString::from(header))]);
        let mut bytes = body.as_bytes().to_vec();
        blank(&mut bytes, &secrets);
        assert_eq!(String::from_utf8_lossy(&bytes), expected);
    }

    #[test]
    fn an_echoed_secret_is_blanked_and_nothing_else() {
        check("key-123456", "no", "no");
        check("key-123456", "bad key-123456!", "bad [redacted]!");
        check("key-123456", "key-123456key-123456", "[redacted][redacted]");
        check(
            "Bearer key-123456",
            "Bearer key-123456",
            "Bearer [redacted]",
        );
        check("short", "short", "short");
        check("redacted", "redacted", "[redacted]");
        check("key-123456", "key-12345", "key-12345");
    }
}
