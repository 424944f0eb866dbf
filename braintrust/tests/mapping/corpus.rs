//! Recorded sessions of real Codex, as traces.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use codex_tracing_config::BraintrustSettings;
use codex_tracing_delivery::{Item, Mode};
use codex_tracing_transcript::{Assembler, Turn, Verbatim};
use serde_json::Value;

use crate::fold::{Trace, assert_sound, fold, latest, tokens};
use crate::recordings::{Thread, recordings};
use crate::support::backend;

#[test]
fn every_recorded_session_is_a_sound_trace() {
    let recordings = recordings();
    assert!(recordings.len() > 90, "the corpus is there");
    for recording in &recordings {
        let rows = recording.all_rows(Mode::Full);
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
        let whole = fold(&recording.all_rows(Mode::Full));
        for thread in &recording.threads {
            let mut seen = BTreeSet::new();
            each_state(thread, |turn| {
                for row in recording.rows(&backend, &thread.session, turn, Mode::Full, None) {
                    if let Some(change) = change(&row, &whole)
                        && seen.insert(row.body)
                    {
                        changes.push(format!("{}: {change}", recording.name));
                    }
                }
            });
        }
    }
    assert!(changes.is_empty(), "{}", changes.join("\n"));
}

/// Hands every state of a running turn to `look`, line by line.
fn each_state(thread: &Thread, mut look: impl FnMut(&Turn)) {
    let mut assembler = Assembler::new(Arc::new(Verbatim));
    let text = std::fs::read(&thread.path).expect("a rollout");
    let mut offset = 0;
    for line in text.split(|byte| *byte == b'\n') {
        assembler.push(offset, line);
        offset += line.len() as u64 + 1;
        if let Some(turn) = assembler.open_turn() {
            look(&turn);
        }
    }
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
fn a_muted_session_keeps_its_shape_and_tells_nothing() {
    for recording in recordings() {
        let full = fold(&recording.all_rows(Mode::Full));
        let muted = fold(&recording.all_rows(Mode::Metadata));
        assert_sound(&muted);
        assert!(full.keys().eq(muted.keys()), "{}", recording.name);
        assert_eq!(tokens(&full, "tokens"), tokens(&muted, "tokens"));
        let text = serde_json::to_string(&muted).expect("JSON");
        assert!(!text.contains("/home/dev"), "{}: {text}", recording.name);
        let turns = recording
            .threads
            .iter()
            .flat_map(|thread| &thread.rollout.turns);
        for said in turns.filter_map(|turn| turn.answer.as_ref()) {
            assert!(
                !text.contains(&said.text),
                "{}: {}",
                recording.name,
                said.text
            );
        }
    }
}

#[test]
fn a_recorded_turn_is_these_rows() {
    let recordings = recordings();
    let mut recordings = recordings.iter();
    let recording = recordings.find(|recording| recording.name == "0.169.0/exec-tool");
    let rows = recording.expect("recorded").all_rows(Mode::Full);
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| serde_json::from_slice(&row.body).expect("JSON"))
        .collect();
    insta::assert_json_snapshot!("rows-exec-tool", rows);
}

#[test]
fn recorded_sessions_look_like_this() {
    let mut by_scenario: BTreeMap<String, String> = BTreeMap::new();
    for recording in recordings() {
        let (version, scenario) = recording.name.split_once('/').expect("a name");
        let tree = by_scenario.entry(scenario.to_owned()).or_default();
        let _ = writeln!(tree, "# {version}");
        draw(&fold(&recording.all_rows(Mode::Full)), None, 0, tree);
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
