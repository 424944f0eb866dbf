//! Turns of any shape: what must hold whatever a rollout says.

use codex_tracing_transcript::{Compaction, TurnStatus};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{Given, call, tool, turn, window};
use crate::tree::check_tree;

/// Start, length (negative: none), id, and whether it names a cell.
type Span = (i64, i64, u8, bool);

fn span() -> impl Strategy<Value = Span> {
    (-50..300_i64, -20..100_i64, 0..6_u8, any::<bool>())
}

fn given(calls: &[Span], tools: &[Span], compactions: &[Span], child: bool, live: bool) -> Given {
    let mut turn = turn();
    let end = |(from, length, ..): &Span| {
        let mut window = window(*from, from + length);
        window.ended_at = window.ended_at.filter(|_| *length >= 0);
        window
    };
    let calls = calls.iter().enumerate().map(|(index, span)| {
        let mut call = call(index, 0, 0, usize::from(span.2), &[]);
        call.window = end(span);
        call.completed = span.3;
        call
    });
    turn.calls = calls.collect();
    let tools = tools.iter().map(|span| {
        let mut tool = tool(&format!("call_{}", span.2), "exec", 0, 0);
        tool.window = end(span);
        tool.parent = span.3.then(|| "call_0".to_owned());
        tool
    });
    turn.tools = tools.collect();
    let compactions = compactions
        .iter()
        .enumerate()
        .map(|(index, span)| Compaction {
            index,
            window: end(span),
            trigger: "auto".to_owned(),
            model: None,
            before: turn.calls.first().map_or(
                codex_tracing_transcript::ModelInput {
                    conversation: 9,
                    len: 9,
                },
                |it| it.input,
            ),
            after: Vec::new(),
            summary: None,
            window_id: None,
            usage: None,
            response_id: None,
        });
    turn.compactions = compactions.collect();
    if live {
        turn.status = TurnStatus::Running;
        turn.window.ended_at = None;
    }
    let mut given = if child {
        Given::child(turn, "thread-a", &crate::support::turn(), "call_1")
    } else {
        Given::new(turn)
    };
    given.settings.common.live = live;
    given
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_turn_is_a_tree_that_the_server_accepts(
        calls in prop::collection::vec(span(), 0..6),
        tools in prop::collection::vec(span(), 0..12),
        compactions in prop::collection::vec(span(), 0..3),
        child in any::<bool>(),
        live in any::<bool>(),
    ) {
        let given = given(&calls, &tools, &compactions, child, live);
        let runs = given.runs();
        check_tree(&runs);
        let is_known = |run: &Value| runs.iter().any(|other| other["id"] == run["parent_run_id"]);
        prop_assert!(runs[1..].iter().all(is_known), "a run hangs below nothing");
        prop_assert_eq!(runs[0].get("parent_run_id").is_some(), child);
        if !live {
            prop_assert_eq!(runs.len(), 1 + calls.len() + tools.len() + compactions.len());
        }
    }
}
