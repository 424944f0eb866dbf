//! What a hook costs the user: wall time of the process as Codex starts it, against `/bin/true`
//! started the same way in the same round, so that what else the machine does weighs on both.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use codex_tracing_tests::{Collector, Fault, program};
use serde_json::json;
use tempfile::TempDir;

use super::measured::Measured;
use super::median;
use crate::dist::Dist;

/// Size of the large rollout; Codex's longest sessions are of this order.
const LARGE: u64 = 200 * 1024 * 1024;

/// Pause before each run, in which processes of the run before come to their end.
const SETTLE: Duration = Duration::from_millis(10);

/// A way to start the hook.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    /// The most it may cost, as a ratio.
    limit: Option<f64>,
    event: &'static str,
    enabled: bool,
    live_worker: bool,
    large: bool,
}

const CASES: [Case; 5] = [
    Case {
        name: "tracing off",
        limit: Some(1.6),
        event: "UserPromptSubmit",
        enabled: false,
        live_worker: false,
        large: false,
    },
    Case {
        name: "`UserPromptSubmit`, worker alive",
        limit: Some(2.2),
        event: "UserPromptSubmit",
        enabled: true,
        live_worker: true,
        large: false,
    },
    Case {
        name: "`Stop` that starts a worker",
        limit: Some(3.0),
        event: "Stop",
        enabled: true,
        live_worker: false,
        large: false,
    },
    Case {
        name: "`UserPromptSubmit`, worker alive, rollout of 200 MB",
        limit: Some(2.2),
        event: "UserPromptSubmit",
        enabled: true,
        live_worker: true,
        large: true,
    },
    Case {
        name: "`Stop` that starts a worker, rollout of 200 MB",
        limit: Some(3.0),
        event: "Stop",
        enabled: true,
        live_worker: false,
        large: true,
    },
];

struct Bench {
    folder: TempDir,
    binary: PathBuf,
    collector: Collector,
}

/// Runs every case `runs` times, in turn, and gives the table. The endpoint accepts and never
/// answers, which the hook must not notice.
pub(super) fn measure(runs: usize, bin: Option<&Path>) -> anyhow::Result<Measured> {
    let bench = Bench::new(bin)?;
    let base = Case {
        name: "`/bin/true`",
        limit: None,
        ..CASES[0]
    };
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); CASES.len() + 1];
    for round in 0..=runs {
        let mut took = vec![Duration::ZERO; times.len()];
        for place in 0..took.len() {
            // Each round begins elsewhere: what a case leaves behind for the next one (cold caches, a
            // process that is just ending) falls on all alike.
            let index = (place + round) % took.len();
            std::thread::sleep(SETTLE);
            let time = match index.checked_sub(1).and_then(|case| CASES.get(case)) {
                Some(case) => bench.hook(*case, round)?,
                None => bench.time(Command::new("/bin/true"), base, round)?,
            };
            if let Some(slot) = took.get_mut(index) {
                *slot = time;
            }
        }
        // The first round only warms the caches.
        if round > 0 {
            for (all, took) in times.iter_mut().zip(took) {
                all.push(took);
            }
        }
    }
    let medians: Vec<f64> = times.iter_mut().map(|all| median(all)).collect();
    bench.table(runs, &medians)
}

impl Bench {
    fn new(bin: Option<&Path>) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("bench").tempdir()?;
        let bundles = Dist {
            out: folder.path().join("dist"),
            binaries: bin.iter().map(|bin| bin.display().to_string()).collect(),
            folders_only: true,
            ..Dist::default()
        }
        .write()?;
        let binary = bundles.join("langsmith-codex-plugins/plugins/tracing/bin/codex-tracing");
        let collector = Collector::start()?;
        collector.inject("/", Fault::Hang);
        let home = folder.path().join("home");
        fs::create_dir_all(home.join("app"))?;
        fs::copy(super::rollout("failing-tool")?, home.join("small.jsonl"))?;
        let large = File::create(home.join("large.jsonl"))?;
        large.set_len(LARGE)?;
        Ok(Self {
            folder,
            binary,
            collector,
        })
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn data(&self) -> PathBuf {
        self.home()
            .join(".codex/plugins/data/tracing-langsmith-codex-plugins")
    }

    /// One timed run of the hook for a session of its own.
    fn hook(&self, case: Case, round: usize) -> anyhow::Result<Duration> {
        let mut command = Command::new(&self.binary);
        command.args(["hook", "langsmith"]);
        let held = if case.live_worker {
            let session = self.data().join("sessions").join(session(case, round));
            fs::create_dir_all(&session)?;
            let lock = File::create(session.join("lock"))?;
            lock.lock()?;
            Some(lock)
        } else {
            None
        };
        let took = self.time(command, case, round)?;
        drop(held);
        if case.enabled && !case.live_worker {
            end_worker(&session(case, round));
        }
        Ok(took)
    }

