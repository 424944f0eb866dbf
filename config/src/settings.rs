//! Effective settings, as the rest of the program uses them.

mod debug;

use std::path::PathBuf;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What both products have.
#[derive(Clone)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Common {
    /// Whether tracing is on.
    pub enabled: bool,
    /// Custom metadata, merged over the layers key by key.
    pub metadata: Map<String, Value>,
    /// Whether secrets are redacted. Default true.
    pub redact: bool,
    /// Extra redaction rules.
    pub redact_extra_rules: Vec<RedactRule>,
    /// Whether `Stop` waits (bounded) until the turn is delivered.
    pub flush_on_turn_end: bool,
    /// Longest single text in bytes; longer ones are cut in the middle. `None`: no limit.
    pub max_field_bytes: Option<usize>,
    /// What happens to images.
    pub images: ImagePolicy,
    /// Whether new threads start muted (metadata only).
    pub default_muted: bool,
    /// Whether spans appear while the turn runs. Default: LangSmith false, Braintrust true.
    pub live: bool,
}

/// One extra redaction rule, unchecked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RedactRule {
    /// Regular expression.
    pub pattern: String,
    /// Replacement.
    pub replace: Option<String>,
}

/// What happens to images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ImagePolicy {
    /// Sent as recorded.
    #[default]
    Keep,
    /// Replaced by type, size and hash.
    Reference,
    /// Left out.
    Omit,
}

/// Effective settings of the LangSmith product.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LangSmithSettings {
    /// What both products have.
    pub common: Common,
    /// API key.
    pub api_key: Option<SecretString>,
    /// API URL, without trailing slash. Default `https://api.smith.langchain.com`.
    pub api_url: String,
    /// Project name. Default `codex`.
    pub project: String,
    /// Workspace id (`x-tenant-id`).
    pub workspace_id: Option<String>,
    /// Replica destinations; with one or more the primary gets nothing.
    pub replicas: Vec<Replica>,
    /// A caller's run to nest under.
    pub parent_headers: Option<ParentHeaders>,
}

/// One replica destination, its fall-backs already applied.
#[derive(Clone)]
#[non_exhaustive]
pub struct Replica {
    /// API URL, without trailing slash.
    pub api_url: String,
    /// API key; `None` if neither the replica nor the (equally trusted) settings have one.
    pub api_key: Option<SecretString>,
    /// Project name; `None` means the settings' project.
    pub project: Option<String>,
    /// Workspace id.
    pub workspace_id: Option<String>,
    /// Whether ids are kept although the project differs.
    pub primary: Option<bool>,
    /// Run fields to deep-merge into each run.
    pub updates: Map<String, Value>,
}

impl Replica {
    /// A replica at `api_url` without a key of its own.
    pub fn new(api_url: impl Into<String>) -> Self {
        Self {
            api_url: api_url.into(),
            api_key: None,
            project: None,
            workspace_id: None,
            primary: None,
            updates: Map::new(),
        }
    }
}

/// Distributed-tracing headers of a caller.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ParentHeaders {
    /// `langsmith-trace`: the caller's dotted order.
    #[serde(rename = "langsmith-trace")]
    pub langsmith_trace: String,
    /// `baggage`, as given.
    pub baggage: Option<String>,
}

/// Effective settings of the Braintrust product.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BraintrustSettings {
    /// What both products have; `metadata` is `additionalMetadata`.
    pub common: Common,
    /// API key.
    pub api_key: Option<SecretString>,
    /// Data plane URL, if configured; else it is learned by login.
    pub api_url: Option<String>,
    /// Control plane URL. Default `https://www.braintrust.dev`.
    pub app_url: String,
    /// Project name. Default `codex`.
    pub project: String,
    /// Organisation name, for keys of several organisations.
    pub org_name: Option<String>,
    /// Span to hang the session under.
    pub parent_span_id: Option<String>,
    /// Trace to join.
    pub root_span_id: Option<String>,
    /// Where to record hook events.
    pub record_file: Option<PathBuf>,
    /// What kind of machine this is (`span_origin.environment`).
    pub environment: Option<SpanEnvironment>,
    /// Whether `api_url` or `app_url` was set by a project file.
    pub endpoints_from_project: bool,
}

/// What kind of machine a span comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpanEnvironment {
    /// `ci`, `server` or `local`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Such as `github_actions`.
    pub name: Option<String>,
}

impl ParentHeaders {
    /// Headers as a caller sent them.
    pub fn new(langsmith_trace: impl Into<String>, baggage: Option<String>) -> Self {
        Self {
            langsmith_trace: langsmith_trace.into(),
            baggage,
        }
    }
}

impl SpanEnvironment {
    /// A kind of machine, and its name among those of the kind.
    pub fn new(kind: Option<String>, name: Option<String>) -> Self {
        Self { kind, name }
    }
}

impl Default for Common {
    /// Tracing off, and spans when a turn has ended.
    fn default() -> Self {
        Self {
            enabled: false,
            metadata: Map::new(),
            redact: true,
            redact_extra_rules: Vec::new(),
            flush_on_turn_end: false,
            max_field_bytes: None,
            images: ImagePolicy::Keep,
            default_muted: false,
            live: false,
        }
    }
}

impl Default for LangSmithSettings {
    fn default() -> Self {
        Self {
            common: Common::default(),
            api_key: None,
            api_url: "https://api.smith.langchain.com".to_owned(),
            project: "codex".to_owned(),
            workspace_id: None,
            replicas: Vec::new(),
            parent_headers: None,
        }
    }
}

impl Default for BraintrustSettings {
    fn default() -> Self {
        Self {
            common: Common {
                live: true,
                ..Common::default()
            },
            api_key: None,
            api_url: None,
            app_url: "https://www.braintrust.dev".to_owned(),
            project: "codex".to_owned(),
            org_name: None,
            parent_span_id: None,
            root_span_id: None,
            record_file: None,
            environment: None,
            endpoints_from_project: false,
        }
    }
}
