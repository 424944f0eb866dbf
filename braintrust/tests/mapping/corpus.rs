//! Recorded sessions of real Codex, as traces.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use codex_tracing_braintrust::Braintrust;
use codex_tracing_config::BraintrustSettings;
use codex_tracing_delivery::{Ancestor, Backend, HookFacts, Item, Mode, View};
use codex_tracing_transcript::{
    Assembler, Rollout, Session, Turn, TurnKind, Verbatim, read_rollout,
};
use jiff::Timestamp;
use serde_json::Value;

use crate::fold::{Trace, assert_sound, fold, latest, tokens};
use crate::support::backend;

/// One recorded session: its threads, root first.
struct Recording {
    name: String,
    threads: Vec<Thread>,
}

struct Thread {
    path: PathBuf,
    session: Session,
    rollout: Rollout,
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus")
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).expect("a folder");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.is_dir())
        .collect();
    paths.sort();
    paths
}

/// Every session of the corpus. A fork is a session of its own.
fn recordings() -> Vec<Recording> {
    folders(&corpus())
        .iter()
        .flat_map(|version| folders(version))
        .flat_map(|scenario| sessions_of(&scenario))
        .collect()
}

fn sessions_of(scenario: &Path) -> Vec<Recording> {
    let part = |path: &Path| {
        let name = path.file_name().expect("name");
        name.to_string_lossy().into_owned()
    };
    let version = part(scenario.parent().expect("version"));
    let mut roots = Vec::new();
    let mut children = Vec::new();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(scenario)
        .expect("a scenario")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "jsonl")
        })
        .filter(|path| part(path).starts_with("rollout-"))
        .collect();
    paths.sort();
    for path in paths {
        let rollout = read_rollout(&path, Arc::new(Verbatim)).expect("a rollout");
        let session = rollout.session.clone().expect("a header");
        let is_child = session.parent_thread_id.is_some();
        let thread = Thread {
            path,
            session,
            rollout,
        };
        if is_child {
            children.push(thread);
        } else {
            roots.push(thread);
        }
    }
    let several = roots.len() > 1;
    let mut recordings: Vec<Recording> = roots
        .into_iter()
        .enumerate()
        .map(|(index, root)| Recording {
            name: if several {
                format!("{version}/{}-{}", part(scenario), index + 1)
            } else {
                format!("{version}/{}", part(scenario))
            },
            threads: vec![root],
        })
        .collect();
    // Children come with the first root: no scenario of several sessions has any.
    if let Some(first) = recordings.first_mut() {
        first.threads.extend(children);
    }
    recordings
}

impl Recording {
    fn thread(&self, id: &str) -> &Thread {
        self.threads
            .iter()
            .find(|thread| thread.session.thread_id == id)
            .expect("a thread of the recording")
    }

    /// The turn that spawned a thread. A reviewer's thread is spawned by the review turn, which
    /// does not name it.
    fn spawning(&self, thread_id: &str) -> Option<(&Thread, &Turn, Option<String>)> {
        let named = self.threads.iter().find_map(|thread| {
            thread.rollout.turns.iter().find_map(|turn| {
                let mut children = turn.subagents.iter();
                let child = children.find(|child| child.thread_id == thread_id)?;
                Some((thread, turn, child.spawned_by.clone()))
            })
        });
        let review = || {
            let parent = self.thread(thread_id).session.parent_thread_id.as_deref()?;
            let parent = self.thread(parent);
            let mut turns = parent.rollout.turns.iter();
            let turn = turns.find(|turn| turn.kind == TurnKind::Review)?;
            Some((parent, turn, None))
        };
        named.or_else(review)
    }

    /// Where a thread hangs, root first.
    fn lineage(&self, thread_id: &str) -> Vec<Ancestor> {
        let Some((parent, turn, call_id)) = self.spawning(thread_id) else {
            return Vec::new();
        };
        let mut lineage = self.lineage(&parent.session.thread_id);
        lineage.push(Ancestor {
            thread_id: parent.session.thread_id.clone(),
            turn_id: turn.id.clone(),
            turn_number: turn.number,
            turn_started_at: turn.window.started_at,
            call_id,
            child_thread_id: thread_id.to_owned(),
            child_started_at: self.thread(thread_id).session.started_at,
        });
        lineage
    }

    fn rows(
        &self,
        backend: &Braintrust,
        session: &Session,
        turn: &Turn,
        ended_at: Option<Timestamp>,
    ) -> Vec<Item> {
        let root = &self.threads[0].session;
        let lineage = self.lineage(&session.thread_id);
        assert!(
            lineage.is_empty() == (session.thread_id == root.thread_id),
            "{}: {} has no place",
            self.name,
            session.thread_id
        );
        let git = session.git.clone().unwrap_or_default();
        let hooks = HookFacts {
            source: Some("startup".to_owned()),
            ..HookFacts::default()
        };
        let view = View {
            root,
            session,
            turn,
            lineage: &lineage,
            hooks: &hooks,
            git: &git,
            mode: Mode::Full,
            session_ended_at: ended_at,
        };
        backend.map(&backend.destinations()[0], &view)
    }