    fn time(&self, mut command: Command, case: Case, round: usize) -> anyhow::Result<Duration> {
        let home = self.home();
        let rollout = home.join(if case.large {
            "large.jsonl"
        } else {
            "small.jsonl"
        });
        let stdin = json!({
            "session_id": session(case, round), "turn_id": "01a1f885-6bfd-7880-b251-ae5a00c6f4a1",
            "transcript_path": rollout, "cwd": home.join("app"), "hook_event_name": case.event,
            "model": "gpt-5.5", "permission_mode": "default", "prompt": "Try things that fail.",
        })
        .to_string();
        command
            .env_clear()
            .env("HOME", &home)
            .env("PATH", "/usr/bin:/bin")
            .env("PLUGIN_DATA", self.data())
            .env(
                "TRACE_TO_LANGSMITH",
                if case.enabled { "true" } else { "false" },
            )
            .env("LANGSMITH_CODEX_API_KEY", "bench-key")
            .env("LANGSMITH_CODEX_ENDPOINT", self.collector.url())
            .current_dir(home.join("app"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().context("cannot start what is measured")?;
        if let Some(mut pipe) = child.stdin.take() {
            let _ = pipe.write_all(stdin.as_bytes());
        }
        // Reading to the end of both pipes, as Codex does: a child that keeps one open shows here.
        let output = child.wait_with_output()?;
        let took = started.elapsed();
        if !output.status.success() || !output.stdout.is_empty() || !output.stderr.is_empty() {
            bail!("{} was not silent and successful: {output:?}", case.name);
        }
        Ok(took)
    }

    fn table(&self, runs: usize, medians: &[f64]) -> anyhow::Result<Measured> {
        let mut measured = Measured::default();
        let base = medians.first().copied().unwrap_or(f64::NAN);
        let mut out = format!(
            "Medians of {runs} runs; the endpoint accepts connections and never answers.\n\n\
             | | ms | ratio to `/bin/true` | limit |\n|---|---|---|---|\n\
             | `/bin/true` | {base:.2} | 1.00 | |\n"
        );
        for (case, median) in CASES.iter().zip(medians.iter().skip(1)) {
            let limit = case
                .limit
                .map_or_else(String::new, |limit| format!("{limit:.1}"));
            let ratio = median / base;
            if let Some(limit) = case.limit {
                measured.at_most(case.name, ratio, limit);
            }
            writeln!(
                out,
                "| {} | {median:.2} | {ratio:.2} | {limit} |",
                case.name
            )?;
        }
        let megabytes = fs::metadata(&self.binary)?.len() as f64 / 1e6;
        measured.at_most("executable in MB", megabytes, 10.0);
        write!(out, "\nExecutable: {megabytes:.1} MB (limit 10).")?;
        if let Some(kilobytes) = self.peak_memory()? {
            let megabytes = f64::from(kilobytes) / 1024.0;
            measured.at_most("peak memory in MB", megabytes, 6.0);
            write!(
                out,
                " Peak resident memory of the hook: {megabytes:.1} MB (limit 6)."
            )?;
        }
        measured.text = out;
        Ok(measured)
    }

    /// Kilobytes, where the `time` program is there to tell.
    fn peak_memory(&self) -> anyhow::Result<Option<u32>> {
        // Other systems' `time` has no format to ask for.
        let Some(time) = program("time").filter(|_| cfg!(target_os = "linux")) else {
            return Ok(None);
        };
        let told = self.folder.path().join("memory");
        let mut command = Command::new(time);
        command
            .arg("-f")
            .arg("%M")
            .arg("-o")
            .arg(&told)
            .arg(&self.binary);
        command.args(["hook", "langsmith"]);
        let case = CASES[4];
        self.time(command, case, usize::MAX)?;
        end_worker(&session(case, usize::MAX));
        Ok(fs::read_to_string(told)?.trim().parse().ok())
    }
}

/// A session id per case and round: no run finds the state of another.
fn session(case: Case, round: usize) -> String {
    let case = case
        .name
        .bytes()
        .fold(0_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte));
    format!("{case:08x}-0000-7000-8000-{:012x}", round & 0xffff_ffff)
}

/// Ends the worker that a run has started: two hundred of them would be measured otherwise.
fn end_worker(session: &str) {
    let pattern = format!("worker.*{session}");
    let listed = Command::new("pgrep").args(["-f", &pattern]).output();
    let listed = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    for process in listed.unwrap_or_default().lines() {
        let _ = Command::new("kill").args(["-KILL", process]).status();
    }
}
