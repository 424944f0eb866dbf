//! Recorded sessions of the real Codex, delivered as if their hooks had just run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use codex_tracing_delivery::testing::{MemoryBackend, Stores};
use codex_tracing_delivery::{
    Backend, Course, HookFacts, JournalEntry, Left, Mode, StateDir, Tempo, WorkerOptions,
    append_journal, read_session,
};
use codex_tracing_transcript::{Git, Scrub, Verbatim};
use jiff::Timestamp;
use serde_json::Value;

use crate::desk::work;

/// One recorded session in a home of its own.
struct Recording {
    name: String,
    dir: tempfile::TempDir,
    rollouts: Vec<PathBuf>,
    state: StateDir,
    stores: Stores,
}

fn recordings() -> Vec<Recording> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus");
    let mut found: Vec<Recording> = folders(&corpus)
        .iter()
        .flat_map(|version| folders(version))
        .map(|scenario| Recording::open(&scenario))
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(found.len() > 90, "only {} recordings found", found.len());
    found
}

fn folders(path: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect()
}

impl Recording {
    fn open(scenario: &Path) -> Self {
        let dir = crate::desk::scratch();
        let folder = dir.path().join("codex/sessions/2026/11/20");
        std::fs::create_dir_all(&folder).unwrap();
        let mut rollouts = Vec::new();
        for file in std::fs::read_dir(scenario).unwrap().flatten() {
            let name = file.file_name().into_string().unwrap();
            if name.starts_with("rollout-") {
                std::fs::copy(file.path(), folder.join(&name)).unwrap();
                rollouts.push(folder.join(name));
            }
        }
        let version = scenario.parent().unwrap().file_name().unwrap();
        let recording = Self {
            name: format!(
                "{}/{}",
                version.display(),
                scenario.file_name().unwrap().display()
            ),
            state: StateDir::at(dir.path().join("state")),
            dir,
            rollouts,
            stores: Stores::default(),
        };
        let hooks = std::fs::read_to_string(scenario.join("hooks.jsonl")).unwrap();
        for line in hooks.lines() {
            recording.hook(&serde_json::from_str(line).unwrap(), &folder);
        }
        recording
    }

    fn hook(&self, hook: &Value, folder: &Path) {
        let event = hook["event"].as_str().unwrap();
        if event.ends_with("ToolUse") || event == "PermissionRequest" {
            return;
        }
        let stdin = &hook["stdin"];
        let text = |name: &str| stdin[name].as_str().map(ToOwned::to_owned);
        let path = |name: &str| {
            let name = text(name)?;
            Some(folder.join(Path::new(&name).file_name()?))
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "milliseconds of this century"
        )]
        let at = Timestamp::from_millisecond((hook["t"].as_f64().unwrap() * 1000.0) as i64);
        let session = text("session_id").unwrap();
        let mut entry = JournalEntry::new(event, session.clone(), at.unwrap());
        entry.turn_id = text("turn_id");
        entry.agent_id = text("agent_id");
        entry.transcript_path = path("transcript_path");
        entry.agent_transcript_path = path("agent_transcript_path");
        entry.mode = Some(Mode::Full);
        append_journal(&self.state.session(&session).unwrap(), &entry).unwrap();
    }

    async fn work(&self) {
        for session in self.state.sessions() {
            let course = Course {
                backend: Arc::new(MemoryBackend::new(&["main"], false)),
                scrub: Arc::new(Verbatim),
                codex_home: self.dir.path().join("codex"),
                outlets: self.stores.outlets(),
                git: Rc::new(|_| Git::default()),
                missing_mode: Mode::Full,
                settings: None,
                now: || Timestamp::UNIX_EPOCH,
            };
            let options = WorkerOptions {
                session,
                course,
                tempo: Tempo::worker(),
                since: None,
            };
            let left = work(options, std::future::pending()).await;
            assert_eq!(left, Left::Finished, "{}", self.name);
        }
    }

    /// What `export` gives for the sessions that hooks told of.
    fn exported(&self) -> BTreeMap<String, Value> {
        let backend = MemoryBackend::new(&["main"], false);
        let destination = &backend.destinations()[0];
        let scrub: Arc<dyn Scrub> = Arc::new(Verbatim);
        let mut items = BTreeMap::new();
        for session in self.state.sessions() {
            let Some(rollout) = self.rollout_of(session.id()) else {
                continue;
            };
            let home = self.dir.path().join("codex");
            read_session(&home, rollout, &scrub, &mut |turn| {
                let facts = HookFacts::default();
                let mapped = turn.items(&backend, destination, &facts, &Git::default(), Mode::Full);
                for item in mapped {
                    // Before 0.140 a child is a session too; its parent's comes first.
                    let body = serde_json::from_slice(&item.body).unwrap();
                    items.entry(item.id).or_insert(body);
                }
            })
            .unwrap();
        }
        items
    }

    fn rollout_of(&self, session: &str) -> Option<&PathBuf> {
        self.rollouts
            .iter()
            .find(|path| path.to_string_lossy().contains(session))
    }
}

#[tokio::test(start_paused = true)]
async fn every_recorded_session_arrives_as_its_export_and_only_once() {
    for recording in recordings() {
        recording.work().await;
        let store = recording.stores.of("main");
        // A session whose turns from before tracing are left alone has fewer items than its export.
        let exported = recording.exported();
        for (id, body) in &store.borrow().items {
            assert_eq!(Some(body), exported.get(id), "{} {id}", recording.name);
        }
        assert!(!store.borrow().items.is_empty(), "{}", recording.name);
        let first = store.borrow().arrivals.clone();
        recording.work().await;
        assert_eq!(store.borrow().arrivals, first, "{}", recording.name);
        let doubled: Vec<&String> = first
            .iter()
            .filter(|(_, n)| **n > 1)
            .map(|(id, _)| id)
            .collect();
        assert!(doubled.is_empty(), "{}: {doubled:?}", recording.name);
    }
}

#[tokio::test(start_paused = true)]
async fn every_thread_of_every_recorded_session_is_found() {
    for recording in recordings() {
        recording.work().await;
        let store = recording.stores.of("main");
        let arrived: BTreeSet<String> = store
            .borrow()
            .items
            .keys()
            .map(|id| id.split('/').next().unwrap().to_owned())
            .collect();
        // Before 0.140 the thread that asks for a review runs no hook at all.
        if recording.name == "0.128.0/review" {
            continue;
        }
        for rollout in &recording.rollouts {
            let found = arrived
                .iter()
                .any(|thread| rollout.to_string_lossy().contains(thread.as_str()));
            assert!(found, "{}: {}", recording.name, rollout.display());
        }
    }
}
