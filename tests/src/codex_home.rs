//! A sandbox to run the real Codex in: a fresh home, a git repository, a provider that points at a
//! [`ModelServer`], and our plugins installed as a user would.
//!
//! Codex sees nothing of this process's environment but `PATH`.

mod files;
mod install;
mod run;
mod steps;
mod tui;

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::codex::CodexCli;
use crate::model_server::ModelServer;
use crate::scenario::Scenario;
use crate::surroundings;
pub use run::{Output, Running};
pub use tui::ENDED;

/// The sandbox; deleted when dropped.
#[derive(Debug)]
pub struct CodexHome {
    /// Keeps the folder alive.
    _folder: TempDir,
    home: PathBuf,
    cli: CodexCli,
    env: Vec<(String, String)>,
}

impl CodexHome {
    /// A sandbox for `cli` whose model is `model`, with the files and settings of `scenario`.
    pub fn new(cli: &CodexCli, model: &ModelServer, scenario: &Scenario) -> anyhow::Result<Self> {
        Self::named("dev", cli, model, scenario)
    }

    /// As [`CodexHome::new`], in a home folder of this name: for paths with spaces and the like.
    pub fn named(
        name: &str,
        cli: &CodexCli,
        model: &ModelServer,
        scenario: &Scenario,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("codex-home").tempdir()?;
        let home = folder.path().canonicalize()?.join(name);
        let env = environment(&home);
        let sandbox = Self {
            _folder: folder,
            home,
            cli: cli.clone(),
            env,
        };
        files::repository(&sandbox.app(), &sandbox.env, scenario)?;
        files::codex_home(&sandbox, &model.base_url(), scenario)?;
        Ok(sandbox)
    }

    /// `HOME`.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// `CODEX_HOME`.
    pub fn codex_home(&self) -> PathBuf {
        self.home.join(".codex")
    }

    /// The git repository that Codex works in.
    pub fn app(&self) -> PathBuf {
        self.home.join("app")
    }

    /// The CLI it was made for.
    pub fn cli(&self) -> &CodexCli {
        &self.cli
    }

    /// The environment Codex gets, without what single calls add.
    pub fn env(&self) -> &[(String, String)] {
        &self.env
    }

    /// Sets a variable for all further calls.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.env.retain(|(set, _)| set != name);
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// Takes a variable away from all further calls.
    pub fn unset_env(&mut self, name: &str) {
        self.env.retain(|(set, _)| set != name);
    }

    /// Every rollout, archived ones included, by path.
    pub fn rollouts(&self) -> Vec<PathBuf> {
        walkdir::WalkDir::new(self.codex_home())
            .sort_by_file_name()
            .into_iter()
            .filter_map(Result::ok)
            .filter(|entry| {
                let name = entry.file_name().to_string_lossy();
                name.starts_with("rollout-") && entry.file_type().is_file()
            })
            .map(walkdir::DirEntry::into_path)
            .collect()
    }

    /// The id of the first session that is not a subagent's; `None` before the first run.
    pub fn first_session(&self) -> Option<String> {
        let metas = self.rollouts().into_iter().filter_map(|file| {
            let records = records(&file);
            let meta = records.first()?.get("payload")?;
            let started = meta.get("timestamp")?.as_str()?.to_owned();
            let id = meta.get("id")?.as_str()?.to_owned();
            Some((!is_top(meta), started, id))
        });
        metas.min().map(|(_, _, id)| id)
    }

    /// Whether a session that is not a subagent's has recorded the begin of a turn and not its end.
    pub fn has_running_turn(&self) -> bool {
        self.rollouts().iter().any(|file| {
            let records = records(file);
            let event =
                |record: &Value| Some(record.pointer("/payload/type")?.as_str()?.to_owned());
            let last = records.iter().rev().filter_map(event);
            let last = last.map(|kind| match kind.as_str() {
                "task_started" | "turn_started" => Some(true),
                "task_complete" | "turn_complete" | "turn_aborted" => Some(false),
                _ => None,
            });
            let meta = records.first().and_then(|record| record.get("payload"));
            meta.is_some_and(is_top) && last.flatten().next() == Some(true)
        })
    }
}

/// The whole lines of a rollout.
fn records(rollout: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(rollout).unwrap_or_default();
    let lines = text.lines().map(serde_json::from_str);
    lines.filter_map(Result::ok).collect()
}

/// Whether a session with this `session_meta` is not a subagent's.
fn is_top(meta: &Value) -> bool {
    meta.get("source").is_some_and(Value::is_string)
}

fn environment(home: &Path) -> Vec<(String, String)> {
    let home_text = home.display().to_string();
    let codex_home = home.join(".codex").display().to_string();
    let path = surroundings::variable("PATH").unwrap_or_default();
    [
        ("HOME", home_text.as_str()),
        ("CODEX_HOME", &codex_home),
        ("PATH", &path),
        ("SHELL", "/bin/bash"),
        ("USER", "dev"),
        ("LANG", "C.UTF-8"),
        ("TZ", "Etc/UTC"),
        ("FAKE_KEY", "x"),
        ("TERM", "xterm-256color"),
        ("GIT_AUTHOR_NAME", "Dev"),
        ("GIT_AUTHOR_EMAIL", "dev@example.com"),
        ("GIT_COMMITTER_NAME", "Dev"),
        ("GIT_COMMITTER_EMAIL", "dev@example.com"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}
