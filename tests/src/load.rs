//! Many sessions at once, and one very large session, delivered by the whole program.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::collector::{Collector, Fault};
use crate::replay::{Enlarged, HookRun, Replay, Worker, longest_and_median, own_bytes, peak_bytes};
use crate::stage::Product;

/// The recorded session that all are made from: one turn with one command.
const RECORDING: (&str, &str) = ("0.169.0", "exec-tool");
/// The collector's answers come this late.
const SLOWNESS: Duration = Duration::from_millis(150);
/// How often workers are looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Sessions at the same time in one home, against one slow collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// How many.
    pub sessions: u32,
    /// Turns of each.
    pub turns: u32,
    /// The longest that a model takes between two hooks.
    pub pause: Duration,
    /// How long the workers may take after the last hook.
    pub patience: Duration,
}

/// What a [`Load`] has shown.
#[derive(Debug, Clone)]
pub struct LoadReport {
    /// Hooks that ran.
    pub hooks: usize,
    /// Their median, shell included.
    pub median: Duration,
    /// What 99 of 100 stayed below.
    pub p99: Duration,
    /// The longest.
    pub longest: Duration,
    /// Most workers that were seen at one moment.
    pub workers: usize,
    /// In how many looks in a row the same two of one session were seen: one that leaves may be there
    /// for a moment beside its successor.
    pub beside: usize,
    /// Their resident memory together, at its largest.
    pub resident_bytes: u64,
    /// What of it was theirs alone, at its largest.
    pub own_bytes: u64,
    /// Things delivered.
    pub items: usize,
    /// From the first hook until the last worker was gone.
    pub took: Duration,
}

impl Load {
    /// Runs it with the executable in `bundles`. Fails if a hook was not silent and successful, or if
    /// not everything was delivered.
    pub fn run(self, bundles: &Path) -> anyhow::Result<LoadReport> {
        let collector = Collector::start()?;
        let first = session(Product::LangSmith, bundles, &collector)?;
        let one = self.items_of_one(&first, &collector)?;
        collector.inject("/", Fault::Delay(SLOWNESS));
        let started = Instant::now();
        let done = AtomicBool::new(false);
        let (runs, most) = std::thread::scope(|scope| {
            let watch = scope.spawn(|| watch(&first, &done));
            let players: Vec<_> = (1..=self.sessions)
                .map(|number| {
                    let session = first.enlarged(self.shape(number));
                    scope.spawn(move || self.play(session, number))
                })
                .collect();
            let runs: Vec<_> = players
                .into_iter()
                .map(std::thread::ScopedJoinHandle::join)
                .collect();
            let gone = first.wait_for_workers(self.patience);
            done.store(true, Ordering::Relaxed);
            ensure!(
                gone,
                "workers still run {:?} after the last hook",
                self.patience
            );
            let most = watch
                .join()
                .map_err(|_| anyhow::anyhow!("nobody watched"))?;
            anyhow::Ok((runs, most))
        })?;
        let took = started.elapsed();
        let mut all: Vec<HookRun> = Vec::new();
        for run in runs {
            all.extend(run.map_err(|_| anyhow::anyhow!("a session broke off"))??);
        }
        let delivered = collector.runs();
        delivered.assert_sound();
        let items = delivered.all().len();
        let expected = one * (self.sessions as usize + 1);
        ensure!(
            items == expected,
            "{items} runs were delivered, not {expected}"
        );
        Ok(Self::report(&all, most, items - one, took))
    }

    fn shape(self, number: u32) -> Enlarged {
        Enlarged {
            number,
            turns: self.turns,
            output_bytes: 0,
            turns_per_context: 0,
        }
    }

    /// What one session consists of, delivered undisturbed.
    fn items_of_one(self, first: &Replay, collector: &Collector) -> anyhow::Result<usize> {
        first.enlarged(self.shape(0)).run()?;
        let flushed = first.call(&["flush", "--timeout", "10m"])?;
        ensure!(flushed.code == Some(0), "flush: {}", flushed.stdout);
        Ok(collector.runs().all().len())
    }

    fn play(self, mut session: Replay, number: u32) -> anyhow::Result<Vec<HookRun>> {
        let mut random = fastrand::Rng::with_seed(u64::from(number));
        let mut runs = Vec::new();
        loop {
            std::thread::sleep(self.pause.mul_f64(random.f64()));
            let Some(run) = session.step()? else {
                break;
            };
            let silent = run.output.stdout.is_empty() && run.output.stderr.is_empty();
            ensure!(silent && run.output.code == Some(0), "{run:?}");
            runs.push(run);
        }
        session.finish()?;
        Ok(runs)
    }

