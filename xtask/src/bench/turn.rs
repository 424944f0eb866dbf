//! What the plugin costs a turn of the real Codex: without it, with hooks of the same number that do
//! nothing (Codex's own cost of running any hook), and with ours; in turn, in one run.

use std::fmt::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
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

/// What a turn consists of.
#[derive(Clone, Copy)]
enum Shape {
    /// An answer at once.
    Answer,
    /// Two commands, the first of which fails, and an answer.
    Commands,
}

impl Shape {
    fn name(self) -> &'static str {
        match self {
            Self::Answer => "A turn that is nothing but an answer",
            Self::Commands => "A turn with two commands, one of which fails",
        }
    }

    /// What the model says in `turns` turns, one after the other.
    fn script(self, turns: usize) -> Value {
        let answer = json!([{"type": "message", "text": "Quick.", "phase": "final_answer"}]);
        let run = |command: &str| json!([{"type": "function_call", "name": "exec_command", "args": {"cmd": command}}]);
        let turn = match self {
            Self::Answer => vec![answer],
            Self::Commands => vec![run("ls /does/not/exist"), run("echo done"), answer],
        };
        (0..turns).flat_map(|_| turn.clone()).collect()
    }
}

/// Runs `codex exec` `runs` times for each kind of plugin and shape of turn, and gives the tables.
pub(super) fn measure(runs: usize, bin: Option<&Path>) -> anyhow::Result<Measured> {
    let mut all = Measured::from(format!(
        "Medians and middle halves of {runs} sessions of one turn each, Codex {NEWEST} against a \
         scripted model that answers at once. Four hooks a session, each started by Codex through a \
         shell; the turn, as Codex counts it, holds three of them. Limit: what ours adds to hooks that \
         do nothing is less than the width of the middle half of the latter, that is, than two runs of \
         the same thing are apart.\n"
    ));
    for shape in [Shape::Answer, Shape::Commands] {
        all.add(measure_shape(shape, runs, bin)?);
    }
    Ok(all)
}

fn measure_shape(shape: Shape, runs: usize, bin: Option<&Path>) -> anyhow::Result<Measured> {
    let collector = Collector::start()?;
    let nothing = load::bundles(Some(Path::new(NOTHING)))?;
    let ours = load::bundles(bin)?;
    let script = shape.script(runs + 1);
    let mut seats = vec![
        Seat::new("no plugin", &script, None, &collector)?,
        Seat::new("hooks that do nothing", &script, Some(nothing), &collector)?,
        Seat::new("our plugin", &script, Some(ours), &collector)?,
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
    table(shape, &mut seats)
}

impl Seat {
    fn new(
        name: &'static str,
        script: &Value,
        bundles: Option<(TempDir, std::path::PathBuf)>,
        collector: &Collector,
    ) -> anyhow::Result<Self> {
        let cli = CodexCli::get(NEWEST)?.context("the real Codex cannot be installed here")?;
        let scenario = Scenario::answering(script.clone());
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

/// Where the middle half of the measured times lies, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Spread {
    low: f64,
    median: f64,
    high: f64,
}

impl Spread {
    fn of(times: &mut [Duration]) -> Self {
        let median = median(times);
        let at = |quarter: usize| times.get(times.len() * quarter / 4);
        let milliseconds =
            |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1000.0);
        Self {
            low: milliseconds(at(1)),
            median,
            high: milliseconds(at(3)),
        }
    }

    /// How far two runs of the same thing are apart.
    fn width(self) -> f64 {
        self.high - self.low
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, median, high } = self;
        write!(f, "{median:.0} ({low:.0}–{high:.0})")
    }
}

fn table(shape: Shape, seats: &mut [Seat]) -> anyhow::Result<Measured> {
    let mut out = format!(
        "\n| {} | `codex exec`, ms | its turn, ms |\n|---|---|---|\n",
        shape.name()
    );
    let mut spreads = Vec::new();
    for seat in seats.iter_mut() {
        let (whole, turn) = (Spread::of(&mut seat.whole), Spread::of(&mut seat.turn));
        writeln!(out, "| {} | {whole} | {turn} |", seat.name)?;
        spreads.push((whole, turn));
    }
    let [_, (idle, idle_turn), (ours, ours_turn)] = spreads[..] else {
        bail!("three kinds of plugin were to be measured");
    };
    let more = ours_turn.median - idle_turn.median;
    writeln!(
        out,
        "| our plugin, more than hooks that do nothing | {:.1} | {more:.1} |",
        ours.median - idle.median,
    )?;
    let mut measured = Measured::from(out);
    measured.at_most(
        "what our hooks add to a turn, in ms",
        more,
        idle_turn.width(),
    );
    Ok(measured)
}
