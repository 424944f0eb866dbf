//! Braintrust, on the real Codex.

mod defects;
mod flush;
mod hostile_project;
mod live;
mod mcp;
mod mute;
mod outline;
mod overflow;
mod record;
mod resume;
mod scenarios;
mod settings;

pub(super) use outline::outline;

use std::fmt::Write as _;

use codex_tracing_tests::{Collector, NEWEST, Product, Row, Rows, Scenario, Stage, versions};
use serde_json::Value;

/// Runs `test` on each version, with the scenario recorded for it.
fn on_each(name: &str, test: impl Fn(&Stage)) {
    for version in versions() {
        on(&version, name, &test);
    }
}

/// Runs `test` on one version, with the scenario recorded for it.
fn on(version: &str, name: &str, test: impl Fn(&Stage)) {
    let stage = Stage::recorded(version, name, &[Product::Braintrust]).unwrap();
    if let Some(stage) = stage {
        eprintln!("{name} on {version}");
        test(&stage);
    }
}

/// Codex `version` with the Braintrust plugin and a script of our own; `None` if it cannot be had.
fn stage(version: &str, scenario: Scenario) -> Option<Stage> {
    Stage::set(version, scenario, &[Product::Braintrust]).unwrap()
}

/// Rows of turns.
fn turns(rows: &Rows) -> Vec<&Row> {
    let turn = |row: &&Row| row.name().starts_with("turn: ");
    rows.all().iter().filter(turn).collect()
}

/// Rows of subagents.
pub(super) fn subagents(rows: &Rows) -> Vec<&Row> {
    let agent = |row: &&Row| row.name().starts_with("subagent: ");
    rows.all().iter().filter(agent).collect()
}

/// Waits for `wanted` turns of a session, subagents' included, flushes, and gives the tree after it
/// was checked as far as every session is alike.
pub(super) fn arrived(stage: &Stage, wanted: usize) -> Rows {
    stage.wait_for(&format!("{wanted} turns"), |collector| {
        ended_turns(collector) >= wanted
    });
    stage.flush().unwrap();
    let rows = stage.collector.rows();
    check(stage, &rows);
    assert_eq!(turns(&rows).len(), wanted, "{}", tree(&rows));
    rows
}

fn ended_turns(collector: &Collector) -> usize {
    let rows = collector.rows();
    let ended = |row: &&&Row| row.end_at().is_some();
    turns(&rows).iter().filter(ended).count()
}

/// What holds of every session: the tree is sound, it has one root, each span is one row, the tokens
/// are those that Codex counted, and turns of the session begin with what the user typed.
fn check(stage: &Stage, rows: &Rows) {
    assert!(!rows.all().is_empty(), "no rows\n{}", stage.logs());
    rows.assert_sound();
    let roots = rows.roots();
    assert_eq!(roots.len(), 1, "{}", tree(rows));
    assert_eq!(roots[0].name(), "codex: app");
    assert!(
        rows.all()
            .iter()
            .all(|row| row.root_span_id() == roots[0].span_id()),
        "{}",
        tree(rows)
    );
    assert!(rows.all().iter().all(|row| row.span_id() == row.id()));
    assert_eq!(tokens(rows), stage.tokens_of_codex(), "{}", tree(rows));
    let of_root: Vec<Value> = rows
        .children(roots[0].span_id())
        .into_iter()
        .filter(|row| row.name().starts_with("turn: "))
        .map(|row| row.fields.get("input").cloned().unwrap_or_default())
        .collect();
    let prompts = prompts(&stage.scenario);
    assert!(
        prompts.is_empty() || of_root == prompts,
        "turns begin with {of_root:?}, the user typed {prompts:?}"
    );
}

/// The prompts of a scenario whose steps all are plain runs and resumes; else none.
fn prompts(scenario: &Scenario) -> Vec<Value> {
    let of_step = |step: &codex_tracing_tests::Step| -> Option<Value> {
        let arguments = step.exec.as_ref().or(step.resume.as_ref())?;
        Some(Value::from(arguments.last()?.as_str()))
    };
    let all: Option<Vec<Value>> = scenario.run.iter().map(of_step).collect();
    all.unwrap_or_default()
}

/// The sum of what model calls used.
fn tokens(rows: &Rows) -> u64 {
    let total: f64 = rows
        .typed("llm")
        .iter()
        .filter_map(|row| row.metric("tokens"))
        .sum();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of tokens"
    )]
    let total = total.round() as u64;
    total
}

/// Names by depth, for messages.
fn tree(rows: &Rows) -> String {
    fn below(rows: &Rows, row: &Row, depth: usize, out: &mut String) {
        let _ = writeln!(
            out,
            "{}{} ({}) {:?}..{:?} error {:?} tokens {:?}",
            "  ".repeat(depth),
            row.name(),
            row.span_type(),
            row.start_at(),
            row.end_at(),
            row.error(),
            row.metric("tokens"),
        );
        for child in rows.children(row.span_id()) {
            below(rows, child, depth + 1, out);
        }
    }
    let mut out = String::new();
    for root in rows.roots() {
        below(rows, root, 0, &mut out);
    }
    out
}