    fn report(runs: &[HookRun], most: Most, items: usize, took: Duration) -> LoadReport {
        let (longest, median) = longest_and_median(runs);
        let mut times: Vec<_> = runs.iter().map(|run| run.output.took).collect();
        times.sort_unstable();
        let p99 = times.get(times.len() * 99 / 100).copied();
        LoadReport {
            hooks: runs.len(),
            median,
            p99: p99.unwrap_or_default(),
            longest,
            workers: most.workers,
            beside: most.beside,
            resident_bytes: most.resident_bytes,
            own_bytes: most.own_bytes,
            items,
            took,
        }
    }
}

/// The recorded session in a home of its own.
fn session(product: Product, bundles: &Path, collector: &Collector) -> anyhow::Result<Replay> {
    let (version, scenario) = RECORDING;
    Replay::recorded(version, scenario, product, bundles, &collector.url())
}

/// What was largest at any look.
#[derive(Debug, Clone, Copy, Default)]
struct Most {
    workers: usize,
    beside: usize,
    resident_bytes: u64,
    own_bytes: u64,
}

/// Looks at the workers until `done`.
fn watch(replay: &Replay, done: &AtomicBool) -> Most {
    let mut most = Most::default();
    let mut pairs = BTreeMap::new();
    while !done.load(Ordering::Relaxed) {
        let workers = replay.workers();
        pairs = seen_again(&workers, &pairs);
        most.beside = most.beside.max(pairs.values().copied().max().unwrap_or(0));
        let resident = workers.iter().map(|worker| worker.resident_bytes).sum();
        let own = workers.iter().map(|worker| worker.own_bytes).sum();
        most.workers = most.workers.max(workers.len());
        most.resident_bytes = most.resident_bytes.max(resident);
        most.own_bytes = most.own_bytes.max(own);
        std::thread::sleep(LOOK);
    }
    most
}

/// Pairs of workers of one session, by process id, with the number of looks in a row that saw both.
fn seen_again(
    workers: &[Worker],
    before: &BTreeMap<(u32, u32), usize>,
) -> BTreeMap<(u32, u32), usize> {
    let mut pairs = BTreeMap::new();
    for one in workers {
        let others = workers.iter().filter(|other| other.pid > one.pid);
        for other in others.filter(|other| other.session == one.session) {
            let pair = (one.pid, other.pid);
            pairs.insert(pair, before.get(&pair).unwrap_or(&0) + 1);
        }
    }
    pairs
}

/// What delivering a large session took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryReport {
    /// Size of the session's rollout.
    pub rollout_bytes: u64,
    /// Peak resident memory of the process that delivered it.
    pub peak_bytes: u64,
    /// What of it was its own, at its largest.
    pub own_bytes: u64,
    /// Things delivered.
    pub items: usize,
    /// Bytes of their requests.
    pub wire_bytes: usize,
    /// How long it took.
    pub took: Duration,
}

/// Delivers one session of about `bytes` with `flush`, whose memory is watched (on Linux; elsewhere
/// the peak is 0). Outputs have 120 KB; the conversation is compacted every 20 turns.
pub fn deliver_large(product: Product, bundles: &Path, bytes: u64) -> anyhow::Result<MemoryReport> {
    const OUTPUT: u32 = 120 * 1024;
    let collector = Collector::start()?;
    let turns = u32::try_from(bytes / u64::from(OUTPUT + 14 * 1024))?;
    let mut large = session(product, bundles, &collector)?.enlarged(Enlarged {
        number: 1,
        turns,
        output_bytes: OUTPUT as usize,
        turns_per_context: 20,
    });
    // Hooks find a worker that does nothing: all is left to `flush`.
    let folder = large
        .plugin_data()
        .join("sessions")
        .join(large.session_id());
    std::fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    large.run()?;
    // A worker that waits to succeed that one would deliver in the place of `flush`.
    large.kill_workers();
    drop(lock);
    let rollout_bytes = large.rollout_bytes()?;
    let started = Instant::now();
    let mut flush = large
        .command(&["flush", "--timeout", "20m"])
        .env_remove("PLUGIN_DATA")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start flush")?;
    let (mut peak, mut own) = (0, 0);
    while flush.try_wait()?.is_none() {
        peak = peak_bytes(flush.id()).unwrap_or(0).max(peak);
        own = own_bytes(flush.id()).unwrap_or(0).max(own);
        std::thread::sleep(Duration::from_millis(10));
    }
    // It says a few lines at most, which the pipes hold until now.
    let output = flush.wait_with_output()?;
    if !output.status.success() {
        bail!("flush left something: {output:?}");
    }
    let took = started.elapsed();
    let items = match product {
        Product::LangSmith => collector.runs().all().len(),
        Product::Braintrust => collector.rows().all().len(),
    };
    ensure!(
        items >= 3 * turns as usize,
        "{items} items of {turns} turns"
    );
    let requests = collector.requests();
    Ok(MemoryReport {
        rollout_bytes,
        peak_bytes: peak,
        own_bytes: own,
        items,
        wire_bytes: requests.iter().map(|request| request.wire_bytes).sum(),
        took,
    })
}
