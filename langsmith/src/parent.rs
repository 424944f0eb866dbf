//! A caller's run to nest turns under: the headers of LangSmith's distributed tracing.

use std::borrow::Cow;

use codex_tracing_config::ParentHeaders;
use codex_tracing_redact::Redactor;
use codex_tracing_transcript::Scrub;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::place::{Place, Segment};

/// What a caller's headers say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parent {
    /// The caller's run.
    pub(crate) place: Place,
    /// `langsmith-project` of the baggage: runs of one trace share a project.
    pub(crate) project: Option<String>,
    /// `langsmith-metadata` of the baggage.
    pub(crate) metadata: Map<String, Value>,
    /// `langsmith-tags` of the baggage.
    pub(crate) tags: Vec<String>,
}

/// Why turns are not nested under the caller's run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParentProblem {
    /// The dotted order has a part that is no time and id.
    #[error(
        "parent header langsmith-trace: part {part} is not <YYYYMMDD>T<HHMMSSffffff>Z<uuid>; \
         turns are sent as traces of their own until it is corrected"
    )]
    Order {
        /// Which part, from 1.
        part: usize,
    },
}

/// Whether turns can be nested under the run that `headers` name.
pub fn check_parent(headers: &ParentHeaders) -> Result<(), ParentProblem> {
    Parent::parse(headers).map(drop)
}

impl Parent {
    /// Reads the headers. Baggage is optional throughout: what is unreadable in it counts as
    /// absent.
    pub(crate) fn parse(headers: &ParentHeaders) -> Result<Self, ParentProblem> {
        let parts = headers.langsmith_trace.trim().split('.');
        let segments: Result<Vec<_>, _> = parts
            .enumerate()
            .map(|(index, part)| segment(part).ok_or(ParentProblem::Order { part: index + 1 }))
            .collect();
        let place = Place::from_segments(segments?).ok_or(ParentProblem::Order { part: 1 })?;
        let mut parent = Self {
            place,
            project: None,
            metadata: Map::new(),
            tags: Vec::new(),
        };
        let baggage = headers.baggage.as_deref().unwrap_or_default();
        for entry in baggage.split(',') {
            if let Some((name, value)) = entry.trim().split_once('=') {
                parent.take(name, &percent_decoded(value));
            }
        }
        Ok(parent)
    }

    /// Without the secrets in its tags; its metadata is redacted with the custom metadata.
    pub(crate) fn redacted(mut self, redactor: &Redactor) -> Self {
        for tag in &mut self.tags {
            *tag = redactor.text(Cow::Borrowed(tag));
        }
        self
    }

    fn take(&mut self, name: &str, value: &str) {
        match name {
            "langsmith-project" if !value.is_empty() => self.project = Some(value.to_owned()),
            "langsmith-tags" => {
                self.tags = value
                    .split(',')
                    .filter(|tag| !tag.is_empty())
                    .map(str::to_owned)
                    .collect();
            }
            "langsmith-metadata" => {
                self.metadata = serde_json::from_str(value).unwrap_or_default();
            }
            // `langsmith-replicas` is left alone: where data goes is the settings' business.
            _ => {}
        }
    }
}

/// `20260102T030405678001Z<uuid>`.
fn segment(part: &str) -> Option<Segment> {
    let (time, id) = part.split_once('Z')?;
    let is_whole = time.len() == "20260102T030405678001".len();
    let time = DateTime::strptime("%Y%m%dT%H%M%S%f", time)
        .ok()
        .filter(|_| is_whole)?;
    Some(Segment {
        at: TimeZone::UTC.to_timestamp(time).ok()?,
        id: Uuid::parse_str(id).ok()?,
    })
}

/// `%41` → `A`; a `%` without two hex digits stays.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let decoded = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        bytes.push(decoded.unwrap_or(*first));
        rest = tail
            .get(if decoded.is_some() { 2 } else { 0 }..)
            .unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "20260102T030405678001Z019b7ca9-8f2e-7000-8000-000000000001.\
                         20260102T030405778002Z019b7ca9-8f92-7000-8000-000000000002";

    fn headers(trace: &str, baggage: Option<&str>) -> ParentHeaders {
        ParentHeaders::new(trace, baggage.map(str::to_owned))
    }

    #[test]
    fn the_callers_path_is_kept_digit_by_digit() {
        let parent = Parent::parse(&headers(&format!(" {TRACE} "), None)).unwrap();
        assert_eq!(parent.place.dotted_order(), TRACE);
    }

    #[test]
    fn baggage_gives_project_metadata_and_tags() {
        let baggage = "langsmith-metadata=%7B%22team%22%3A%22a%2Cb%22%7D,langsmith-tags=x%2Cy,\
                       other=1,langsmith-project=my%20project%";
        let parent = Parent::parse(&headers(TRACE, Some(baggage))).unwrap();
        assert_eq!(parent.project.as_deref(), Some("my project%"));
        assert_eq!(parent.tags, ["x", "y"]);
        assert_eq!(
            Value::Object(parent.metadata),
            serde_json::json!({"team": "a,b"})
        );
    }

    #[test]
    fn a_broken_order_says_which_part() {
        for (trace, part) in [("", 1), ("nonsense", 1), (&format!("{TRACE}.2026Zx"), 3)] {
            let problem = check_parent(&headers(trace, None)).unwrap_err();
            assert_eq!(problem, ParentProblem::Order { part }, "{trace}");
        }
    }
}
