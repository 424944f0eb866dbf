//! Where each value came from, fit to be shown: keys are masked before they get here.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::field::{Field, Setting, fields};
use crate::gather::{Candidate, Gathered, Opinions};
use crate::layer::{Layer, Origin};
use crate::layers::Winner;
use crate::product::Product;
use crate::trust::ProjectFile;
use crate::value::{Checked, Key, ReplicaEntry, mask, mask_keys, masked, masked_members};
use crate::warning::Warning;

/// Where each setting of a product came from. Holds no secrets.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Provenance {
    /// The product.
    pub product: Product,
    /// The files that were read, lowest layer first.
    pub files: Vec<(Layer, PathBuf)>,
    /// The project's file, read or not, and what was decided about it.
    pub project: Option<ProjectFile>,
    rows: Vec<Row>,
    warnings: Vec<Value>,
}

/// One effective value. Metadata has a row per key, `metadata.<key>`; where there is none, or a
/// layer's was left out, also one for the whole, from the highest layer that has a part in it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// The setting's canonical key.
    pub key: String,
    /// The effective value, keys masked; null if unset.
    pub value: Value,
    /// Where it comes from; built in for what is unset.
    pub origin: Origin,
    /// Values of lower layers that it hides, highest first.
    pub hidden: Vec<Hidden>,
    /// Values that were left out, in the order they were met.
    pub dropped: Vec<Dropped>,
}

/// A value that a higher layer hides.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Hidden {
    /// The value, keys masked.
    pub value: Value,
    /// Where it stands.
    pub origin: Origin,
}

/// A value that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dropped {
    /// Where it stands.
    pub origin: Origin,
    /// Why; never holds the value.
    pub reason: String,
}

impl Provenance {
    pub(crate) fn new(product: Product, gathered: &Gathered, warnings: &[Warning]) -> Self {
        let mut rows = Vec::new();
        for field in fields(product) {
            match field.id {
                Setting::NoMeaning => {}
                Setting::Metadata => metadata_rows(field, gathered, &mut rows),
                id => rows.push(row(field, gathered, gathered.opinions.get(&id))),
            }
        }
        Self {
            product,
            files: gathered.files.clone(),
            project: gathered.project.clone(),
            rows,
            warnings: warnings.iter().map(told).collect(),
        }
    }

    /// One row per setting, in the order of the documentation.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The row of a setting, by canonical key.
    ///
    /// ```
    /// use codex_tracing_config::{Context, Environment, Layer, langsmith};
    ///
    /// let env = Environment::from_pairs([("LANGSMITH_API_KEY", "lsv2_pt_0123456789abcdefa1b2")]);
    /// let loaded = langsmith(&Context::new(env, "/nowhere".into()));
    /// let row = loaded.provenance.row("api_key").unwrap();
    /// assert_eq!(row.value, "lsv2_…a1b2");
    /// assert_eq!(row.origin.layer, Layer::Environment);
    /// assert_eq!(row.origin.to_string(), "LANGSMITH_API_KEY");
    /// ```
    pub fn row(&self, key: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.key == key)
    }

    /// Everything as JSON, as `config show --json` prints it.
    pub fn to_json(&self) -> Value {
        let files: Vec<Value> = self
            .files
            .iter()
            .map(|(layer, path)| json!({"layer": layer, "path": path}))
            .collect();
        json!({
            "product": self.product,
            "files": files,
            "project": self.project,
            "settings": self.rows.iter().map(Row::to_json).collect::<Vec<_>>(),
            "warnings": self.warnings,
        })
    }
}

impl Row {
    fn to_json(&self) -> Value {
        let mut row = Map::from_iter([("key".to_owned(), json!(self.key))]);
        row.extend(placed(&self.origin, Some(&self.value)));
        let hidden = self.hidden.iter();
        let hidden: Vec<_> = hidden.map(|h| placed(&h.origin, Some(&h.value))).collect();
        row.insert("hides".to_owned(), json!(hidden));
        let dropped = self.dropped.iter().map(|dropped| {
            let mut entry = placed(&dropped.origin, None);
            entry.insert("reason".to_owned(), json!(dropped.reason));
            entry
        });
        row.insert("dropped".to_owned(), json!(dropped.collect::<Vec<_>>()));
        Value::Object(row)
    }
}

fn told(warning: &Warning) -> Value {
    json!({
        "severity": warning.severity(),
        "source": warning.origin.to_string(),
        "key": warning.key,
        "problem": warning.problem.to_string(),
    })
}

fn placed(origin: &Origin, value: Option<&Value>) -> Map<String, Value> {
    let mut entry = Map::new();
    if let Some(value) = value {
        entry.insert("value".to_owned(), value.clone());
    }
    entry.insert("layer".to_owned(), json!(origin.layer));
    entry.insert("source".to_owned(), json!(origin.to_string()));
    entry
}

