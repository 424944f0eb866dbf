//! The wire form of one span, as `/logs3` takes it but for `project_id` and `log_id`.
//!
//! Fields and their meaning: Braintrust's insert API (`POST /v1/project_logs/{id}/insert` of its
//! public `OpenAPI` description); `/logs3` takes the same rows.

use codex_tracing_delivery::Item;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// One span, or the part of it that is known.
#[derive(Debug, Serialize)]
pub(crate) struct Row<'a> {
    /// Storage key, equal to `span_id`.
    pub(crate) id: String,
    /// Node in the trace.
    pub(crate) span_id: String,
    /// The trace.
    pub(crate) root_span_id: &'a str,
    /// Parent nodes; none for the root of a trace.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) span_parents: Vec<String>,
    /// The span's start: unlike the time of writing it is the same in every write.
    pub(crate) created: Timestamp,
    /// Name and type.
    pub(crate) span_attributes: Attributes,
    /// What went in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<Box<RawValue>>,
    /// What came out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<Box<RawValue>>,
    /// Why it failed; `null` takes back what an earlier write said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Value>,
    /// Further facts.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) metadata: Map<String, Value>,
    /// Tags, distinct.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<&'static str>,
    /// Numbers: `start` and `end` in Unix seconds, tokens.
    pub(crate) metrics: Map<String, Value>,
    /// Who wrote it.
    pub(crate) context: &'a Value,
    /// The turn that contributes this to a span of several turns; part of the item's id, so that
    /// one turn's contribution does not take the place of another's.
    #[serde(skip)]
    pub(crate) contributor: Option<&'a str>,
    /// Always true: see the crate's documentation.
    #[serde(rename = "_is_merge")]
    pub(crate) is_merge: bool,
}

/// Name and type of a span.
#[derive(Debug, Serialize)]
pub(crate) struct Attributes {
    /// Shown name; absent where another write decides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// `task`, `llm` or `tool`.
    #[serde(rename = "type")]
    pub(crate) kind: SpanType,
}

/// The span types in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SpanType {
    /// Sessions, subagents, turns.
    Task,
    /// Model calls and compactions; Braintrust sums tokens over these.
    Llm,
    /// Tool calls.
    Tool,
}

impl Row<'_> {
    /// Puts a metadata key, unless the value is absent or empty text.
    pub(crate) fn note(&mut self, key: &str, value: impl Into<Value>) {
        match value.into() {
            Value::Null => {}
            Value::String(text) if text.is_empty() => {}
            value => {
                self.metadata.insert(key.to_owned(), value);
            }
        }
    }

    /// Puts a metric.
    pub(crate) fn measure(&mut self, key: &str, value: impl Into<Value>) {
        self.metrics.insert(key.to_owned(), value.into());
    }

    /// The item to send. `None` cannot happen: every map of a row has string keys.
    pub(crate) fn encode(self) -> Option<Item> {
        let body = serde_json::to_vec(&self).ok()?;
        let id = match self.contributor {
            Some(turn) => format!("{}{BY}{turn}", self.id),
            None => self.id,
        };
        Some(Item {
            id,
            body,
            known: false,
        })
    }
}

/// Separates a row's id from the contributor in an item's id.
const BY: char = '#';

/// The row that an item writes to.
pub(crate) fn row_id(item: &Item) -> &str {
    item.id.split(BY).next().unwrap_or(&item.id)
}

/// A value in its wire form.
pub(crate) fn raw(value: &(impl Serialize + ?Sized)) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(value).ok()
}

/// An instant as Braintrust's metrics take it: Unix seconds, to the microsecond.
pub(crate) fn seconds(at: Timestamp) -> f64 {
    at.as_microsecond() as f64 / 1_000_000.0
}
