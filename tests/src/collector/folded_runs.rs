//! What LangSmith would show: runs by id, with patches merged into their posts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::interval::{self, Node};
use super::langsmith::{Kind, Operation};

/// A run as it stands after all its writes.
#[derive(Debug, Clone)]
pub struct Run {
    /// The merged object.
    pub fields: Map<String, Value>,
    /// The key that wrote it.
    pub key: String,
    /// Creates and updates that reached the collector, refused duplicates included.
    pub writes: usize,
    /// How many of these came after the same operation had been taken already.
    pub duplicates: usize,
}

impl Run {
    fn text(&self, field: &str) -> &str {
        let value = self.fields.get(field).and_then(Value::as_str);
        value.unwrap_or_default()
    }

    /// Its id.
    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.text("name")
    }

    /// `chain`, `llm`, `tool`, ….
    pub fn run_type(&self) -> &str {
        self.text("run_type")
    }

    /// The project it went to (`session_name`).
    pub fn project(&self) -> &str {
        self.text("session_name")
    }

    /// The id of the run above it; `None` on a root.
    pub fn parent(&self) -> Option<&str> {
        self.fields.get("parent_run_id")?.as_str()
    }

    /// Its error, if it has one.
    pub fn error(&self) -> Option<&str> {
        self.fields.get("error")?.as_str()
    }

    /// When it began.
    pub fn start_at(&self) -> Option<Timestamp> {
        interval::instant(self.fields.get("start_time")?)
    }

    /// When it ended; `None` while it is running.
    pub fn end_at(&self) -> Option<Timestamp> {
        interval::instant(self.fields.get("end_time")?)
    }

    /// Whether it is a turn of a subagent.
    pub fn is_agents_turn(&self) -> bool {
        let agent = self.metadata("ls_agent_type").and_then(Value::as_str);
        self.run_type() == "chain" && agent == Some("subagent")
    }

    /// A value inside it, by JSON pointer.
    pub fn pointer(&self, path: &str) -> Option<&Value> {
        let (field, rest) = match path.strip_prefix('/')?.split_once('/') {
            Some((field, _)) => (field, path.get(field.len() + 1..)?),
            None => (path.strip_prefix('/')?, ""),
        };
        self.fields.get(field)?.pointer(rest)
    }

    /// A metadata field (`extra.metadata.<name>`).
    pub fn metadata(&self, name: &str) -> Option<&Value> {
        self.fields.get("extra")?.get("metadata")?.get(name)
    }

    /// Token usage (`extra.metadata.usage_metadata`, else `outputs.usage_metadata`).
    pub fn usage(&self) -> Option<&Value> {
        self.metadata("usage_metadata")
            .or_else(|| self.fields.get("outputs")?.get("usage_metadata"))
            .filter(|usage| usage.is_object())
    }
}

/// All runs, in the order of their `dotted_order` (that in which LangSmith shows them).
#[derive(Debug, Clone, Default)]
pub struct Runs {
    runs: Vec<Run>,
    orphaned_patches: Vec<String>,
}

impl Runs {
    pub(super) fn fold(operations: &[Operation]) -> Self {
        let mut runs: BTreeMap<(&str, &str), Run> = BTreeMap::new();
        let mut posted = BTreeSet::new();
        for operation in operations {
            let place = (operation.key.as_str(), operation.id.as_str());
            let run = runs.entry(place).or_insert_with(|| Run {
                fields: Map::new(),
                key: operation.key.clone(),
                writes: 0,
                duplicates: 0,
            });
            run.writes += 1;
            if operation.kind == Kind::Post {
                posted.insert(place);
            }
            if operation.duplicate {
                run.duplicates += 1;
                continue;
            }
            for (field, value) in &operation.run {
                // A late create does not undo what an update has said.
                if operation.kind == Kind::Patch || !run.fields.contains_key(field) {
                    run.fields.insert(field.clone(), value.clone());
                }
            }
        }
        let orphaned_patches = runs.keys().filter(|place| !posted.contains(*place));
        let orphaned_patches = orphaned_patches.map(|(_, id)| (*id).to_owned()).collect();
        let mut runs: Vec<Run> = runs.into_values().collect();
        runs.sort_by(|a, b| a.text("dotted_order").cmp(b.text("dotted_order")));
        Self {
            runs,
            orphaned_patches,
        }
    }

