//! Times of runs and spans, and the checks both backends' trees share.

use jiff::Timestamp;
use serde_json::Value;

/// A node of a trace as far as its shape is concerned.
pub(super) struct Node {
    /// What messages call it.
    pub(super) label: String,
    pub(super) start_at: Option<Timestamp>,
    pub(super) end_at: Option<Timestamp>,
    /// The label of a parent that is named but never came.
    pub(super) missing_parent: Option<String>,
    /// Index of its parent among the nodes.
    pub(super) parent: Option<usize>,
    /// Whether it may go on after its parent: an agent works on after the call that spawned it has
    /// returned, and even after the turn with that call.
    pub(super) outlives: bool,
}

/// What is wrong with the shape: parents missing, ends before starts, children outside parents.
pub(super) fn problems(nodes: &[Node]) -> Vec<String> {
    let mut out = Vec::new();
    for node in nodes {
        let label = &node.label;
        if let Some(parent) = &node.missing_parent {
            out.push(format!("{label}: its parent {parent} never came"));
        }
        let Some(start_at) = node.start_at else {
            out.push(format!("{label}: no start"));
            continue;
        };
        let Some(end_at) = node.end_at else {
            out.push(format!("{label}: no end"));
            continue;
        };
        if end_at < start_at {
            out.push(format!(
                "{label}: ends {end_at}, before its start {start_at}"
            ));
        }
        let Some(parent) = node.parent.and_then(|parent| nodes.get(parent)) else {
            continue;
        };
        if parent.start_at.is_some_and(|at| start_at < at)
            || parent
                .end_at
                .is_some_and(|at| end_at > at && !node.outlives)
        {
            out.push(format!(
                "{label}: {start_at}..{end_at} is not inside its parent {}: {}..{}",
                parent.label,
                shown(parent.start_at),
                shown(parent.end_at),
            ));
        }
    }
    out
}

fn shown(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "?".to_owned(), |at| at.to_string())
}

/// LangSmith's times: RFC 3339, or milliseconds since 1970.
pub(super) fn instant(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => Timestamp::from_millisecond(number.as_i64()?).ok(),
        _ => None,
    }
}

/// Braintrust's times: seconds since 1970 with a fraction, taken to the microsecond.
pub(super) fn seconds(value: &Value) -> Option<Timestamp> {
    let micros = (value.as_f64()? * 1e6).round();
    // Microseconds of any date in use are far below what both types hold exactly.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an instant of this age fits"
    )]
    Timestamp::from_microsecond(micros as i64).ok()
}
