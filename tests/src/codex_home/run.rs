//! Running Codex without a terminal, timed.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use codex_tracing_codex_home::CodexVersion;
use tempfile::TempDir;

use super::CodexHome;

/// How long a call may take unless said otherwise.
const PATIENCE: Duration = Duration::from_mins(4);

/// What a finished process left behind.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said beside.
    pub stderr: String,
    /// From start to end.
    pub took: Duration,
}

/// A process of Codex that is still running.
#[derive(Debug)]
pub struct Running {
    child: Child,
    started: Instant,
    // Files instead of pipes: a process that outlives Codex must not keep the test waiting.
    capture: TempDir,
}

impl CodexHome {
    /// `codex exec <prompt>` to its end.
    pub fn exec(&self, prompt: &str, env: &[(&str, &str)]) -> anyhow::Result<Output> {
        self.exec_with(&[prompt], env)
    }

    /// `codex exec` with these arguments, sandbox and approvals off, hooks trusted.
    pub fn exec_with(&self, arguments: &[&str], env: &[(&str, &str)]) -> anyhow::Result<Output> {
        self.spawn_exec(arguments, env)?.wait(PATIENCE)
    }

    /// `codex exec resume <session> <prompt>`.
    pub fn exec_resume(
        &self,
        session: &str,
        prompt: &str,
        env: &[(&str, &str)],
    ) -> anyhow::Result<Output> {
        self.exec_with(&["resume", session, prompt], env)
    }

    /// As [`CodexHome::exec_with`], without waiting.
    pub fn spawn_exec(&self, arguments: &[&str], env: &[(&str, &str)]) -> anyhow::Result<Running> {
        let mut all = vec!["exec", "--dangerously-bypass-approvals-and-sandbox"];
        if self.cli().version() >= CodexVersion::minor(131) {
            all.push("--dangerously-bypass-hook-trust");
        }
        all.extend(arguments);
        self.spawn(&all, env)
    }

    /// `codex` with exactly these arguments, to its end.
    pub fn codex(&self, arguments: &[&str], env: &[(&str, &str)]) -> anyhow::Result<Output> {
        self.spawn(arguments, env)?.wait(PATIENCE)
    }

    /// `codex` with exactly these arguments.
    pub fn spawn(&self, arguments: &[&str], env: &[(&str, &str)]) -> anyhow::Result<Running> {
        let mut command = Command::new(self.cli().program());
        command.args(arguments);
        self.start(command, env)
    }

    /// Any program in the sandbox's environment, such as the plugin's binary.
    pub fn run(&self, command: Command, env: &[(&str, &str)]) -> anyhow::Result<Output> {
        self.run_within(PATIENCE, command, env)
    }

    /// The same for what takes longer, such as a build.
    pub fn run_within(
        &self,
        limit: Duration,
        command: Command,
        env: &[(&str, &str)],
    ) -> anyhow::Result<Output> {
        self.start(command, env)?.wait(limit)
    }

    fn start(&self, mut command: Command, env: &[(&str, &str)]) -> anyhow::Result<Running> {
        let capture = TempDir::new()?;
        let file = |name: &str| File::create(capture.path().join(name));
        command
            .current_dir(self.app())
            .env_clear()
            .envs(self.env().iter().cloned())
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(file("stdout")?)
            .stderr(file("stderr")?);
        let started = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Running {
            child,
            started,
            capture,
        })
    }
}

impl Running {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// What it has printed so far, on both streams.
    pub fn printed(&self) -> String {
        self.text("stdout") + &self.text("stderr")
    }

    /// Sends it a signal: `INT`, `TERM`, `KILL`, …, with or without `SIG`.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let name = name.trim_start_matches("SIG");
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.id().to_string()])
            .status()
            .context("cannot run kill")?;
        if !status.success() {
            bail!("kill -{name} {} failed", self.id());
        }
        Ok(())
    }

    /// Waits for its end; `limit` from now it is killed, and that is an error with what it printed.
    pub fn wait(mut self, limit: Duration) -> anyhow::Result<Output> {
        let until = Instant::now() + limit;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if Instant::now() >= until {
                self.child.kill()?;
                self.child.wait()?;
                let (stdout, stderr) = (self.text("stdout"), self.text("stderr"));
                bail!("killed after {limit:?}\n{stdout}\n{stderr}");
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let took = self.started.elapsed();
        Ok(Output {
            code: status.code(),
            stdout: self.text("stdout"),
            stderr: self.text("stderr"),
            took,
        })
    }

    fn text(&self, name: &str) -> String {
        let file: PathBuf = self.capture.path().join(name);
        let bytes = fs::read(file).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_ended() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