    /// Every run.
    pub fn all(&self) -> &[Run] {
        &self.runs
    }

    /// Only what was written with `key`.
    #[must_use]
    pub fn of_key(&self, key: &str) -> Self {
        self.only(|run| run.key == key)
    }

    /// Only what went to `project`.
    #[must_use]
    pub fn of_project(&self, project: &str) -> Self {
        self.only(|run| run.project() == project)
    }

    fn only(&self, wanted: impl Fn(&Run) -> bool) -> Self {
        let runs = self.runs.iter().filter(|run| wanted(run)).cloned();
        Self {
            runs: runs.collect(),
            orphaned_patches: self.orphaned_patches.clone(),
        }
    }

    /// The run with this id.
    pub fn get(&self, id: &str) -> Option<&Run> {
        self.runs.iter().find(|run| run.id() == id)
    }

    /// Runs without a parent.
    pub fn roots(&self) -> Vec<&Run> {
        let root = |run: &&Run| run.parent().is_none();
        self.runs.iter().filter(root).collect()
    }

    /// Runs directly below `id`.
    pub fn children(&self, id: &str) -> Vec<&Run> {
        let below = |run: &&Run| run.parent() == Some(id);
        self.runs.iter().filter(below).collect()
    }

    /// Runs with this name.
    pub fn named(&self, name: &str) -> Vec<&Run> {
        self.runs.iter().filter(|run| run.name() == name).collect()
    }

    /// Runs of this type.
    pub fn typed(&self, run_type: &str) -> Vec<&Run> {
        let typed = |run: &&Run| run.run_type() == run_type;
        self.runs.iter().filter(typed).collect()
    }

    /// Runs whose create or update came more than once.
    pub fn repeated(&self) -> Vec<&Run> {
        let often = |run: &&Run| run.duplicates > 0;
        self.runs.iter().filter(often).collect()
    }

    /// Each thing wrong with the traces, in words; empty if they are sound.
    pub fn problems(&self) -> Vec<String> {
        let label = |run: &Run| format!("run {} ({})", run.name(), run.id());
        let nodes: Vec<Node> = self
            .runs
            .iter()
            .map(|run| {
                let same = |other: &Run| other.key == run.key && Some(other.id()) == run.parent();
                let parent = self.runs.iter().position(same);
                let named = run.parent().map(str::to_owned);
                Node {
                    label: label(run),
                    start_at: run.start_at(),
                    end_at: run.end_at(),
                    missing_parent: named.filter(|_| parent.is_none()),
                    parent,
                    outlives: run.is_agents_turn(),
                }
            })
            .collect();
        let mut out = interval::problems(&nodes);
        for id in &self.orphaned_patches {
            out.push(format!("run {id}: updated, but never created"));
        }
        for run in &self.runs {
            out.extend(disagreements(run).map(|what| format!("{}: {what}", label(run))));
        }
        out
    }

    /// Fails the test with every problem.
    pub fn assert_sound(&self) {
        let problems = self.problems();
        assert!(
            problems.is_empty(),
            "unsound runs:\n{}",
            problems.join("\n")
        );
    }
}

/// Where the id or the order of a run disagree with its start: details of such a run are not found.
fn disagreements(run: &Run) -> impl Iterator<Item = String> {
    let start_at = run.start_at();
    let order = start_at.and_then(|at| {
        let wanted = at.strftime("%Y%m%dT%H%M%S%6fZ").to_string();
        let last = run.text("dotted_order").rsplit('.').next()?;
        (!last.starts_with(&wanted))
            .then(|| format!("dotted_order ends in {last}, but it starts {at}"))
    });
    let id = start_at.and_then(|at| {
        let digits: String = run.id().chars().filter(|digit| *digit != '-').collect();
        let time = i64::from_str_radix(digits.get(..12)?, 16).ok()?;
        (digits.get(12..13) == Some("7") && time != at.as_millisecond())
            .then(|| format!("the time in its id is {time} ms, but it starts {at}"))
    });
    order.into_iter().chain(id)
}
