//! What Braintrust would show: rows folded by id.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::braintrust::{self, Write};
use super::interval::{self, Node};
use super::merge;

/// A row as it stands after all its writes.
#[derive(Debug, Clone)]
pub struct Row {
    /// The folded object, without the fields that steer the write.
    pub fields: Map<String, Value>,
    /// The key that wrote it.
    pub key: String,
    /// The project's id.
    pub project_id: String,
    /// How often it was written.
    pub writes: usize,
}

impl Row {
    fn text(&self, field: &str) -> &str {
        let value = self.fields.get(field).and_then(Value::as_str);
        value.unwrap_or_default()
    }

    fn attribute(&self, name: &str) -> &str {
        let attributes = self.fields.get("span_attributes");
        let value = attributes.and_then(|attributes| attributes.get(name)?.as_str());
        value.unwrap_or_default()
    }

    /// Its row id.
    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// Its span id.
    pub fn span_id(&self) -> &str {
        self.text("span_id")
    }

    /// The trace it belongs to.
    pub fn root_span_id(&self) -> &str {
        self.text("root_span_id")
    }

    /// The span's name.
    pub fn name(&self) -> &str {
        self.attribute("name")
    }

    /// The span's type: `task`, `llm`, `tool`, ….
    pub fn span_type(&self) -> &str {
        self.attribute("type")
    }

    /// Span ids of its parents; none on a root.
    pub fn parents(&self) -> Vec<&str> {
        let parents = self.fields.get("span_parents").and_then(Value::as_array);
        let parents = parents.into_iter().flatten();
        parents.filter_map(Value::as_str).collect()
    }

    /// Its error, unless absent or null.
    pub fn error(&self) -> Option<&Value> {
        self.fields.get("error").filter(|error| !error.is_null())
    }

    /// A metric.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.fields.get("metrics")?.get(name)?.as_f64()
    }

    /// A metadata field.
    pub fn metadata(&self, name: &str) -> Option<&Value> {
        self.fields.get("metadata")?.get(name)
    }

    /// When it began.
    pub fn start_at(&self) -> Option<Timestamp> {
        interval::seconds(self.fields.get("metrics")?.get("start")?)
    }

    /// When it ended; `None` while it is running.
    pub fn end_at(&self) -> Option<Timestamp> {
        interval::seconds(self.fields.get("metrics")?.get("end")?)
    }
}

/// All rows, by start.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    rows: Vec<Row>,
    clashes: BTreeSet<String>,
}

impl Rows {
    pub(super) fn fold(writes: &[Write]) -> Self {
        let mut rows: BTreeMap<(&str, &str, &str), (Option<Row>, usize)> = BTreeMap::new();
        let mut requests = BTreeSet::new();
        let mut clashes = BTreeSet::new();
        for write in writes {
            let id = write.row.get("id").and_then(Value::as_str);
            let place = (
                write.key.as_str(),
                write.project.as_str(),
                id.unwrap_or_default(),
            );
            if !requests.insert((write.request, place)) {
                clashes.insert(place.2.to_owned());
            }
            let (row, times) = rows.entry(place).or_default();
            *times += 1;
            let before = row.take().map(|row| row.fields);
            *row = merge::written(before, &write.row).map(|fields| Row {
                fields,
                key: write.key.clone(),
                project_id: write.project.clone(),
                writes: *times,
            });
        }
        let mut rows: Vec<Row> = rows.into_values().filter_map(|(row, _)| row).collect();
        rows.sort_by(|a, b| (a.start_at(), a.id()).cmp(&(b.start_at(), b.id())));
        Self { rows, clashes }
    }

    /// Every row.
    pub fn all(&self) -> &[Row] {
        &self.rows
    }

    /// Only what was written with `key`.
    #[must_use]
    pub fn of_key(&self, key: &str) -> Self {
        self.only(|row| row.key == key)
    }

    /// Only what went to the project with this name.
    #[must_use]
    pub fn of_project(&self, name: &str) -> Self {
        let id = braintrust::project_id(name);
        self.only(|row| row.project_id == id)
    }

    fn only(&self, wanted: impl Fn(&Row) -> bool) -> Self {
        Self {
            rows: self
                .rows
                .iter()
                .filter(|row| wanted(row))
                .cloned()
                .collect(),
            clashes: self.clashes.clone(),
        }
    }

    /// The row with this id.
    pub fn get(&self, id: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.id() == id)
    }

    /// Rows without a parent.
    pub fn roots(&self) -> Vec<&Row> {
        let root = |row: &&Row| row.parents().is_empty();
        self.rows.iter().filter(root).collect()
    }

    /// Rows directly below the span `span_id`.
    pub fn children(&self, span_id: &str) -> Vec<&Row> {
        let below = |row: &&Row| row.parents().contains(&span_id);
        self.rows.iter().filter(below).collect()
    }

    /// Rows with this span name.
    pub fn named(&self, name: &str) -> Vec<&Row> {
        self.rows.iter().filter(|row| row.name() == name).collect()
    }

    /// Rows with this span type.
    pub fn typed(&self, span_type: &str) -> Vec<&Row> {
        let typed = |row: &&Row| row.span_type() == span_type;
        self.rows.iter().filter(typed).collect()
    }

    /// Each thing wrong with the traces, in words; empty if they are sound.
    pub fn problems(&self) -> Vec<String> {
        let label = |row: &Row| format!("row {} ({})", row.name(), row.id());
        let same_place = |a: &Row, b: &Row| a.key == b.key && a.project_id == b.project_id;
        let mut out = Vec::new();
        let mut nodes = Vec::new();
        for row in &self.rows {
            let named = row.parents().first().copied();
            let above = |other: &Row| same_place(other, row) && Some(other.span_id()) == named;
            let parent = self.rows.iter().position(above);
            nodes.push(Node {
                label: label(row),
                start_at: row.start_at(),
                end_at: row.end_at(),
                missing_parent: named.map(str::to_owned).filter(|_| parent.is_none()),
                parent,
                outlives: row.name().starts_with("subagent: "),
            });
            let twin = |other: &&Row| {
                same_place(other, row) && other.span_id() == row.span_id() && other.id() < row.id()
            };
            if let Some(twin) = self.rows.iter().find(twin) {
                out.push(format!(
                    "{}: its span is also row {}",
                    label(row),
                    twin.id()
                ));
            }
            let parent = parent.and_then(|parent| self.rows.get(parent));
            if let Some(parent) = parent
                && parent.root_span_id() != row.root_span_id()
            {
                out.push(format!("{}: not in its parent's trace", label(row)));
            }
        }
        for id in &self.clashes {
            out.push(format!(
                "row {id}: twice in one request, so without a defined order"
            ));
        }
        out.extend(interval::problems(&nodes));
        out
    }

    /// Fails the test with every problem.
    pub fn assert_sound(&self) {
        let problems = self.problems();
        assert!(
            problems.is_empty(),
            "unsound rows:\n{}",
            problems.join("\n")
        );
    }
}