fn row(field: &Field, gathered: &Gathered, opinions: Option<&Opinions>) -> Row {
    let candidates = opinions.map_or(&[][..], |opinions| &opinions.candidates);
    let top = gathered.layers.winner(field.key).and_then(|winner| {
        let candidate = candidates.get(winner.number)?;
        Some((winner, candidate))
    });
    let (value, origin, hidden) = match top {
        Some((winner, candidate)) => (
            shown(&candidate.value),
            from(winner, candidate),
            hidden_below(candidates, |value| Some(shown(value)), candidate),
        ),
        None => (Value::Null, Origin::built_in(), Vec::new()),
    };
    Row {
        key: field.key.to_owned(),
        value,
        origin,
        hidden,
        dropped: dropped(opinions),
    }
}

/// Where a winner comes from, with the variables that a `${VAR}` was read from.
fn from(winner: Winner, candidate: &Candidate) -> Origin {
    Origin {
        via: candidate.origin.via.clone(),
        ..winner.origin
    }
}

/// What the other candidates say, highest first.
fn hidden_below(
    candidates: &[Candidate],
    shown: impl Fn(&Checked) -> Option<Value>,
    winner: &Candidate,
) -> Vec<Hidden> {
    candidates
        .iter()
        .rev()
        .filter(|candidate| !std::ptr::eq(*candidate, winner))
        .filter_map(|candidate| {
            Some(Hidden {
                value: shown(&candidate.value)?,
                origin: candidate.origin.clone(),
            })
        })
        .collect()
}

fn dropped(opinions: Option<&Opinions>) -> Vec<Dropped> {
    opinions
        .into_iter()
        .flat_map(|opinions| &opinions.rejected)
        .map(|rejected| Dropped {
            origin: rejected.origin.clone(),
            reason: rejected.problem.to_string(),
        })
        .collect()
}

fn metadata_rows(field: &Field, gathered: &Gathered, rows: &mut Vec<Row>) {
    let opinions = gathered.opinions.get(&field.id);
    let merged = gathered.merged(field.id);
    let winners = merged
        .keys()
        .filter_map(|key| gathered.layers.winner_of_member(field.key, key));
    let whole = || Row {
        key: field.key.to_owned(),
        value: json!(masked_members(&merged)),
        // Of several layers the highest; the rows of the keys tell each one's.
        origin: winners
            .max_by_key(|winner| winner.number)
            .map_or_else(Origin::built_in, |winner| winner.origin),
        hidden: Vec::new(),
        dropped: dropped(opinions),
    };
    if merged.is_empty() || !dropped(opinions).is_empty() {
        rows.push(whole());
    }
    let candidates = opinions.map_or(&[][..], |opinions| &opinions.candidates);
    for key in merged.keys() {
        let member = |value: &Checked| match value {
            Checked::Object(members) => members.get(key).map(masked),
            _ => None,
        };
        let winner = gathered.layers.winner_of_member(field.key, key);
        let top = winner.and_then(|winner| {
            let candidate = candidates.get(winner.number)?;
            Some((member(&candidate.value)?, winner, candidate))
        });
        if let Some((value, winner, candidate)) = top {
            rows.push(Row {
                key: format!("{}.{}", field.key, mask_keys(key)),
                value,
                origin: from(winner, candidate),
                hidden: hidden_below(candidates, member, candidate),
                dropped: Vec::new(),
            });
        }
    }
}

/// A value fit to be shown.
fn shown(value: &Checked) -> Value {
    match value {
        Checked::Switch(on) => json!(on),
        Checked::Text(text) => json!(mask_keys(text)),
        Checked::Key(key) => json!(mask(&key.secret)),
        Checked::Object(members) => json!(masked_members(members)),
        Checked::Replicas(entries) => entries.iter().map(shown_replica).collect(),
        // A rule may be there to hide one particular key.
        Checked::Rules(rules) => masked(&json!(rules)),
        // Baggage may carry keys of replicas.
        Checked::Headers(headers) => json!({
            "langsmith-trace": headers.langsmith_trace,
            "baggage": headers.baggage.as_ref().map(|_| "…"),
        }),
        Checked::Bytes(limit) => json!(limit),
        Checked::Images(policy) => json!(policy),
        Checked::Path(path) => json!(path),
        Checked::NoMeaning => Value::Null,
    }
}

fn shown_replica(entry: &ReplicaEntry) -> Value {
    let key = |key: &Key| mask(&key.secret);
    let all = [
        ("api_url", json!(entry.api_url)),
        ("api_key", json!(entry.api_key.as_ref().map(key))),
        ("project", json!(entry.project.as_deref().map(mask_keys))),
        ("workspace_id", json!(entry.workspace_id)),
        ("primary", json!(entry.primary)),
        ("updates", json!(masked_members(&entry.updates))),
    ];
    let set = |value: &Value| !value.is_null() && value.as_object().is_none_or(|o| !o.is_empty());
    all.into_iter()
        .filter(|(_, value)| set(value))
        .map(|(key, value)| (key.to_owned(), value))
        .collect::<Map<_, _>>()
        .into()
}
