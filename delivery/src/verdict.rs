//! What an answer means: a pure function of status and headers.

use std::time::Duration;

use crate::Response;

/// What a response means for the items that were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The server has them.
    Acknowledged,
    /// Try the same again: after this time if given, else with exponential back-off.
    Retry(Option<Duration>),
    /// Too large: send fewer, or shrink a single item.
    Split,
    /// The server will never take (one of) these; the text is what it said.
    Reject(String),
    /// Nothing more to this destination until its key or permission changes (401, 403).
    Stop(String),
}

/// The verdict on a status that a backend has no special rule for.
pub fn classify_status(response: &Response) -> Verdict {
    match response.status {
        200..=299 => Verdict::Acknowledged,
        401 | 403 => Verdict::Stop(excerpt(response)),
        408 | 425 | 429 | 500..=599 => Verdict::Retry(response.retry_after),
        413 => Verdict::Split,
        _ => Verdict::Reject(excerpt(response)),
    }
}

/// The server's words, short enough for a status line.
pub(crate) fn excerpt(response: &Response) -> String {
    let text = String::from_utf8_lossy(&response.body);
    let text: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
    format!("HTTP {}: {}", response.status, text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, expected: &Verdict) {
        let response = Response {
            status,
            retry_after: Some(Duration::from_secs(3)),
            body: b"no\n".to_vec(),
        };
        assert_eq!(&classify_status(&response), expected, "{status}");
    }

    #[test]
    fn every_status_has_one_meaning() {
        let wait = Verdict::Retry(Some(Duration::from_secs(3)));
        for status in [200, 201, 202, 204] {
            check(status, &Verdict::Acknowledged);
        }
        for status in [408, 425, 429, 500, 502, 503, 504] {
            check(status, &wait);
        }
        for status in [401, 403] {
            check(status, &Verdict::Stop(format!("HTTP {status}: no")));
        }
        check(413, &Verdict::Split);
        for status in [400, 404, 409, 422] {
            check(status, &Verdict::Reject(format!("HTTP {status}: no")));
        }
    }
}
