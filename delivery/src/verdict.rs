//! What an answer means: a pure function of status and headers.

mod words;

use std::time::Duration;

use crate::Response;

pub(crate) use words::{excerpt, without_echoes};

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
    /// Nothing more to this destination until its key, permission or address changes (401, 403, a
    /// web page in place of an answer).
    Stop(String),
}

/// The verdict on a status that a backend has no special rule for.
pub fn classify_status(response: &Response) -> Verdict {
    match response.status {
        // A login page, or a proxy's: what was sent is nowhere.
        status @ 200..=299 if response.is_page() => Verdict::Stop(format!(
            "HTTP {status}: a web page; this is not the API: check the URL"
        )),
        200..=299 => Verdict::Acknowledged,
        401 | 403 => Verdict::Stop(excerpt(response)),
        408 | 425 | 429 | 500..=599 => Verdict::Retry(response.retry_after),
        413 => Verdict::Split,
        _ => Verdict::Reject(excerpt(response)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, expected: &Verdict) {
        let response = Response {
            status,
            retry_after: Some(Duration::from_secs(3)),
            content_type: None,
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

    #[test]
    fn a_web_page_is_no_acknowledgement() {
        let check = |content_type: Option<&str>, body: &str, taken: bool| {
            let response = Response {
                status: 200,
                retry_after: None,
                content_type: content_type.map(ToOwned::to_owned),
                body: body.as_bytes().to_vec(),
            };
            assert_eq!(response.is_success(), taken, "{content_type:?} {body:?}");
            match classify_status(&response) {
                Verdict::Acknowledged => assert!(taken, "{content_type:?} {body:?}"),
                Verdict::Stop(words) => {
                    assert!(!taken && words.contains("check the URL"), "{words}");
                }
                other => panic!("{other:?}"),
            }
        };
        check(None, "<!doctype html><title>Sign in</title>", false);
        check(Some("application/json"), "\u{feff} \n<html>", false);
        check(Some("text/html; charset=utf-8"), "Welcome", false);
        check(Some("TEXT/HTML"), "{}", false);
        check(None, "", true);
        // What Google's storage answers to an upload.
        check(Some("text/html; charset=UTF-8"), "", true);
        check(Some("text/html"), " \n", true);
        check(Some("application/json"), "{}", true);
        check(None, "[]", true);
        check(Some("text/plain"), "OK", true);
    }
}
