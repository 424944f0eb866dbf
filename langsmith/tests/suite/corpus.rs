//! Every recorded session as runs: snapshots of the trees, and what must hold for all of them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use codex_tracing_delivery::{Ancestor, Backend, Facts, HookFacts, Item, Mode, View};
use codex_tracing_redact::{Images, Redactor, project_session, project_turn};
use codex_tracing_transcript::{Git, Rollout, Session, Turn, Usage, read_rollout};
use serde_json::Value;

use crate::support::{backend, metadata, text};
use crate::tree::check_tree;

/// One recorded session: a root thread and its subagents.
struct Recorded {
    name: String,
    threads: Vec<Rollout>,
}

fn header(rollout: &Rollout) -> &Session {
    rollout.session.as_ref().unwrap()
}

/// All recorded sessions, read once. A scenario with a fork has two.
fn recorded() -> &'static [Recorded] {
    static RECORDED: LazyLock<Vec<Recorded>> = LazyLock::new(read_all);
    &RECORDED
}

fn read_all() -> Vec<Recorded> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus");
    let mut sessions = Vec::new();
    for scenario in folders(&corpus).iter().flat_map(|version| folders(version)) {
        let threads = threads(&scenario);
        let (roots, children): (Vec<_>, Vec<_>) = threads
            .into_iter()
            .partition(|rollout| header(rollout).parent_thread_id.is_none());
        let several = roots.len() > 1;
        for (index, root) in roots.into_iter().enumerate() {
            let names: Vec<_> = scenario.iter().map(|name| name.to_string_lossy()).collect();
            let mut name = names[names.len() - 2..].join("-");
            if several {
                let _ = write!(name, "-{}", index + 1);
            }
            let mut threads = vec![root];
            // A fork has none of its own in these recordings.
            threads.extend(if index == 0 {
                children.clone()
            } else {
                Vec::new()
            });
            sessions.push(Recorded { name, threads });
        }
    }
    assert!(sessions.len() > 80, "{} sessions", sessions.len());
    sessions
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn threads(scenario: &Path) -> Vec<Rollout> {
    let (redactor, _) = Redactor::new(true, &[], None, Images::Keep);
    let scrub = Arc::new(redactor);
    let entries = std::fs::read_dir(scenario)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_rollout = |path: &PathBuf| {
        path.extension().is_some_and(|it| it == "jsonl") && !path.ends_with("hooks.jsonl")
    };
    let mut paths: Vec<_> = entries.filter(is_rollout).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| read_rollout(path, scrub.clone()).unwrap())
        .collect()
}

impl Recorded {
    fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// Where a thread hangs, root first.
    fn lineage(&self, thread: &Session) -> Vec<Ancestor> {
        let spawned = self.threads.iter().flat_map(|rollout| {
            let turns = rollout.turns.iter();
            turns.flat_map(move |turn| turn.subagents.iter().map(move |it| (rollout, turn, it)))
        });
        let spawned = spawned.map(|(rollout, turn, it)| {
            (rollout, turn, it.thread_id.as_str(), it.spawned_by.clone())
        });
        let mut spawned = spawned.filter(|(_, _, id, _)| *id == thread.thread_id);
        let Some((parent, turn, call)) = spawned
            .next()
            .map(|(parent, turn, _, call)| (parent, turn, call))
            .or_else(|| self.running_parent(thread))
        else {
            return Vec::new();
        };
        let mut lineage = self.lineage(header(parent));
        lineage.push(Ancestor {
            thread_id: turn.thread_id.clone(),
            turn_id: turn.id.clone(),
            turn_number: turn.number,
            turn_started_at: turn.window.started_at,
            call_id: call,
            child_thread_id: thread.thread_id.clone(),
            child_started_at: thread.started_at,
        });
        lineage
    }

