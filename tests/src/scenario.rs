//! Scenarios: what a session does and what the model answers, as kept beside each recorded session
//! in `tests/corpus/<version>/<name>/scenario.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use codex_tracing_codex_home::CodexVersion;
use serde::Deserialize;
use serde_json::Value;

use crate::surroundings;

/// Times in recorded scripts, and what they are for tests: how long agents are waited for, how long
/// a process is seen at first and then on, and how long it runs.
const RECORDED_TIMES: [(&str, &str); 7] = [
    (r#""timeout_ms":20000"#, r#""timeout_ms":120000"#),
    (r#""yield_time_ms":300}"#, r#""yield_time_ms":2000}"#),
    (r#"\"yield_time_ms\":2000"#, r#"\"yield_time_ms\":30000"#),
    (
        "echo begun; sleep 1; echo ended",
        "echo begun; sleep 5; echo ended",
    ),
    (
        r#"{\"yield_time_ms\": 500}"#,
        r#"{\"yield_time_ms\": 2000}"#,
    ),
    (r#""yield_time_ms":5000"#, r#""yield_time_ms":30000"#),
    ("sleep 1.2; echo late", "sleep 5; echo late"),
];

/// One scenario.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Scenario {
    /// One sentence.
    pub about: String,
    /// Extra lines at the top level of config.toml.
    pub config: Vec<String>,
    /// Extra tables of config.toml, line by line.
    pub tables: Vec<String>,
    /// Lines of the `[features]` table.
    pub features: Vec<String>,
    /// Files put into the working directory; a text `base64:…` is decoded.
    pub files: BTreeMap<String, String>,
    /// A model of Codex's catalog; by default one that every supported version knows.
    pub model_name: Option<String>,
    /// Codex's `request_max_retries`; 1 by default.
    pub request_max_retries: Option<u32>,
    /// Codex's `stream_max_retries`; 1 by default.
    pub stream_max_retries: Option<u32>,
    /// Whether an MCP server `notes` (tools `add_note`, `fail`, `slow`) is configured.
    pub mcp: bool,
    /// The steps, run one after another.
    pub run: Vec<Step>,
    /// The model's script; see [`crate::ModelServer`].
    pub model: Vec<Value>,
    /// Names for the model's script.
    pub vars: Value,
}

/// One process of Codex. Exactly one of `exec`, `resume`, `args`, `tui` is given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Step {
    /// `codex exec` with these arguments.
    pub exec: Option<Vec<String>>,
    /// `codex exec resume <first session>` with these arguments.
    pub resume: Option<Vec<String>>,
    /// Any arguments; `{SESSION}` stands for the first session's id.
    pub args: Option<Vec<String>>,
    /// Keystrokes for the terminal interface.
    pub tui: Option<Vec<Keys>>,
    /// Send a signal some time after this many requests to the model were made by this step.
    pub sigint_after: Option<usize>,
    /// And after a rollout holds this text.
    pub until: Option<String>,
    /// How long after, in seconds; 1 by default.
    pub delay: Option<f64>,
    /// The signal's name; `SIGINT` by default.
    pub signal: Option<String>,
    /// When to give up, in seconds; 240 by default.
    pub timeout: Option<f64>,
}

/// Input to the terminal interface.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Keys {
    /// Typed and entered.
    pub text: Option<String>,
    /// One key by tmux's name for it.
    pub key: Option<String>,
    /// Seconds to wait afterwards; 2 by default.
    pub wait: Option<f64>,
    /// Wait until the screen shows this instead.
    pub until: Option<String>,
    /// Then wait until the turn has ended: as long as it runs, Codex takes what is typed for a part
    /// of it.
    pub ended: bool,
}

impl Scenario {
    /// A scenario with nothing but a model's script; the caller runs Codex.
    pub fn answering(model: Value) -> Self {
        let model = match model {
            Value::Array(entries) => entries,
            entry => vec![entry],
        };
        Self {
            model,
            ..Self::default()
        }
    }

    /// Reads a `scenario.json`.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is broken", file.display()))
    }

    /// The scenario `name` as recorded on this version of Codex, or on the newest version before it
    /// that has a recording.
    pub fn recorded(version: &str, name: &str) -> anyhow::Result<Self> {
        let wanted: CodexVersion = version.parse()?;
        let all = std::fs::read_dir(surroundings::repository().join("tests/corpus"))?;
        let best = all
            .flatten()
            .filter_map(|entry| {
                let recorded: CodexVersion = entry.file_name().to_str()?.parse().ok()?;
                let file = entry.path().join(name).join("scenario.json");
                (recorded <= wanted && file.is_file()).then_some((recorded, file))
            })
            .max_by_key(|(recorded, _)| *recorded);
        let (_, file) = best.with_context(|| format!("{name} was not recorded by {version}"))?;
        Self::read(&file)?.with_namespaces_as_offered().with_time()
    }

    /// The same with time for busy machines, where a process or an agent is slower to begin than
    /// the recorded times allow.
    fn with_time(mut self) -> anyhow::Result<Self> {
        let text = serde_json::to_string(&self.model)?;
        let text = RECORDED_TIMES
            .iter()
            .fold(text, |text, (recorded, longer)| {
                text.replace(recorded, longer)
            });
        self.model = serde_json::from_str(&text)?;
        Ok(self)
    }

    /// The same with the namespaces of MCP servers as each version spells them, so that every one
    /// offers the tools that the script calls.
    fn with_namespaces_as_offered(mut self) -> Self {
        for entry in &mut self.model {
            offer(entry);
        }
        self
    }

    /// The script for [`crate::ModelServer::start`].
    pub fn script(&self) -> Value {
        serde_json::json!({"model": self.model, "vars": self.vars})
    }
}

/// Marks each namespace `?mcp__…` as to be spelt like the request's.
fn offer(value: &mut Value) {
    match value {
        Value::String(text) if text.starts_with("?mcp__") && !text.ends_with('*') => text.push('*'),
        Value::Array(all) => all.iter_mut().for_each(offer),
        Value::Object(all) => all.values_mut().for_each(offer),
        _ => {}
    }
}

/// The folder of a recorded session.
pub fn corpus(version: &str, scenario: &str) -> PathBuf {
    let corpus = surroundings::repository().join("tests").join("corpus");
    corpus.join(version).join(scenario)
}

#[cfg(test)]
mod tests {
    use super::{RECORDED_TIMES, Scenario, corpus};

    #[test]
    fn every_time_that_is_made_longer_stands_in_a_recorded_script() {
        let scenarios = walkdir::WalkDir::new(corpus("", ""));
        let scenarios = scenarios.into_iter().map(Result::unwrap);
        let scripts: Vec<String> = scenarios
            .filter(|entry| entry.file_name() == "scenario.json")
            .map(|entry| Scenario::read(entry.path()).unwrap())
            .map(|scenario| serde_json::to_string(&scenario.model).unwrap())
            .collect();
        for (recorded, longer) in RECORDED_TIMES {
            let stands = scripts.iter().any(|script| script.contains(recorded));
            assert!(stands, "{recorded}, to become {longer}");
        }
    }
}
