//! Below which run a subagent's turn hangs.

use codex_tracing_config::Replica;
use codex_tracing_delivery::Mode;
use codex_tracing_transcript::{Origin, ToolKind, Turn};
use serde_json::Value;

use crate::support::{Given, at, metadata, spawn, text, tool, turn, window};
use crate::tree::{check_tree, outline};

/// A turn that spawns two agents in one instant, among other calls.
fn spawning(id: &str) -> Turn {
    let mut turn = turn();
    id.clone_into(&mut turn.id);
    turn.tools = vec![
        tool("call_1", "exec_command", 92, 149),
        spawn("spawn_1", 92, 94),
        spawn("spawn_2", 92, 95),
    ];
    turn
}

/// A turn without tools.
fn quiet(id: &str, from: i64, to: i64) -> Turn {
    let mut turn = turn();
    id.clone_into(&mut turn.id);
    turn.window = window(from, to);
    turn.calls.truncate(1);
    turn.calls[0].window = window(from, to);
    turn.tools.clear();
    turn
}

const TREE: &str = "\
openai.codex (chain)
  openai.codex.turn (llm)
  exec_command (tool)
  spawn_agent (tool)
    openai.codex (chain)
      openai.codex.turn (llm)
      exec_command (tool)
      spawn_agent (tool)
        openai.codex (chain)
          openai.codex.turn (llm)
      spawn_agent (tool)
      openai.codex.turn (llm)
  spawn_agent (tool)
    openai.codex (chain)
      openai.codex.turn (llm)
  openai.codex.turn (llm)
";

/// The turns of [`TREE`]: the root's, then each agent's.
fn family() -> [Given; 4] {
    let root = spawning(crate::support::TURN);
    // The clock of the child's record may be behind; and it may outlive the turn above.
    let mut first = spawning("turn-a");
    first.window.started_at = at(10);
    first.window.ended_at = Some(at(900));
    let first = Given::child(first, "thread-a", &root, "spawn_1");
    let mut deep = Given::child(quiet("turn-b", 0, 950), "thread-b", &first.turn, "spawn_1");
    deep.lineage.insert(0, first.lineage[0].clone());
    let second = Given::child(quiet("turn-c", 100, 120), "thread-c", &root, "spawn_2");
    [Given::new(root), first, deep, second]
}

fn runs(family: &[Given]) -> Vec<Value> {
    family.iter().flat_map(Given::runs).collect()
}

#[test]
fn a_subagents_turn_hangs_below_the_call_that_spawned_it_at_any_depth() {
    let runs = runs(&family());
    check_tree(&runs);
    assert_eq!(outline(&runs), TREE);
    for run in &runs {
        let parent = run.get("parent_run_id");
        let known = parent.is_none_or(|id| runs.iter().any(|other| other["id"] == *id));
        assert!(known, "{} hangs below nothing", run["name"]);
    }
}

#[test]
fn its_place_is_the_same_before_the_turn_above_has_come_to_its_end() {
    let root = spawning(crate::support::TURN);
    let child =
        |root: &Turn| Given::child(quiet("turn-c", 100, 120), "thread-c", root, "spawn_2").runs();
    let whole = child(&root);
    // Only what was recorded up to the spawn, and then more calls than could be foreseen.
    let mut early = root.clone();
    early.calls.truncate(1);
    early.window.ended_at = None;
    let mut late = root.clone();
    late.tools
        .extend((0..50).map(|n| tool(&format!("more_{n}"), "exec_command", 92, 96)));
    for other in [early, late] {
        assert_eq!(child(&other), whole);
        let runs = [Given::new(other).runs(), whole.clone()].concat();
        assert!(
            runs.iter()
                .any(|run| run["id"] == whole[0]["parent_run_id"]),
            "{}",
            outline(&runs)
        );
    }
}

#[test]
fn without_the_call_it_hangs_below_the_turn() {
    let root = spawning(crate::support::TURN);
    for call in [None, Some("unknown"), Some("call_1")] {
        let child = Given::child(quiet("turn-c", 100, 120), "thread-c", &root, "spawn_1");
        let child = child.caused_by(&root, call).runs();
        let root = Given::new(root.clone()).runs();
        assert_eq!(child[0]["parent_run_id"], root[0]["id"], "{call:?}");
    }
}

#[test]
fn a_later_turn_of_it_hangs_below_the_call_that_asked_for_it() {
    let root = spawning(crate::support::TURN);
    let mut next = turn();
    next.id = "turn-2".to_owned();
    next.window = window(1000, 1200);
    let mut asked = spawn("ask_1", 1092, 1094);
    asked.name = "followup_task".to_owned();
    next.tools = vec![asked];
    let child = Given::child(quiet("turn-d", 1100, 1120), "thread-c", &root, "spawn_1");
    let child = child.caused_by(&next, Some("ask_1")).runs();
    let next = Given::new(next).runs();
    let call = next
        .iter()
        .find(|run| run["name"] == "followup_task")
        .unwrap();
    assert_eq!(child[0]["parent_run_id"], call["id"]);
    assert_eq!(child[0]["trace_id"], next[0]["id"]);
    // Who spawned it stays known.
    assert_eq!(metadata(&child[0])["spawned_by_tool_call_id"], "spawn_1");
}

#[test]
fn calls_that_control_agents_hang_below_the_turn_though_a_cell_made_them() {
    let mut root = turn();
    let mut cell = tool("cell", "exec", 92, 140);
    cell.kind = ToolKind::Cell;
    let mut spawned = spawn("spawn_1", 93, 94);
    spawned.parent = Some("cell".to_owned());
    root.tools = vec![cell, spawned];
    let child = Given::child(quiet("turn-c", 95, 96), "thread-c", &root, "spawn_1");
    let runs = [Given::new(root).runs(), child.runs()].concat();
    check_tree(&runs);
    assert_eq!(
        outline(&runs),
        "openai.codex (chain)\n  openai.codex.turn (llm)\n  exec (tool)\n  spawn_agent (tool)\n    \
         openai.codex (chain)\n      openai.codex.turn (llm)\n  openai.codex.turn (llm)\n"
    );
}

#[test]
fn replicas_and_muted_turns_have_the_same_tree() {
    let mut muted = family();
    for given in &mut muted {
        given.mode = Mode::Metadata;
    }
    assert_eq!(outline(&runs(&muted)), TREE);

    let mut replicated = family();
    let mut replica = Replica::new("http://127.0.0.1:1");
    replica.project = Some("elsewhere".to_owned());
    for given in &mut replicated {
        given.settings.replicas = vec![replica.clone()];
    }
    let remapped = runs(&replicated);
    check_tree(&remapped);
    assert_eq!(outline(&remapped), TREE);
    assert_ne!(text(&remapped[0], "id"), text(&runs(&family())[0], "id"));
}

#[test]
fn a_muted_subagent_has_its_role_for_a_name_and_never_what_the_model_called_its_task() {
    for (mode, role, expected) in [
        (Mode::Full, Some("explorer"), Some("explorer")),
        (Mode::Full, None, Some("find_the_leak")),
        (Mode::Metadata, Some("explorer"), Some("explorer")),
        (Mode::Metadata, None, None),
    ] {
        let [_, mut child, ..] = family();
        child.mode = mode;
        child.session.origin = Origin::Spawned {
            depth: Some(1),
            path: Some("/root/find_the_leak".to_owned()),
            nickname: None,
            role: role.map(str::to_owned),
        };
        let runs = child.runs();
        let kind = metadata(&runs[0]).get("ls_subagent_type");
        assert_eq!(kind.and_then(|kind| kind.as_str()), expected, "{mode:?}");
    }
}
