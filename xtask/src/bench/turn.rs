//! What the plugin costs a turn of the real Codex: without it, with hooks of the same number that do
//! nothing (Codex's own cost of running any hook), and with ours; in turn, in one run.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use codex_tracing_tests::{CodexCli, CodexHome, Collector, ModelServer, NEWEST, Product, Scenario};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::measured::Measured;
use super::{load, median};

/// What takes the place of our executable to measure Codex's own cost.
const NOTHING: &str = "/bin/true";
/// Pause after each run: the worker of the run before has its first look behind it.
const SETTLE: Duration = Duration::from_millis(300);

/// A home of Codex, one kind of plugin in it.
struct Seat {
    name: &'static str,
    home: CodexHome,
    /// Keeps the scripted model alive.
    _model: ModelServer,
    /// Keeps the installed bundle's source alive.
    _bundles: Option<TempDir>,
    whole: Vec<Duration>,
    turn: Vec<Duration>,
}

/// Runs `codex exec` `runs` times for each kind and gives the table.
pub(super) fn measure(runs: usize, bin: Option<&Path>) -> anyhow::Result<Measured> {
    let collector = Collector::start()?;
    let nothing = load::bundles(Some(Path::new(NOTHING)))?;
    let ours = load::bundles(bin)?;
    let mut seats = vec![
        Seat::new("no plugin", runs, None, &collector)?,
        Seat::new("hooks that do nothing", runs, Some(nothing), &collector)?,
        Seat::new("our plugin", runs, Some(ours), &collector)?,
    ];
    for round in 0..=runs {
        for place in 0..seats.len() {
            let index = (place + round) % seats.len();
            let Some(seat) = seats.get_mut(index) else {
                continue;
            };
            seat.play(round > 0)?;
            std::thread::sleep(SETTLE);
        }
    }
    Ok(table(runs, &mut seats)?.into())
}

impl Seat {
    fn new(
        name: &'static str,
        runs: usize,
        bundles: Option<(TempDir, std::path::PathBuf)>,
        collector: &Collector,
    ) -> anyhow::Result<Self> {
        let cli = CodexCli::get(NEWEST)?.context("the real Codex cannot be installed here")?;
        let answer = json!({"type": "message", "text": "Quick.", "phase": "final_answer"});
        let scenario = Scenario::answering(json!([{"repeat": runs + 1, "items": [answer]}]));
        let model = ModelServer::start(&scenario.script())?;
        let mut home = CodexHome::new(&cli, &model, &scenario)?;
        let product = Product::LangSmith;
        if let Some((_, folder)) = &bundles {
            home.install_bundle(&folder.join(product.marketplace()), product.plugin())?;
        }
        for (name, value) in product.settings(&collector.url()) {
            home.set_env(name, &value);
        }
        Ok(Self {
            name,
            home,
            _model: model,
            _bundles: bundles.map(|(folder, _)| folder),
            whole: Vec::new(),
            turn: Vec::new(),
        })
    }

    /// One session of one turn; the first one only warms the caches.
    fn play(&mut self, counts: bool) -> anyhow::Result<()> {
        let output = self.home.exec("Be quick.", &[])?;
        ensure!(output.code == Some(0), "codex failed: {}", output.stderr);
        let newest = self.home.rollouts().pop().context("no rollout")?;
        let turn = turn_of(&newest)?;
        if counts {
            self.whole.push(output.took);
            self.turn.push(turn);
        }
        Ok(())
    }
}

/// How long the rollout's only turn took by Codex's own word; its `Stop` hook is part of it.
fn turn_of(rollout: &Path) -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string(rollout)?;
    let ends = text.lines().rev().find_map(|line| {
        let record: Value = serde_json::from_str(line).ok()?;
        let payload = record.get("payload")?;
        (payload.get("type")?.as_str()? == "task_complete").then(|| payload.clone())
    });
    let took = ends
        .as_ref()
        .and_then(|payload| payload.get("duration_ms")?.as_u64());
    let took = took.with_context(|| format!("no finished turn in {}", rollout.display()))?;
    Ok(Duration::from_millis(took))
}

fn table(runs: usize, seats: &mut [Seat]) -> anyhow::Result<String> {
    let mut out = format!(
        "Medians of {runs} sessions of one turn each, Codex {NEWEST} against a scripted model that \
         answers at once. Four hooks a session, each started by Codex through a shell; the turn, \
         as Codex counts it, holds three of them.\n\n\
         | | `codex exec`, ms | its turn, ms |\n|---|---|---|\n"
    );
    let mut medians = Vec::new();
    for seat in seats.iter_mut() {
        let (whole, turn) = (median(&mut seat.whole), median(&mut seat.turn));
        writeln!(out, "| {} | {whole:.0} | {turn:.0} |", seat.name)?;
        medians.push((whole, turn));
    }
    if let [_, (idle, idle_turn), (ours, ours_turn)] = medians[..] {
        writeln!(
            out,
            "| our plugin, more than hooks that do nothing | {:.1} | {:.1} |",
            ours - idle,
            ours_turn - idle_turn
        )?;
    }
    Ok(out)
}
