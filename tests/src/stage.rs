//! The whole stage for an end-to-end test: the real Codex with our built bundle installed, a
//! scripted model, and a recording collector.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use codex_tracing_codex_home::Plugin;
use serde_json::Value;

use crate::bundles::bundles;
use crate::codex::CodexCli;
use crate::codex_home::{CodexHome, Output};
use crate::collector::Collector;
use crate::model_server::ModelServer;
use crate::scenario::Scenario;

/// How long a trace may take to arrive before a test fails: generous, for a loaded machine, on which
/// workers step back behind everything else.
pub const PATIENCE: Duration = Duration::from_mins(4);

/// One of our products as it is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// `tracing@langsmith-codex-plugins`
    LangSmith,
    /// `trace-codex@braintrust-codex-plugins`
    Braintrust,
}

/// Everything an end-to-end test needs.
#[derive(Debug)]
pub struct Stage {
    /// Where Codex lives.
    pub home: CodexHome,
    /// What it asks.
    pub model: ModelServer,
    /// What it runs.
    pub scenario: Scenario,
    /// Where traces arrive.
    pub collector: Collector,
    /// The plugins installed.
    pub plugins: Vec<Plugin>,
}

impl Product {
    /// Name of its marketplace, and of its bundle's folder.
    pub fn marketplace(self) -> &'static str {
        match self {
            Self::LangSmith => "langsmith-codex-plugins",
            Self::Braintrust => "braintrust-codex-plugins",
        }
    }

    /// Name of its plugin.
    pub fn plugin(self) -> &'static str {
        match self {
            Self::LangSmith => "tracing",
            Self::Braintrust => "trace-codex",
        }
    }

    /// The variables that make it trace to a collector at `url`.
    pub fn settings(self, url: &str) -> Vec<(&'static str, String)> {
        let settings: &[(&str, &str)] = match self {
            Self::LangSmith => &[
                ("TRACE_TO_LANGSMITH", "true"),
                (
                    "LANGSMITH_API_KEY",
                    "lsv2_pt_0123456789abcdef0123456789abcdef",
                ),
                ("LANGSMITH_ENDPOINT", url),
            ],
            Self::Braintrust => &[
                ("TRACE_TO_BRAINTRUST", "true"),
                ("BRAINTRUST_API_KEY", "sk-0123456789abcdef"),
                ("BRAINTRUST_API_URL", url),
                ("BRAINTRUST_APP_URL", url),
            ],
        };
        let pairs = settings.iter();
        pairs
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect()
    }
}

impl Stage {
    /// Codex `version` running a script, with `products` installed. `None`, counted as a skip, if
    /// this Codex or the bundles cannot be had here.
    pub fn set(
        version: &str,
        scenario: Scenario,
        products: &[Product],
    ) -> anyhow::Result<Option<Self>> {
        let Some(cli) = CodexCli::get(version)? else {
            return Ok(None);
        };
        let bundles = bundles()?;
        let model = ModelServer::start(&scenario.script())?;
        let collector = Collector::start()?;
        let mut home = CodexHome::new(&cli, &model, &scenario)?;
        let mut plugins = Vec::new();
        for product in products {
            let bundle = bundles.join(product.marketplace());
            plugins.push(home.install_bundle(&bundle, product.plugin())?);
        }
        for product in products {
            for (name, value) in product.settings(&collector.url()) {
                home.set_env(name, &value);
            }
        }
        Ok(Some(Self {
            home,
            model,
            scenario,
            collector,
            plugins,
        }))
    }

    /// As [`Stage::set`] with a recorded scenario.
    pub fn recorded(
        version: &str,
        name: &str,
        products: &[Product],
    ) -> anyhow::Result<Option<Self>> {
        let scenario = Scenario::recorded(version, name)?;
        Self::set(version, scenario, products)
    }

    /// Runs every step of the scenario.
    pub fn run(&self) -> anyhow::Result<Vec<Output>> {
        self.home.run_scenario(&self.scenario, &self.model, &[])
    }

    /// The binary within the installed plugin.
    pub fn binary(&self) -> anyhow::Result<PathBuf> {
        let plugin = self.plugins.first().context("no plugin is installed")?;
        let binary = plugin
            .cache(&self.home.codex_home())
            .join("bin")
            .join("codex-tracing");
        anyhow::ensure!(binary.is_file(), "{} is not there", binary.display());
        Ok(binary)
    }

    /// `codex-tracing` with these arguments, as a user would run it.
    pub fn tool(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let mut command = Command::new(self.binary()?);
        command.args(arguments);
        self.home.run(command, &[])
    }

    /// `codex-tracing flush`; its words if it left something.
    pub fn flush(&self) -> anyhow::Result<()> {
        let output = self.tool(&["flush", "--timeout", "200s"])?;
        anyhow::ensure!(
            output.code == Some(0),
            "flush left something:\n{}{}",
            output.stdout,
            output.stderr
        );
        Ok(())
    }

    /// Waits until the collector has what `enough` asks for; fails with what it has instead and
    /// with our log.
    pub fn wait_for(&self, what: &str, enough: impl Fn(&Collector) -> bool) {
        if self.collector.wait_until(PATIENCE, enough) {
            return;
        }
        let runs = self.collector.runs();
        let runs: Vec<_> = runs
            .all()
            .iter()
            .map(|run| (run.name(), run.run_type()))
            .collect();
        let rows = self.collector.rows();
        let rows: Vec<_> = rows.all().iter().map(crate::Row::name).collect();
        panic!(
            "{what} did not arrive; runs {runs:?}; rows {rows:?}\n{}",
            self.logs()
        );
    }

    /// Waits until no worker is left.
    pub fn wait_for_workers_to_leave(&self) {
        let until = Instant::now() + PATIENCE;
        loop {
            if self.has_workers() == Some(false) {
                return;
            }
            assert!(Instant::now() < until, "a worker stays\n{}", self.logs());
            // Each look costs the workers time.
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// Whether `status` tells of a worker; `None` if it tells nothing.
    fn has_workers(&self) -> Option<bool> {
        let output = self.tool(&["status", "--json"]).ok()?;
        let products: Value = serde_json::from_str(&output.stdout).ok()?;
        let mut has_workers = false;
        for product in products.as_array()? {
            for session in product["sessions"].as_array()? {
                has_workers |= session["worker"].as_bool()?;
            }
        }
        Some(has_workers)
    }

    /// Our log files, for messages of failed tests.
    pub fn logs(&self) -> String {
        walkdir::WalkDir::new(self.home.codex_home())
            .into_iter()
            .filter_map(Result::ok)
            .filter(|entry| entry.file_name() == "codex-tracing.log")
            .map(|entry| std::fs::read_to_string(entry.path()).unwrap_or_default())
            .collect()
    }

    /// Every file below the home that is ours: state, logs, caches of servers' answers.
    pub fn own_files(&self) -> Vec<PathBuf> {
        let home = self.home.codex_home();
        [
            home.join("plugins").join("data"),
            home.join("codex-tracing"),
        ]
        .iter()
        .flat_map(walkdir::WalkDir::new)
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
    }

    /// The sum of the totals that Codex itself reports at the end of each rollout.
    pub fn tokens_of_codex(&self) -> u64 {
        self.home
            .rollouts()
            .iter()
            .filter_map(|rollout| last_total(rollout))
            .sum()
    }
}

fn last_total(rollout: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(rollout).ok()?;
    text.lines().rev().find_map(|line| {
        let record: Value = serde_json::from_str(line).ok()?;
        record
            .pointer("/payload/info/total_token_usage/total_tokens")?
            .as_u64()
    })
}
