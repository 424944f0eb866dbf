//! What arrives from one version of Codex: recorded scenarios run anew, looked at in the collector.

use std::collections::BTreeSet;

use codex_tracing_tests::{PATIENCE, Product, Run, Runs, Scenario, Stage};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What one version showed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Measured {
    /// Hook events that fired.
    pub(super) hooks: BTreeSet<String>,
    /// In the order of [`FEATURES`].
    pub(super) features: Vec<Seen>,
}

/// Whether something is traced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Seen {
    /// It arrived.
    Yes,
    /// This Codex has it, and it did not arrive.
    No,
    /// This Codex does not have it.
    Absent,
}

/// Something to be traced: its name in the report, the scenario that shows it, how many turns that
/// has, and what is true of the runs then.
pub(super) struct Feature {
    pub(super) name: &'static str,
    scenario: &'static str,
    turns: usize,
    holds: fn(&Runs, u64) -> bool,
}

/// Every feature of the report.
pub(super) const FEATURES: [Feature; 15] = [
    Feature {
        name: "turn with prompt and answer",
        scenario: "plain-answer",
        turns: 1,
        holds: |runs, _| {
            let told =
                |run: &&Run, field: &str| run.pointer(&format!("/{field}/messages/0")).is_some();
            runs.roots()
                .iter()
                .all(|run| told(run, "inputs") && told(run, "outputs"))
        },
    },
    Feature {
        name: "model calls whose tokens add up to Codex's own total",
        scenario: "exec-tool",
        turns: 1,
        holds: |runs, codex| {
            let calls = runs.typed("llm");
            calls.len() == 2 && calls.iter().map(|run| total(run)).sum::<u64>() == codex
        },
    },
    Feature {
        name: "shell commands, with those that failed marked",
        scenario: "failing-tool",
        turns: 1,
        holds: |runs, _| runs.typed("tool").iter().any(|run| run.error().is_some()),
    },
    Feature {
        name: "patches",
        scenario: "apply-patch",
        turns: 1,
        holds: |runs, _| !runs.named("apply_patch").is_empty(),
    },
    Feature {
        name: "MCP tools with their results",
        scenario: "mcp-tool",
        turns: 1,
        holds: |runs, _| {
            let notes = runs.typed("tool");
            notes.len() == 3 && notes.iter().any(|run| run.error().is_none())
        },
    },
    Feature {
        name: "web searches",
        scenario: "web-search",
        turns: 1,
        holds: |runs, _| {
            runs.typed("tool")
                .iter()
                .any(|run| run.name().contains("search"))
        },
    },
    Feature {
        name: "images in prompts",
        scenario: "image-input",
        turns: 1,
        holds: |runs, _| {
            runs.roots()
                .iter()
                .any(|run| run.fields["inputs"].to_string().contains("image"))
        },
    },
    Feature {
        name: "commands within a script of code mode",
        scenario: "code-mode",
        turns: 1,
        holds: |runs, _| {
            let tools = runs.typed("tool");
            tools
                .iter()
                .any(|run| run.name() != "exec" && run.name() != "wait")
        },
    },
    Feature {
        name: "subagents below the turn that spawned them",
        scenario: "subagents",
        turns: 1,
        holds: |runs, _| runs.named("openai.codex").len() == 4 && runs.roots().len() == 1,
    },
    Feature {
        name: "subagents of the second kind",
        scenario: "subagents-v2",
        turns: 1,
        holds: |runs, _| runs.named("openai.codex").len() > 1 && runs.roots().len() == 1,
    },
    Feature {
        name: "compactions and what they cost",
        scenario: "auto-compact",
        turns: 2,
        holds: |runs, codex| {
            let kind = Value::from("compaction");
            let compacted = runs
                .all()
                .iter()
                .any(|run| run.metadata("ls_agent_type") == Some(&kind));
            let tokens: u64 = runs.typed("llm").iter().map(|run| total(run)).sum();
            compacted && tokens == codex
        },
    },
    Feature {
        name: "interrupted turns, marked",
        scenario: "interrupted",
        turns: 1,
        holds: |runs, _| runs.roots().iter().any(|run| run.error().is_some()),
    },
    Feature {
        name: "turns that failed at the model, marked",
        scenario: "model-error",
        turns: 1,
        holds: |runs, _| runs.roots().iter().any(|run| run.error().is_some()),
    },
    Feature {
        name: "resumed sessions, as one",
        scenario: "resume",
        turns: 2,
        holds: |runs, _| {
            let numbers = runs
                .roots()
                .into_iter()
                .filter_map(|run| run.metadata("turn_number"));
            numbers.cloned().collect::<Vec<_>>() == [Value::from(1), Value::from(2)]
        },
    },
    Feature {
        name: "forked sessions",
        scenario: "fork",
        turns: 2,
        holds: |runs, _| runs.roots().len() >= 2,
    },
];

fn total(run: &Run) -> u64 {
    let tokens = |usage: &Value| usage.get("total_tokens")?.as_u64();
    run.usage().and_then(tokens).unwrap_or_default()
}

/// Runs the scenario of every feature on this version.
pub(super) fn measure(version: &str) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    for feature in &FEATURES {
        let seen = look(version, feature, &mut measured.hooks)?;
        say!("{}: {seen:?}", feature.name);
        measured.features.push(seen);
    }
    Ok(measured)
}

fn look(version: &str, feature: &Feature, hooks: &mut BTreeSet<String>) -> anyhow::Result<Seen> {
    let Ok(scenario) = Scenario::recorded(version, feature.scenario) else {
        return Ok(Seen::Absent);
    };
    let stage = Stage::set(version, scenario, &[Product::LangSmith])?;
    let Some(stage) = stage else {
        anyhow::bail!("Codex {version} cannot be installed here");
    };
    stage.run()?;
    let arrived = stage.collector.wait_until(PATIENCE, |collector| {
        let runs = collector.runs();
        let ended = |run: &&&Run| run.end_at().is_some();
        runs.roots().iter().filter(ended).count() >= feature.turns
    });
    stage.flush()?;
    hooks.extend(events(&stage));
    let runs = stage.collector.runs();
    let sound = arrived && runs.problems().is_empty();
    let seen = sound && (feature.holds)(&runs, stage.tokens_of_codex());
    Ok(if seen { Seen::Yes } else { Seen::No })
}

/// The hook events in our journals.
fn events(stage: &Stage) -> BTreeSet<String> {
    let journals = stage.own_files().into_iter();
    journals
        .filter(|file| file.ends_with("journal.jsonl"))
        .filter_map(|file| std::fs::read_to_string(file).ok())
        .flat_map(|text| {
            let event = |line: &str| {
                let entry: Value = serde_json::from_str(line).ok()?;
                Some(entry.get("event")?.as_str()?.to_owned())
            };
            text.lines().filter_map(event).collect::<Vec<_>>()
        })
        .collect()
}
