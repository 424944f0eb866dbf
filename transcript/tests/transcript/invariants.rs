//! What holds for every recorded session, and whatever the input.

use std::collections::BTreeSet;
use std::sync::Arc;

use codex_tracing_transcript::{
    Assembler, Rollout, ToolStatus, Turn, TurnKind, TurnStatus, Usage, Verbatim, Window,
};

use crate::corpus::{all, read};

fn inside(name: &str, what: &str, inner: Window, outer: Window) {
    assert!(
        outer.started_at <= inner.started_at,
        "{name}: {what} begins before its turn"
    );
    if let (Some(inner_end), Some(outer_end)) = (inner.ended_at, outer.ended_at) {
        assert!(inner_end <= outer_end, "{name}: {what} outlives its turn");
    }
    if let Some(end) = inner.ended_at {
        assert!(
            inner.started_at <= end,
            "{name}: {what} ends before it began"
        );
    }
}

/// Holds for any turn of any input.
pub(crate) fn check_turn(name: &str, turn: &Turn) {
    let bounds = turn.window;
    inside(name, "the turn", bounds, bounds);
    assert_eq!(bounds.ended_at.is_none(), turn.is_running(), "{name}");
    for (index, call) in turn.calls.iter().enumerate() {
        assert_eq!(call.index, index, "{name}");
        inside(name, "a call", call.window, bounds);
        assert!(call.input.conversation < turn.conversations.len(), "{name}");
        assert!(
            call.input.len <= turn.conversations[call.input.conversation].len(),
            "{name}: a call saw more than there was"
        );
        if let Some(first) = call.first_output_at {
            assert!(call.window.started_at <= first, "{name}");
        }
    }
    for pair in turn.calls.windows(2) {
        assert!(
            pair[0].window.started_at <= pair[1].window.started_at,
            "{name}"
        );
    }
    let ids: BTreeSet<&str> = turn.tools.iter().map(|tool| tool.id.as_str()).collect();
    assert_eq!(ids.len(), turn.tools.len(), "{name}: a tool call twice");
    for tool in &turn.tools {
        let what = format!("tool {} ({})", tool.name, tool.id);
        inside(name, &what, tool.window, bounds);
        let closed = tool.outcome.status != ToolStatus::Running && tool.window.ended_at.is_some();
        assert!(
            closed || turn.is_running(),
            "{name}: {what} is neither closed nor marked"
        );
        let bad = matches!(
            tool.outcome.status,
            ToolStatus::Failed | ToolStatus::Declined | ToolStatus::Interrupted
        );
        assert_eq!(bad, tool.outcome.error.is_some(), "{name}: {what}");
        assert!(
            tool.model_call.is_none_or(|index| index < turn.calls.len()),
            "{name}: {what}"
        );
        assert!(
            tool.parent.as_deref().is_none_or(|cell| ids.contains(cell)),
            "{name}: {what}"
        );
    }
    for compaction in &turn.compactions {
        inside(name, "a compaction", compaction.window, bounds);
    }
    let calls = turn.calls.iter().filter_map(|call| call.usage);
    let summaries = turn.compactions.iter().filter_map(|one| one.usage);
    let sum = calls
        .chain(summaries)
        .fold(Usage::default(), |sum, one| sum + one);
    assert_eq!(sum, turn.usage, "{name}");
}

fn check(name: &str, rollout: &Rollout) {
    for turn in &rollout.turns {
        check_turn(name, turn);
        for agent in &turn.subagents {
            let spawned_by = agent.spawned_by.as_deref();
            let attached = turn
                .tools
                .iter()
                .any(|tool| Some(tool.id.as_str()) == spawned_by);
            assert!(
                attached || turn.kind == TurnKind::Review,
                "{name}: {agent:?}"
            );
        }
        for tool in &turn.tools {
            assert!(
                tool.model_call.is_some(),
                "{name}: no call asked for {}",
                tool.id
            );
        }
    }
    let numbers: Vec<u32> = rollout.turns.iter().map(|turn| turn.number).collect();
    let expected: Vec<u32> = (1..).take(numbers.len()).collect();
    assert_eq!(numbers, expected, "{name}");
    for pair in rollout.turns.windows(2) {
        assert!(
            pair[0].window.ended_at <= Some(pair[1].window.started_at),
            "{name}"
        );
    }
    let sum = rollout
        .turns
        .iter()
        .fold(Usage::default(), |sum, turn| sum + turn.usage);
    assert_eq!(
        sum, rollout.totals,
        "{name}: the sum over calls is not Codex's total"
    );
    assert!(rollout.skipped.is_empty(), "{name}: {:?}", rollout.skipped);
    assert!(rollout.session.is_some(), "{name}");
}

#[test]
fn recorded_sessions_are_ordered_nested_closed_and_add_up() {
    for (name, path) in all() {
        check(&name, &read(&path));
    }
}

#[test]
fn every_thread_of_a_session_is_known_to_the_turn_that_spawned_it() {
    let mut spawned = BTreeSet::new();
    let mut children = BTreeSet::new();
    for (_, path) in all() {
        let rollout = read(&path);
        let session = rollout.session.unwrap();
        let agents = rollout.turns.iter().flat_map(|turn| &turn.subagents);
        spawned.extend(agents.map(|agent| agent.thread_id.clone()));
        // Up to 0.147 a review's parent does not name its child.
        if let codex_tracing_transcript::Origin::Spawned { .. } = session.origin {
            children.insert(session.thread_id);
        }
    }
    assert!(children.len() >= 20, "{}", children.len());
    let lost: Vec<_> = children.difference(&spawned).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn each_kind_of_end_has_its_status() {
    let statuses = |scenario: &str| -> BTreeSet<String> {
        let all = all().into_iter().filter(|one| one.0.ends_with(scenario));
        all.flat_map(|(_, path)| read(&path).turns)
            .map(|turn| format!("{:?}", turn.status))
            .collect()
    };
    let one = |status: TurnStatus| BTreeSet::from([format!("{status:?}")]);
    assert_eq!(statuses(" plain-answer 0"), one(TurnStatus::Completed));
    assert_eq!(statuses(" model-error 0"), one(TurnStatus::Failed));
    assert_eq!(statuses(" interrupted 0"), one(TurnStatus::Interrupted));
    assert_eq!(
        statuses(" interrupted-model 0"),
        one(TurnStatus::Interrupted)
    );
}

#[test]
fn what_a_running_turn_delegates_is_known_without_putting_it_together() {
    let mut delegated = 0;
    for (name, path) in all() {
        let text = std::fs::read_to_string(path).unwrap();
        if !text.contains("send_input") && !text.contains("interacted") {
            continue;
        }
        let mut assembler = Assembler::new(Arc::new(Verbatim));
        for (offset, line) in text.lines().enumerate() {
            assembler.push(offset as u64, line.as_bytes());
            let whole = assembler.open_turn();
            assert_eq!(assembler.has_open_turn(), whole.is_some(), "{name}");
            let expected = whole
                .map(|turn| turn.delegation())
                .filter(|delegation| !delegation.calls.is_empty());
            delegated += usize::from(expected.is_some());
            assert_eq!(assembler.open_delegation(), expected, "{name}: {offset}");
        }
    }
    assert!(delegated >= 20, "{delegated}");
}
