//! A trace as text.

use std::fmt::Write as _;

use codex_tracing_tests::{Run, Runs};
use serde_json::Value;

/// Every trace as a tree: name, type, duration, tokens, error.
pub(super) fn render(runs: &Runs) -> String {
    let mut out = String::new();
    for root in runs.roots() {
        let _ = writeln!(out, "trace {} in project `{}`", root.id(), root.project());
        line(&mut out, root, "", "");
        below(&mut out, runs, root.id(), "");
    }
    out
}

fn below(out: &mut String, runs: &Runs, id: &str, indent: &str) {
    let children = runs.children(id);
    for (position, child) in children.iter().enumerate() {
        let last = position + 1 == children.len();
        let (branch, rest) = if last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        line(out, child, indent, branch);
        below(out, runs, child.id(), &format!("{indent}{rest}"));
    }
}

fn line(out: &mut String, run: &Run, indent: &str, branch: &str) {
    let name = format!("{indent}{branch}{}", run.name());
    let mut facts = vec![format!("{:<5}", run.run_type()), duration(run)];
    if let Some(tokens) = tokens(run) {
        facts.push(tokens);
    }
    if let Some(error) = run.error() {
        let first = error.lines().next().unwrap_or_default();
        facts.push(format!("error: {first}"));
    }
    let _ = writeln!(out, "{name:<34} {}", facts.join("  "));
}

fn duration(run: &Run) -> String {
    let (Some(start_at), Some(end_at)) = (run.start_at(), run.end_at()) else {
        return "running".to_owned();
    };
    format!("{:7.3} s", end_at.duration_since(start_at).as_secs_f64())
}

fn tokens(run: &Run) -> Option<String> {
    let count = |name: &str| run.usage()?.get(name).and_then(Value::as_u64);
    let mut text = format!("{} in", count("input_tokens")?);
    let details = run.usage()?.get("input_token_details");
    if let Some(cached) = details.and_then(|details| details.get("cache_read")?.as_u64()) {
        let _ = write!(text, " ({cached} cached)");
    }
    let _ = write!(text, ", {} out", count("output_tokens").unwrap_or_default());
    Some(text)
}