    /// The turn of the parent thread that ran when `thread` began: before Codex 0.155 a review says
    /// no more than its parent.
    fn running_parent(&self, thread: &Session) -> Option<(&Rollout, &Turn, Option<String>)> {
        let is_parent = |rollout: &&Rollout| {
            Some(&header(rollout).thread_id) == thread.parent_thread_id.as_ref()
        };
        let parent = self.threads.iter().find(is_parent)?;
        let began = |turn: &&Turn| turn.window.started_at <= thread.started_at;
        let turn = parent.turns.iter().rfind(began).or(parent.turns.first())?;
        Some((parent, turn, None))
    }

    fn items_of(&self, thread: &Session, turn: &Turn, mode: Mode) -> Vec<Item> {
        let backend = backend(&codex_tracing_config::LangSmithSettings::default());
        let (hooks, no_git) = (HookFacts::default(), Git::default());
        let view = View {
            root: header(&self.threads[0]),
            session: thread,
            turn,
            lineage: &self.lineage(thread),
            hooks: &hooks,
            git: thread.git.as_ref().unwrap_or(&no_git),
            mode,
            session_ended_at: None,
            was_cut_off: false,
        };
        backend.map(&backend.destinations()[0], &view)
    }

    fn items(&self) -> Vec<Item> {
        let turns = |rollout: &Rollout| {
            let items = |turn| self.items_of(header(rollout), turn, Mode::Full);
            rollout.turns.iter().flat_map(items).collect::<Vec<_>>()
        };
        self.threads.iter().flat_map(turns).collect()
    }

    fn runs(&self) -> Vec<Value> {
        parsed(&self.items())
    }
}

fn parsed(items: &[Item]) -> Vec<Value> {
    items
        .iter()
        .map(|item| serde_json::from_slice(&item.body).unwrap())
        .collect()
}

/// One line for each run, in the order in which LangSmith shows them.
fn tree(runs: &[Value]) -> String {
    let mut sorted: Vec<_> = runs.iter().collect();
    sorted.sort_by_key(|run| text(run, "dotted_order"));
    let mut tree = String::new();
    for run in sorted {
        let depth = text(run, "dotted_order").matches('.').count();
        let clock = |key: &str| text(run, key).get(11..23).unwrap_or("(running)").to_owned();
        let (from, to) = (clock("start_time"), clock("end_time"));
        let indent = "  ".repeat(depth);
        let _ = write!(
            tree,
            "{indent}{} {} {from}–{to}",
            text(run, "run_type"),
            text(run, "name")
        );
        let usage = metadata(run).get("usage_metadata");
        if let Some(usage) = usage {
            let _ = write!(
                tree,
                " tokens {}+{}",
                usage["input_tokens"], usage["output_tokens"]
            );
        }
        for key in [
            "stop_reason",
            "ls_subagent_type",
            "mcp_server",
            "compaction_trigger",
        ] {
            if let Some(value) = metadata(run).get(key) {
                let _ = write!(tree, " {key}={}", value.as_str().unwrap_or("?"));
            }
        }
        let messages = |key: &str| run[key]["messages"].as_array().map_or(0, Vec::len);
        let _ = write!(
            tree,
            " messages {}→{}",
            messages("inputs"),
            messages("outputs")
        );
        if let Some(error) = run["error"].as_str() {
            let _ = write!(
                tree,
                " error: {:?}",
                error.chars().take(80).collect::<String>()
            );
        }
        tree.push('\n');
    }
    tree
}

#[test]
fn trees_of_all_recorded_sessions() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("../snapshots");
    settings.bind(|| {
        for session in recorded() {
            insta::assert_snapshot!(format!("tree-{}", session.name), tree(&session.runs()));
        }
    });
}

#[test]
fn whole_runs_of_some_recorded_sessions() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("../snapshots");
    settings.bind(|| {
        for session in recorded() {
            if session.is("0.169.0-exec-tool") || session.is("0.128.0-mcp-tool") {
                insta::assert_json_snapshot!(format!("runs-{}", session.name), session.runs());
            }
        }
    });
}

