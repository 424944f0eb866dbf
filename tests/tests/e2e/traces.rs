//! What the suites for LangSmith share: stages on each version, and traces as text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use codex_tracing_tests::{
    Collector, Content, Product, Request, Run, Runs, Scenario, Stage, versions,
};

/// The newest alone, for what does not depend on Codex's version.
pub(super) const NEWEST: &str = "0.169.0";

/// Runs `test` on each version, with the scenario of this name recorded for it.
pub(super) fn on_each(name: &str, test: impl Fn(&Stage)) {
    for version in versions() {
        on(&version, name, &test);
    }
}

/// Runs `test` on one version, with the scenario of this name recorded for it.
pub(super) fn on(version: &str, name: &str, test: impl Fn(&Stage)) {
    if let Some(stage) = Stage::recorded(version, name, &[Product::LangSmith]).unwrap() {
        eprintln!("{name} on {version}");
        test(&stage);
    }
}

/// Runs `test` with any scenario, the LangSmith plugin installed.
pub(super) fn with(version: &str, scenario: Scenario, test: impl FnOnce(&mut Stage)) {
    if let Some(mut stage) = Stage::set(version, scenario, &[Product::LangSmith]).unwrap() {
        test(&mut stage);
    }
}

/// Waits for `turns` root runs that have ended.
pub(super) fn wait_for_turns(stage: &Stage, turns: usize) {
    stage.wait_for(&format!("{turns} turns"), |collector| {
        let runs = collector.runs();
        let ended = |run: &&&Run| run.end_at().is_some();
        runs.roots().iter().filter(ended).count() >= turns
    });
}

/// Waits for `turns` ended root runs, flushes, and gives the sound tree, in which nothing was sent
/// again.
pub(super) fn arrived(stage: &Stage, turns: usize) -> Runs {
    wait_for_turns(stage, turns);
    stage.flush().unwrap();
    let runs = stage.collector.runs();
    assert_whole(&runs, turns);
    runs
}

/// Asserts that there are `turns` traces, each sound and sent once.
pub(super) fn assert_whole(runs: &Runs, turns: usize) {
    runs.assert_sound();
    let repeated: Vec<_> = runs
        .repeated()
        .iter()
        .map(|run| (run.name(), run.writes))
        .collect();
    assert!(
        repeated.is_empty(),
        "runs were sent again: {repeated:?}\n{}",
        tree(runs)
    );
    assert_eq!(runs.roots().len(), turns, "{}", tree(runs));
}

/// One line a run, indented by depth: name, type, and `!` if it carries an error.
pub(super) fn tree(runs: &Runs) -> String {
    fn below(runs: &Runs, run: &Run, depth: usize, out: &mut String) {
        let mark = if run.error().is_some() { " !" } else { "" };
        let indent = "  ".repeat(depth);
        writeln!(out, "{indent}{} ({}){mark}", run.name(), run.run_type()).unwrap();
        for child in runs.children(run.id()) {
            below(runs, child, depth + 1, out);
        }
    }
    let mut out = String::new();
    for root in runs.roots() {
        below(runs, root, 0, &mut out);
    }
    out
}

/// Asserts that the traces are these, as [`tree`] writes them; `expected` may be indented as a whole.
pub(super) fn assert_tree(runs: &Runs, expected: &str) {
    let indent = expected
        .lines()
        .map(|line| line.len() - line.trim_start().len());
    let indent = indent
        .filter(|indent| *indent > 0)
        .min()
        .unwrap_or_default();
    let lines = expected.lines().filter(|line| !line.trim().is_empty());
    let expected = lines.fold(String::new(), |text, line| {
        text + line.get(indent..).unwrap_or_default() + "\n"
    });
    let found = tree(runs);
    assert_eq!(found, expected, "found:\n{found}expected:\n{expected}");
}

/// All tokens spent.
pub(super) fn spent(runs: &Runs) -> u64 {
    runs.typed("llm").iter().map(|run| total(run)).sum()
}

/// The LangSmith threads that the runs name.
pub(super) fn threads(runs: &Runs) -> BTreeSet<String> {
    let thread = |run: &Run| run.metadata("thread_id").unwrap().to_string();
    runs.all().iter().map(thread).collect()
}

/// The total of a run's token usage.
pub(super) fn total(run: &Run) -> u64 {
    run.usage()
        .and_then(|usage| usage.get("total_tokens")?.as_u64())
        .unwrap_or_default()
}

/// The decoded body of a request as text.
pub(super) fn body(request: &Request) -> String {
    match &request.content {
        Content::Empty => String::new(),
        Content::Json(value) => value.to_string(),
        Content::Parts(parts) => parts.iter().fold(String::new(), |text, part| {
            let body = String::from_utf8_lossy(&part.body);
            text + &part.name + ": " + &body + "\n"
        }),
        Content::Broken(words) => words.clone(),
    }
}

/// Every decoded body that reached the collector.
pub(super) fn everything_sent(collector: &Collector) -> String {
    collector.requests().iter().map(body).collect()
}
