//! `extra.metadata`: the contract `coding-agent-v1`, and what goes beyond it.

mod keys;
mod usage;

use codex_tracing_transcript::{TurnContext, TurnStatus, Usage};
use serde_json::{Map, Value, json};

use super::{Scene, git, subagent};

use keys::is_reserved;
use usage::{usage_metadata, usage_totals};

/// Longest JSON of one setting in the invocation parameters: what is longer is instructions.
const SETTING_BYTES: usize = 1024;

/// The part of the metadata that all runs of a turn share; worked out once.
pub(super) struct Stamp {
    base: Map<String, Value>,
    runtime: Option<Value>,
}

impl Stamp {
    /// For the turn of `scene`.
    pub(super) fn new(scene: &Scene<'_>) -> Self {
        let runtime = json!({
            "library": "codex-tracing",
            "sdk": "codex-tracing",
            "sdk_version": scene.version,
            "runtime": "rust",
        });
        Self {
            base: base(scene),
            runtime: scene.is_full().then_some(runtime),
        }
    }

    /// `extra.runtime`.
    pub(super) fn runtime(&self) -> Option<Value> {
        self.runtime.clone()
    }

    /// For the opening of a live turn.
    pub(super) fn opening(&self) -> Map<String, Value> {
        self.base.clone()
    }

    /// For the turn's own run: the settings in force, then everything of the contract.
    pub(super) fn turn(&self, scene: &Scene<'_>) -> Map<String, Value> {
        let view = &scene.view;
        let (turn, session) = (view.turn, view.session);
        let mut metadata = Map::new();
        if scene.is_full() {
            let settings = turn
                .context
                .raw
                .iter()
                .filter(|(name, _)| !is_reserved(name));
            metadata.extend(settings.map(|(name, value)| (name.clone(), value.clone())));
        }
        metadata.extend(self.base.clone());
        let mut set = |name: &str, value: Value| metadata.insert(name.to_owned(), value);
        if !scene.is_full() {
            set("status", json!(turn.status));
        }
        if let Some(version) = &session.cli_version {
            set("codex_cli_version", json!(version));
        }
        set("ls_message_format", json!("langchain"));
        if !turn.usage.is_zero() {
            set("ls_raw_aggregated_usage", usage_totals(&turn.usage));
        }
        if let Some(millis) = turn.time_to_first_token_ms {
            set("time_to_first_token_ms", json!(millis));
        }
        if matches!(turn.status, TurnStatus::Interrupted | TurnStatus::CutOff) {
            set("ls_is_error_interrupt", json!(true));
        }
        if view.lineage.is_empty() {
            if let Some(policy) = turn
                .context
                .approval_policy
                .as_ref()
                .filter(|_| scene.is_full())
            {
                set("approval_policy", json!(policy));
            }
        } else {
            set("ls_subagent_id", json!(session.thread_id));
            if let Some(kind) = subagent::kind(&session.origin, scene.is_full()) {
                set("ls_subagent_type", json!(kind));
            }
            let call = view
                .lineage
                .last()
                .and_then(|ancestor| ancestor.call_id.as_ref());
            if let Some(call) = call {
                set("spawned_by_tool_call_id", json!(call));
            }
        }
        metadata
    }

    /// For a model call or compaction: the only runs with `usage_metadata`, because LangSmith adds
    /// up what is below a run.
    pub(super) fn llm(
        &self,
        scene: &Scene<'_>,
        model: Option<&str>,
        usage: Option<&Usage>,
    ) -> Map<String, Value> {
        let mut metadata = self.model(scene, model);
        let mut set = |name: &str, value: Value| metadata.insert(name.to_owned(), value);
        set("ls_model_type", json!("chat"));
        set("ls_message_format", json!("langchain"));
        if scene.is_full() {
            let parameters = invocation_parameters(&scene.view.turn.context, model);
            set("ls_invocation_params", Value::Object(parameters));
        }
        if let Some(usage) = usage {
            set("usage_metadata", usage_metadata(usage));
        }
        metadata
    }

    /// For a tool call.
    pub(super) fn tool(&self, scene: &Scene<'_>, model: Option<&str>) -> Map<String, Value> {
        self.model(scene, model)
    }

    fn model(&self, scene: &Scene<'_>, model: Option<&str>) -> Map<String, Value> {
        let mut metadata = self.base.clone();
        let model = model.or(scene.view.turn.context.model.as_deref());
        let provider = scene.view.session.model_provider.as_deref();
        for (name, value) in [("ls_provider", provider), ("ls_model_name", model)] {
            if let Some(value) = value {
                metadata.insert(name.to_owned(), json!(value));
            }
        }
        metadata
    }
}

/// Custom metadata, then the keys that every run has; these win.
fn base(scene: &Scene<'_>) -> Map<String, Value> {
    let view = &scene.view;
    let mut base = Map::new();
    if scene.is_full() {
        let custom = scene.custom.iter().filter(|(name, _)| !is_reserved(name));
        base.extend(custom.map(|(name, value)| (name.clone(), value.clone())));
    }
    let agent = if view.lineage.is_empty() {
        "root"
    } else {
        "subagent"
    };
    let mut set = |name: &str, value: Value| base.insert(name.to_owned(), value);
    set("ls_agent_purpose", json!("coding"));
    set("ls_integration", json!("openai-codex"));
    set("ls_integration_version", json!(scene.version));
    set("ls_agent_runtime", json!("Codex"));
    set("ls_trace_schema_version", json!("coding-agent-v1"));
    set("ls_agent_type", json!(agent));
    // The root's thread on every run, at any depth: it is what joins turns to a LangSmith thread.
    set("thread_id", json!(view.root.thread_id));
    set("turn_id", json!(view.turn.id));
    set("turn_number", json!(view.turn.number));
    if let Some(version) = &view.session.cli_version {
        set("ls_agent_runtime_version", json!(version));
    }
    if scene.is_full() {
        workspace(scene, &mut base);
    } else {
        base.insert("ls_tracing_mode".to_owned(), json!("metadata"));
    }
    base
}

/// Directory, sandbox and repository.
fn workspace(scene: &Scene<'_>, base: &mut Map<String, Value>) {
    let view = &scene.view;
    let context = &view.turn.context;
    let mut set = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            base.insert(name.to_owned(), json!(value));
        }
    };
    set(
        "cwd",
        context.cwd.as_deref().or(view.session.cwd.as_deref()),
    );
    if !scene.custom.contains_key("sandbox_type") {
        set("sandbox_type", context.sandbox_policy.as_deref());
    }
    set("git_branch", view.git.branch.as_deref());
    set("git_commit_sha", view.git.commit.as_deref());
    let address = view.git.repository_url.as_deref();
    if let Some(repository) = address.and_then(|it| git::repository(it, scene.redactor)) {
        set("repository_url", Some(&repository.url));
        set("repository_provider", Some(repository.provider));
        set("repository_name", repository.name.as_deref());
    }
}

/// The settings in force with the call's own model; instructions are no parameters.
fn invocation_parameters(context: &TurnContext, model: Option<&str>) -> Map<String, Value> {
    let is_short = |value: &Value| value.to_string().len() <= SETTING_BYTES;
    let settings = context.raw.iter().filter(|(_, value)| is_short(value));
    let mut parameters: Map<_, _> = settings
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if let Some(model) = model {
        parameters.insert("model".to_owned(), json!(model));
    }
    parameters
}