#[test]
fn every_recorded_session_is_one_consistent_set_of_traces() {
    for session in recorded() {
        println!("{}", session.name);
        let runs = session.runs();
        check_tree(&runs);
        let root = &header(&session.threads[0]).thread_id;
        assert!(runs.iter().all(|run| metadata(run)["thread_id"] == **root));
        let roots = runs
            .iter()
            .filter(|run| run.get("parent_run_id").is_none())
            .count();
        assert_eq!(
            roots,
            session.threads[0].turns.len(),
            "one trace a turn of the root thread"
        );
        for run in &runs {
            let parent = run.get("parent_run_id");
            let known = parent.is_none_or(|id| runs.iter().any(|other| other["id"] == *id));
            assert!(known, "{} hangs below nothing", run["name"]);
        }
    }
}

#[test]
fn every_run_lies_within_its_parent_unless_it_is_a_subagent_that_goes_on() {
    for session in recorded() {
        let runs = session.runs();
        for run in &runs {
            let parent = runs
                .iter()
                .find(|other| other["id"] == run["parent_run_id"]);
            let Some(parent) = parent.filter(|_| run["run_type"] != "chain") else {
                continue;
            };
            let (end, limit) = (text(run, "end_time"), text(parent, "end_time"));
            assert!(
                end <= limit,
                "{}: {} ends {end}, its parent {limit}",
                session.name,
                run["name"]
            );
        }
    }
}

#[test]
fn the_tokens_of_all_runs_are_those_the_rollouts_total() {
    for session in recorded() {
        let spent = session.threads.iter().flat_map(|rollout| &rollout.turns);
        let spent = spent.fold(Usage::default(), |sum, turn| sum + turn.usage);
        let runs = session.runs();
        let sum = |key: &str| -> u64 {
            let usage = runs
                .iter()
                .filter_map(|run| metadata(run).get("usage_metadata"));
            usage.filter_map(|usage| usage[key].as_u64()).sum()
        };
        let found = (sum("input_tokens"), sum("output_tokens"));
        assert_eq!(found, (spent.input, spent.output), "{}", session.name);
    }
}

#[test]
fn muted_sessions_keep_their_topology_and_lose_every_text() {
    for session in recorded() {
        for rollout in &session.threads {
            for turn in &rollout.turns {
                let thread = project_session(header(rollout));
                let full = parsed(&session.items_of(header(rollout), turn, Mode::Full));
                let muted = parsed(&session.items_of(&thread, &project_turn(turn), Mode::Metadata));
                let places = |runs: &[Value]| -> Vec<_> {
                    runs.iter()
                        .map(|run| text(run, "dotted_order").to_owned())
                        .collect()
                };
                assert_eq!(places(&full), places(&muted), "{}", session.name);
                let all = Value::Array(muted).to_string();
                for secret in [
                    "/home/dev",
                    "README",
                    "example.com",
                    "You are a coding agent",
                ] {
                    assert!(!all.contains(secret), "{}: {secret} in {all}", session.name);
                }
            }
        }
    }
}

/// What the compressed request of a long session weighs against its runs as plain JSON.
#[test]
fn long_sessions_shrink_to_an_eighth_on_the_wire() {
    let long = recorded()
        .iter()
        .filter(|session| session.name.ends_with("-long"));
    for session in long {
        let items = session.items();
        let backend = backend(&codex_tracing_config::LangSmithSettings::default());
        let destination = &backend.destinations()[0];
        let mut facts = Facts::default();
        facts.values.insert("zstd".to_owned(), "true".to_owned());
        let request = backend.request(destination, &facts, &items.iter().collect::<Vec<_>>());
        let plain: usize = items.iter().map(|item| item.body.len()).sum();
        println!("{}: {plain} → {}", session.name, request.body.len());
        assert!(
            request.body.len() * 8 <= plain,
            "{}: {plain} → {}",
            session.name,
            request.body.len()
        );
    }
}
