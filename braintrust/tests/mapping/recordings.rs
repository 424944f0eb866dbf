//! The recorded sessions of real Codex: threads, where they hang, and their rows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use codex_tracing_braintrust::Braintrust;
use codex_tracing_config::BraintrustSettings;
use codex_tracing_delivery::{Ancestor, Backend, Cause, HookFacts, Item, Mode, View};
use codex_tracing_redact::{project_session, project_turn};
use codex_tracing_transcript::{Git, Rollout, Session, Turn, TurnKind, Verbatim, read_rollout};
use jiff::Timestamp;

use crate::support::backend;

/// One recorded session: its threads, root first.
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) threads: Vec<Thread>,
}

pub(crate) struct Thread {
    pub(crate) path: PathBuf,
    pub(crate) session: Session,
    pub(crate) rollout: Rollout,
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
pub(crate) fn recordings() -> Vec<Recording> {
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
            cause: Cause {
                turn_id: turn.id.clone(),
                turn_started_at: turn.window.started_at,
                call: None,
            },
        });
        lineage
    }

    /// The rows of one turn. A muted one is projected first, as delivery does.
    pub(crate) fn rows(
        &self,
        backend: &Braintrust,
        session: &Session,
        turn: &Turn,
        mode: Mode,
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
            git: &session.git.clone().unwrap_or_default(),
            mode,
            session_ended_at: ended_at,
            was_cut_off: false,
        };
        let destination = &backend.destinations()[0];
        match mode {
            Mode::Full => backend.map(destination, &view),
            Mode::Metadata => {
                let bare = View {
                    root: &project_session(root),
                    session: &project_session(session),
                    turn: &project_turn(turn),
                    git: &Git::default(),
                    ..view
                };
                backend.map(destination, &bare)
            }
        }
    }

    /// The rows of all turns, in the order in which delivery reads them.
    pub(crate) fn all_rows(&self, mode: Mode) -> Vec<Item> {
        let backend = backend(&BraintrustSettings::default());
        let mut ended_at = None;
        let mut rows = Vec::new();
        for thread in &self.threads {
            for turn in &thread.rollout.turns {
                ended_at = ended_at.max(turn.window.ended_at);
                rows.extend(self.rows(&backend, &thread.session, turn, mode, ended_at));
            }
        }
        rows
    }
}