    /// The rows of all turns, in the order in which delivery reads them.
    fn all_rows(&self) -> Vec<Item> {
        let backend = backend(&BraintrustSettings::default());
        let mut ended_at = None;
        let mut rows = Vec::new();
        for thread in &self.threads {
            for turn in &thread.rollout.turns {
                ended_at = ended_at.max(turn.window.ended_at);
                rows.extend(self.rows(&backend, &thread.session, turn, ended_at));
            }
        }
        rows
    }
}

#[test]
fn every_recorded_session_is_a_sound_trace() {
    let recordings = recordings();
    assert!(recordings.len() > 90, "the corpus is there");
    for recording in &recordings {
        let rows = recording.all_rows();
        let trace = fold(&rows);
        assert_sound(&trace);
        assert_eq!(fold(&latest(&rows)), trace, "{}", recording.name);
        let spent: u64 = recording
            .threads
            .iter()
            .map(|thread| thread.rollout.totals.total)
            .sum();
        assert_eq!(tokens(&trace, "tokens"), spent, "{}", recording.name);
    }
}

#[test]
fn every_recorded_session_converges_from_what_was_seen_of_it_live() {
    let backend = backend(&BraintrustSettings::default());
    let mut changes = Vec::new();
    // Many calls show nothing that few do not, and each line maps them all.
    let mut recordings = recordings();
    recordings.retain(|recording| !recording.name.ends_with("/long"));
    for recording in recordings {
        let thread = &recording.threads[0];
        let whole = fold(&recording.all_rows());
        let mut assembler = Assembler::new(Arc::new(Verbatim));
        let text = std::fs::read(&thread.path).expect("a rollout");
        let mut seen = BTreeSet::new();
        let mut offset = 0;
        for line in text.split(|byte| *byte == b'\n') {
            assembler.push(offset, line);
            offset += line.len() as u64 + 1;
            let Some(turn) = assembler.open_turn() else {
                continue;
            };
            for row in recording.rows(&backend, &thread.session, &turn, None) {
                if let Some(change) = change(&row, &whole)
                    && seen.insert(row.body)
                {
                    changes.push(format!("{}: {change}", recording.name));
                }
            }
        }
    }
    assert!(changes.is_empty(), "{}", changes.join("\n"));
}

/// What a row of a running turn says and the finished trace does not.
fn change(item: &Item, whole: &Trace) -> Option<String> {
    let mut row: Value = serde_json::from_slice(&item.body).expect("JSON");
    row.as_object_mut().expect("row").remove("_is_merge");
    let name = row["span_attributes"]["name"].clone();
    match whole.get(row["id"].as_str().expect("id")) {
        None => Some(format!("{name} vanished")),
        Some(known) => difference(&row, known, String::new())
            .map(|path| format!("{name}{path} changed from {row} to {known}")),
    }
}

/// The first leaf of `part` that is not the same in `whole`.
fn difference(part: &Value, whole: &Value, path: String) -> Option<String> {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part.iter().find_map(|(key, value)| {
            let path = format!("{path}.{key}");
            match whole.get(key) {
                Some(known) => difference(value, known, path),
                None => Some(path),
            }
        }),
        _ => (part != whole).then_some(path),
    }
}

#[test]
fn recorded_sessions_look_like_this() {
    let mut by_scenario: BTreeMap<String, String> = BTreeMap::new();
    for recording in recordings() {
        let (version, scenario) = recording.name.split_once('/').expect("a name");
        let tree = by_scenario.entry(scenario.to_owned()).or_default();
        let _ = writeln!(tree, "# {version}");
        draw(&fold(&recording.all_rows()), None, 0, tree);
    }
    for (scenario, tree) in by_scenario {
        insta::assert_snapshot!(format!("tree-{scenario}"), tree);
    }
}

/// The trace as indented lines: name, type, error, tags, tokens, and how much went in and out.
fn draw(trace: &Trace, parent: Option<&str>, depth: usize, into: &mut String) {
    let mut rows: Vec<&Value> = trace
        .values()
        .filter(|row| row["span_parents"][0].as_str() == parent)
        .collect();
    rows.sort_by(|a, b| {
        let key = |row: &Value| {
            (
                row["metrics"]["start"].as_f64(),
                row["metrics"]["end"].as_f64(),
            )
        };
        let (a, b) = (key(a), key(b));
        a.partial_cmp(&b).expect("numbers")
    });
    for row in rows {
        let attributes = &row["span_attributes"];
        let name = attributes["name"].as_str().expect("name");
        // Ids differ between recordings; what counts is that there is one.
        let name = name.split_once(": 01").map_or(name, |(kind, _)| kind);
        let _ = write!(
            into,
            "{}{name} [{}]",
            "  ".repeat(depth),
            attributes["type"].as_str().expect("type")
        );
        for key in ["error", "tags", "input", "output"] {
            if let Some(value) = row.get(key) {
                let _ = write!(into, " {key}={}", brief(value));
            }
        }
        if let Some(tokens) = row["metrics"].get("tokens") {
            let _ = write!(into, " tokens={tokens}");
        }
        into.push('\n');
        draw(trace, row["id"].as_str(), depth + 1, into);
    }
}

fn brief(value: &Value) -> String {
    match value {
        Value::Array(parts) if parts.iter().any(Value::is_object) => format!("({})", parts.len()),
        value => {
            let text = value.to_string();
            match text.char_indices().nth(60) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text,
            }
        }
    }
}
