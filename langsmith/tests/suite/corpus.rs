//! Every recorded session as runs: snapshots of the trees, and what must hold for all of them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use codex_tracing_config::LangSmithSettings;
use codex_tracing_delivery::{Backend, Facts, HookFacts, Item, Mode, SessionTurn, read_session};
use codex_tracing_redact::{Images, Redactor};
use codex_tracing_transcript::{Git, Scrub, Usage};
use serde_json::Value;

use crate::support::{backend, metadata, text};
use crate::tree::check_tree;

/// One recorded session: the turns of a root thread and of its subagents.
struct Recorded {
    name: String,
    turns: Vec<SessionTurn>,
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
        let names: Vec<_> = scenario.iter().map(|name| name.to_string_lossy()).collect();
        let name = names[names.len() - 2..].join("-");
        let roots: Vec<_> = rollouts(&scenario)
            .iter()
            .filter_map(|it| read(it))
            .collect();
        let several = roots.len() > 1;
        for (index, turns) in roots.into_iter().enumerate() {
            let mut name = name.clone();
            if several {
                let _ = write!(name, "-{}", index + 1);
            }
            sessions.push(Recorded { name, turns });
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

fn rollouts(scenario: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(scenario)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_rollout = |path: &PathBuf| {
        path.extension().is_some_and(|it| it == "jsonl") && !path.ends_with("hooks.jsonl")
    };
    let mut paths: Vec<_> = entries.filter(is_rollout).collect();
    paths.sort();
    paths
}

/// The session that begins with this rollout, as `export` reads it; `None` for a subagent's.
fn read(rollout: &Path) -> Option<Vec<SessionTurn>> {
    let (redactor, _) = Redactor::new(true, &[], None, Images::Keep);
    let scrub: Arc<dyn Scrub> = Arc::new(redactor);
    let mut turns: Vec<SessionTurn> = Vec::new();
    let mut keep = |turn: SessionTurn| {
        let place = |it: &SessionTurn| (it.turn.thread_id.clone(), it.turn.number);
        // A turn comes again when a record of it comes after its end.
        match turns.iter_mut().find(|known| place(known) == place(&turn)) {
            Some(known) => *known = turn,
            None => turns.push(turn),
        }
    };
    read_session(Path::new("/nonexistent"), rollout, &scrub, &mut keep).unwrap();
    let is_root = turns.first()?.root.parent_thread_id.is_none();
    is_root.then_some(turns)
}

impl Recorded {
    fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// Thread of the root.
    fn root(&self) -> &str {
        &self.turns[0].root.thread_id
    }

    fn items_of(turn: &SessionTurn, mode: Mode) -> Vec<Item> {
        let backend = backend(&LangSmithSettings::default());
        let destination = &backend.destinations()[0];
        let (hooks, no_git) = (HookFacts::default(), Git::default());
        turn.items(&backend, destination, &hooks, &no_git, mode)
    }

    fn items(&self) -> Vec<Item> {
        let items = |turn| Self::items_of(turn, Mode::Full);
        self.turns.iter().flat_map(items).collect()
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
        let root = session.root();
        assert!(runs.iter().all(|run| metadata(run)["thread_id"] == *root));
        let roots = runs
            .iter()
            .filter(|run| run.get("parent_run_id").is_none())
            .count();
        let turns = session.turns.iter();
        let of_root = turns.filter(|turn| turn.turn.thread_id == root).count();
        assert_eq!(roots, of_root, "one trace a turn of the root thread");
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
        let spent = session.turns.iter();
        let spent = spent.fold(Usage::default(), |sum, turn| sum + turn.turn.usage);
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
        for turn in &session.turns {
            let full = parsed(&Recorded::items_of(turn, Mode::Full));
            let muted = parsed(&Recorded::items_of(turn, Mode::Metadata));
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

/// What the compressed request of a long session weighs against its runs as plain JSON.
#[test]
fn long_sessions_shrink_to_an_eighth_on_the_wire() {
    let long = recorded()
        .iter()
        .filter(|session| session.name.ends_with("-long"));
    for session in long {
        let items = session.items();
        let backend = backend(&LangSmithSettings::default());
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
