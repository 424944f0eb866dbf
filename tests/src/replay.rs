//! Feeding a recorded session to the hook binary, hook by hook, as Codex did when it was recorded.
//!
//! Before each hook the rollouts hold what they held then: the hook's own transcript is cut after the
//! recorded number of lines, any other after the last record older than the hook. Files only grow,
//! as Codex's do. After the last hook the rest is written.

mod enlarge;
mod recording;
mod workers;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use codex_tracing_codex_home::{CodexVersion, Plugin, install_by_hand};
use serde_json::Value;
use tempfile::TempDir;

use crate::codex_home::Output;
use crate::scenario::corpus;
use crate::stage::Product;
use crate::surroundings;
pub use enlarge::Enlarged;
use recording::{Hook, Recording};
pub use workers::Worker;
pub use workers::{own_bytes, peak_bytes};

/// Where the recordings were made.
const RECORDED_HOME: &str = "/home/dev";

/// A session being replayed in a home of its own, deleted when dropped.
#[derive(Debug)]
pub struct Replay {
    folder: Arc<TempDir>,
    home: PathBuf,
    plugin: Plugin,
    recording: Recording,
    next: usize,
    /// Lines written so far, by rollout.
    written: BTreeMap<PathBuf, usize>,
    env: Vec<(String, String)>,
    /// Shell commands in front of every hook.
    prelude: String,
}

/// One hook that ran.
#[derive(Debug, Clone)]
pub struct HookRun {
    /// The event.
    pub event: String,
    /// What the process did; a hook must exit 0 and print nothing.
    pub output: Output,
}

