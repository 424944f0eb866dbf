//! Tool calls.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Content, Window};

/// One execution of a tool.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ToolCall {
    /// `call_id` of the call, or `exec-<uuid>` of a command nested in a code-mode cell.
    pub id: String,
    /// Native name, such as `exec_command`, `apply_patch`, `spawn_agent`, `web_search`.
    pub name: String,
    /// Namespace the model used, such as `mcp__notes`.
    pub namespace: Option<String>,
    /// MCP server, where the tool is one of its tools.
    pub mcp_server: Option<String>,
    /// What sort of tool.
    pub kind: ToolKind,
    /// What the model passed.
    pub arguments: Arguments,
    /// How it went.
    pub outcome: Outcome,
    /// From the call record to the end of the execution.
    pub window: Window,
    /// Index of the [`ModelCall`](super::ModelCall) whose output asked for it (for nested ones:
    /// whose cell ran it).
    pub model_call: Option<usize>,
    /// Id of the code-mode cell (a tool call named `exec`) that ran it.
    pub parent: Option<String>,
    /// Approval, where one was needed.
    pub approval: Option<Approval>,
    /// Files a patch changed.
    pub changes: Vec<FileChange>,
    /// Further fields of the execution's end record, as recorded (`cwd`, `parsed_cmd`, …).
    pub details: Map<String, Value>,
}

/// How a tool call went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// Where it stands.
    pub status: ToolStatus,
    /// What the model was told.
    pub output: Option<Output>,
    /// Exit code, where a process ran.
    pub exit_code: Option<i32>,
    /// Why it failed: set whenever `status` is failed, declined or interrupted.
    pub error: Option<String>,
}

/// Where a tool call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolStatus {
    /// No end seen yet.
    Running,
    /// Ended well.
    Completed,
    /// Ended with an error or a non-zero exit code.
    Failed,
    /// The user (or the policy) said no.
    Declined,
    /// Cut short by the turn's end.
    Interrupted,
}

/// What sort of tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolKind {
    /// A function without a more special kind.
    Function,
    /// A custom (free text) tool without a more special kind.
    Custom,
    /// A shell command (`exec_command`, `shell`, `local_shell_call`).
    Shell,
    /// A code-mode cell (`exec`).
    Cell,
    /// `apply_patch`.
    Patch,
    /// A tool of an MCP server.
    Mcp,
    /// Hosted web search.
    WebSearch,
    /// Hosted tool search.
    ToolSearch,
    /// `view_image`.
    ImageView,
    /// Hosted image generation.
    ImageGeneration,
    /// Hosted computer use.
    Computer,
    /// Agent control (`spawn_agent`, `wait_agent`, …).
    Agent,
}

/// What the model passed to a tool.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arguments {
    /// Well-formed JSON.
    Json(Value),
    /// Free text of a custom tool.
    Text(String),
    /// What should have been JSON and is not.
    Malformed(String),
}

/// What a tool answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Plain text.
    Text(String),
    /// Text and image parts.
    Parts(Vec<Content>),
    /// A structured value.
    Json(Value),
}

/// What became of a request to go beyond the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// `None` while nobody has answered, `Some(true)` granted, `Some(false)` declined.
    pub granted: Option<bool>,
    /// The `sandbox_permissions` argument, such as `require_escalated`.
    pub sandbox_permissions: Option<String>,
    /// The model's justification.
    pub justification: Option<String>,
    /// The `prefix_rule` argument.
    pub prefix_rule: Vec<String>,
}

/// One file of a patch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// Path as recorded.
    pub path: String,
    /// `add`, `update` or `delete`.
    pub kind: String,
    /// New content or unified diff.
    pub text: Option<String>,
    /// Where an update moved the file.
    pub moved_to: Option<String>,
}
