//! A run, and its JSON as the API takes it.

use codex_tracing_delivery::Item;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::place::{Place, rfc3339};

/// JSON text made by this crate's own serialisation, hence well-formed. It is spliced into runs
/// as it stands: the messages of a turn are encoded once, however many runs repeat them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Json(pub(crate) String);

impl Json {
    /// Encodes `value`.
    pub(crate) fn of(value: &impl Serialize) -> Self {
        // Fails only for maps with keys that are no strings, which nothing here has.
        Self(serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()))
    }
}

/// Run types in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunType {
    /// A turn.
    Chain,
    /// A model call or a compaction.
    Llm,
    /// A tool call.
    Tool,
}

impl RunType {
    fn word(self) -> &'static str {
        match self {
            Self::Chain => "chain",
            Self::Llm => "llm",
            Self::Tool => "tool",
        }
    }
}

/// How a run is told to the server, which takes one creation and one update of each run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// The whole run, once it is over.
    Whole,
    /// The beginning of a run that is still going on.
    Open,
    /// The end of a run that was opened.
    Close,
}

impl Operation {
    /// What an item's id has after the run id.
    ///
    /// An item is known by its id until its bytes change, so the two halves of a run that is
    /// opened and closed need two ids.
    fn suffix(self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::Open => "#open",
            Self::Close => "#close",
        }
    }

    /// What the id of an item says, and whether the server has the run: then nothing is created.
    pub(crate) fn of_item(item: &Item) -> Self {
        match item.id.split_once('#') {
            Some((_, "open")) => Self::Open,
            Some((_, "close")) => Self::Close,
            _ if item.known => Self::Close,
            _ => Self::Whole,
        }
    }
}

/// One run, not yet bound to a destination.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// Creation, update or both in one.
    pub(crate) operation: Operation,
    /// Ids, ancestors and start.
    pub(crate) place: Place,
    /// Name.
    pub(crate) name: String,
    /// Type.
    pub(crate) kind: RunType,
    /// End; `None` shows the run as pending.
    pub(crate) ended_at: Option<Timestamp>,
    /// Inputs, an object.
    pub(crate) inputs: Json,
    /// Outputs, an object.
    pub(crate) outputs: Option<Json>,
    /// Error text, whose presence makes the run a failed one; `null` takes one back.
    pub(crate) error: Option<Json>,
    /// `extra.metadata`.
    pub(crate) metadata: Map<String, Value>,
    /// `extra.runtime`.
    pub(crate) runtime: Option<Value>,
    /// Tags.
    pub(crate) tags: Vec<String>,
}

impl Run {
    /// `extra` as the API takes it.
    pub(crate) fn extra(&self) -> Map<String, Value> {
        let mut extra = Map::new();
        extra.insert("metadata".to_owned(), Value::Object(self.metadata.clone()));
        if let Some(runtime) = &self.runtime {
            extra.insert("runtime".to_owned(), runtime.clone());
        }
        extra
    }

    /// The item for project `project`; `changes` replaces fields or adds further ones.
    pub(crate) fn item(&self, project: &str, changes: Vec<(String, Json)>) -> Item {
        let mut fields: Vec<(String, Json)> = Vec::with_capacity(16);
        let mut field = |name: &str, value: Json| fields.push((name.to_owned(), value));
        let id = self.place.id();
        field("id", Json::of(&id));
        field("trace_id", Json::of(&self.place.trace_id()));
        field("dotted_order", Json::of(&self.place.dotted_order()));
        if let Some(parent) = self.place.parent_id() {
            field("parent_run_id", Json::of(&parent));
        }
        field("name", Json::of(&self.name));
        field("run_type", Json::of(&self.kind.word()));
        field("start_time", Json::of(&rfc3339(self.place.at())));
        if let Some(at) = self.ended_at {
            field("end_time", Json::of(&rfc3339(at.max(self.place.at()))));
        }
        field("session_name", Json::of(&project));
        if !self.tags.is_empty() {
            field("tags", Json::of(&self.tags));
        }
        field("inputs", self.inputs.clone());
        if let Some(outputs) = &self.outputs {
            field("outputs", outputs.clone());
        }
        if let Some(error) = &self.error {
            field("error", error.clone());
        }
        field("extra", Json::of(&self.extra()));
        for (name, value) in changes {
            match fields.iter_mut().find(|(known, _)| *known == name) {
                Some((_, field)) => *field = value,
                None => fields.push((name, value)),
            }
        }
        Item {
            id: format!("{id}{}", self.operation.suffix()),
            body: object(&fields),
            known: false,
        }
    }
}

/// The object with these fields in this order.
fn object(fields: &[(String, Json)]) -> Vec<u8> {
    let size: usize = fields
        .iter()
        .map(|(name, value)| name.len() + value.0.len() + 4)
        .sum();
    let mut body = Vec::with_capacity(size + 2);
    body.push(b'{');
    for (index, (name, value)) in fields.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(Json::of(name).0.as_bytes());
        body.push(b':');
        body.extend_from_slice(value.0.as_bytes());
    }
    body.push(b'}');
    body
}