impl Replay {
    /// Prepares the session in `recording` for the plugin `name` of `bundle`: a fresh home with the
    /// plugin in Codex's cache, and no environment but `HOME`, `PATH` and `SHELL`.
    pub fn new(recording: &Path, bundle: &Path, name: &str) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("replay").tempdir()?;
        let home = folder.path().canonicalize()?;
        let plugin = Plugin::read(bundle, name)?;
        fs::create_dir_all(home.join("app"))?;
        fs::create_dir_all(home.join(".codex"))?;
        install_by_hand(&plugin, &home.join(".codex"), CodexVersion::minor(169))?;
        let home_text = home.display().to_string();
        let path = surroundings::variable("PATH").unwrap_or_default();
        let env = [
            ("HOME", home_text.as_str()),
            ("PATH", &path),
            ("SHELL", "/bin/sh"),
        ];
        Ok(Self {
            folder: Arc::new(folder),
            recording: Recording::read(recording, &home)?,
            home,
            plugin,
            next: 0,
            written: BTreeMap::new(),
            env: env.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec(),
            prelude: String::new(),
        })
    }

    /// Prepares the recorded `scenario` of `version` for `product`, switched on and sending to the
    /// collector at `url`. `bundles` is the folder of all bundles.
    pub fn recorded(
        version: &str,
        scenario: &str,
        product: Product,
        bundles: &Path,
        url: &str,
    ) -> anyhow::Result<Self> {
        let bundle = bundles.join(product.marketplace());
        let mut replay = Self::new(&corpus(version, scenario), &bundle, product.plugin())?;
        for (name, value) in product.settings(url) {
            replay.set_env(name, &value);
        }
        Ok(replay)
    }

    /// An enlarged copy of this session (which must have one thread and one turn) in the same home,
    /// from its beginning.
    #[must_use]
    pub fn enlarged(&self, how: Enlarged) -> Self {
        Self {
            folder: Arc::clone(&self.folder),
            home: self.home.clone(),
            plugin: self.plugin.clone(),
            recording: self.recording.enlarged(how),
            next: 0,
            written: BTreeMap::new(),
            env: self.env.clone(),
            prelude: self.prelude.clone(),
        }
    }

    /// Bytes written to the rollouts so far.
    pub fn rollout_bytes(&self) -> anyhow::Result<u64> {
        let sizes = self
            .written
            .keys()
            .map(|path| Ok(fs::metadata(path)?.len()));
        sizes.sum()
    }

    /// The id of the session.
    pub fn session_id(&self) -> &str {
        let first = self.recording.hooks.first();
        let id = first.and_then(|hook| hook.stdin.get("session_id")?.as_str());
        id.unwrap_or_default()
    }

    /// Sets a variable for everything that runs from now on.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.env.retain(|(set, _)| set != name);
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// Unsets a variable for everything that runs from now on.
    pub fn unset_env(&mut self, name: &str) {
        self.env.retain(|(set, _)| set != name);
    }

    /// From now on the shell that runs a hook runs these commands first (`ulimit …`).
    pub fn set_prelude(&mut self, commands: &str) {
        commands.clone_into(&mut self.prelude);
    }

    /// `HOME`.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Codex's home below it.
    pub fn codex_home(&self) -> PathBuf {
        self.home.join(".codex")
    }

    /// What hooks get as `PLUGIN_DATA`.
    pub fn plugin_data(&self) -> PathBuf {
        self.plugin.data(&self.codex_home())
    }

    /// The installed executable.
    pub fn binary(&self) -> PathBuf {
        let bin = self.plugin.cache(&self.codex_home()).join("bin");
        bin.join(format!("codex-tracing{}", std::env::consts::EXE_SUFFIX))
    }

    /// Runs every hook that is left, then writes what is left of the rollouts.
    pub fn run(&mut self) -> anyhow::Result<Vec<HookRun>> {
        let mut runs = Vec::new();
        while let Some(run) = self.step()? {
            runs.push(run);
        }
        self.finish()?;
        Ok(runs)
    }

    /// Runs the next hook that the plugin registers for; `None` after the last.
    pub fn step(&mut self) -> anyhow::Result<Option<HookRun>> {
        while let Some(hook) = self.recording.hooks.get(self.next).cloned() {
            self.next += 1;
            self.grow(Some(&hook))?;
            if let Some(command) = self.registered(&hook.event) {
                let output = self.hook(&command, &hook.stdin)?;
                let event = hook.event;
                return Ok(Some(HookRun { event, output }));
            }
        }
        Ok(None)
    }

    /// Writes what is left of the rollouts.
    pub fn finish(&mut self) -> anyhow::Result<()> {
        self.grow(None)
    }

    /// Runs the installed executable as a user would in a shell.
    pub fn call(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let mut command = Command::new(self.binary());
        command.args(arguments);
        self.run_command(command, b"")
    }

    /// The command registered for an event, as Codex would run it.
    fn registered(&self, event: &str) -> Option<String> {
        let groups = self.plugin.hooks.get("hooks")?.get(event)?;
        let handler = groups.get(0)?.get("hooks")?.get(0)?;
        let command = handler.get("command")?.as_str()?;
        let root = self.plugin.cache(&self.codex_home());
        Some(command.replace("${PLUGIN_ROOT}", &root.display().to_string()))
    }

    fn hook(&self, line: &str, stdin: &Value) -> anyhow::Result<Output> {
        let root = self.plugin.cache(&self.codex_home());
        let mut command = Command::new("/bin/sh");
        let line = match self.prelude.as_str() {
            "" => line.to_owned(),
            prelude => format!("{prelude}\n{line}"),
        };
        command
            .args(["-c", &line])
            .env("PLUGIN_ROOT", root)
            .env("PLUGIN_DATA", self.plugin_data());
        self.run_command(command, stdin.to_string().as_bytes())
    }

    /// The installed executable, with the environment, directory and plugin data that Codex gives a
    /// hook; standard streams are up to the caller.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.binary());
        command.args(arguments);
        command
            .env_clear()
            .envs(self.env.iter().cloned())
            .env("PLUGIN_DATA", self.plugin_data())
            .current_dir(self.home.join("app"));
        command
    }

    /// What the first hook named `event` gets on its stdin; null if there is none.
    pub fn first_input(&self, event: &str) -> Value {
        let mut hooks = self.recording.hooks.iter();
        let named = hooks.find(|hook| hook.event == event);
        named.map_or(Value::Null, |hook| hook.stdin.clone())
    }

    fn run_command(&self, mut command: Command, stdin: &[u8]) -> anyhow::Result<Output> {
        let given: Vec<_> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        let started = Instant::now();
        let mut child = command
            .env_clear()
            .envs(self.env.iter().cloned())
            .envs(given)
            .current_dir(self.home.join("app"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        if let Some(mut pipe) = child.stdin.take() {
            // A hook may exit without reading.
            let _ = pipe.write_all(stdin);
        }
        let output = child.wait_with_output()?;
        let took = started.elapsed();
        Ok(Output {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took,
        })
    }

    /// Appends to the rollouts what they held when `hook` ran, or everything.
    fn grow(&mut self, hook: Option<&Hook>) -> anyhow::Result<()> {
        for rollout in &self.recording.rollouts {
            let reached = match hook {
                None => rollout.lines.len(),
                Some(hook) if hook.transcript.as_deref() == Some(&rollout.path) => hook.lines,
                Some(hook) => rollout.lines_before(hook.at),
            };
            let written = self.written.entry(rollout.path.clone()).or_default();
            let Some(fresh) = rollout
                .lines
                .get(*written..reached.min(rollout.lines.len()))
            else {
                continue;
            };
            if fresh.is_empty() {
                continue;
            }
            if let Some(folder) = rollout.path.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(&rollout.path)?;
            file.write_all(fresh.concat().as_bytes())?;
            *written += fresh.len();
        }
        Ok(())
    }
}

/// The longest of the hooks, and the median.
pub fn longest_and_median(runs: &[HookRun]) -> (Duration, Duration) {
    let mut times: Vec<_> = runs.iter().map(|run| run.output.took).collect();
    times.sort_unstable();
    let longest = times.last().copied().unwrap_or_default();
    (
        longest,
        times.get(times.len() / 2).copied().unwrap_or_default(),
    )
}
