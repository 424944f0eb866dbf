//! Turns.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::subagent::placed;
use super::{
    AgentCall, Compaction, Content, Delegation, FollowUp, Item, ModelCall, Subagent, ToolCall,
    ToolKind, Usage,
};

/// From when to when something ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Beginning.
    pub started_at: Timestamp,
    /// End; `None` while it runs.
    pub ended_at: Option<Timestamp>,
}

/// One turn of a thread: from a prompt (or another trigger) to the end Codex records for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Turn {
    /// Codex's turn id; for implicit turns of odd files `turn-<number>`.
    pub id: String,
    /// Position in the thread, from 1.
    pub number: u32,
    /// The thread it belongs to.
    pub thread_id: String,
    /// What it is for.
    pub kind: TurnKind,
    /// The turn of the parent thread that spawned this one (`turn_attribution`, newer versions).
    pub parent_turn_id: Option<String>,
    /// Start (`task_started`) and end (`task_complete`, `turn_aborted`).
    pub window: Window,
    /// Settings in force; the last `turn_context` of the turn.
    pub context: TurnContext,
    /// What the human wrote, images included; empty for turns without a prompt.
    pub prompt: Vec<Content>,
    /// How it stands.
    pub status: TurnStatus,
    /// Why it failed or was interrupted.
    pub error: Option<TurnError>,
    /// The final answer.
    pub answer: Option<Answer>,
    /// Milliseconds from the turn's start to the first token, as Codex measured it.
    pub time_to_first_token_ms: Option<u64>,
    /// The conversations this turn's calls saw: one, plus one for each compaction within the turn.
    /// Each begins at a context boundary; see [`ModelCall::input`].
    pub conversations: Vec<Vec<Arc<Item>>>,
    /// Model calls in order of their start.
    pub calls: Vec<ModelCall>,
    /// Tool calls in order of their start, nested ones of code-mode cells included.
    pub tools: Vec<ToolCall>,
    /// Threads spawned in this turn.
    pub subagents: Vec<Subagent>,
    /// Calls of this turn that gave threads spawned earlier more to do.
    pub follow_ups: Vec<FollowUp>,
    /// Compactions within this turn.
    pub compactions: Vec<Compaction>,
    /// Sum over `calls` and `compactions`.
    pub usage: Usage,
}

impl Turn {
    /// What `call` saw: the items from the last context boundary up to when it was asked.
    pub fn input_of(&self, call: &ModelCall) -> &[Arc<Item>] {
        self.conversations
            .get(call.input.conversation)
            .and_then(|items| items.get(..call.input.len))
            .unwrap_or_default()
    }

    /// Where the call with this id stands, if it is one that controls agents.
    pub fn agent_call(&self, id: &str) -> Option<AgentCall> {
        self.agent_calls()
            .find_map(|(known, call)| (known == id).then_some(call))
    }

    fn agent_calls(&self) -> impl Iterator<Item = (&str, AgentCall)> {
        let tools = self.tools.iter();
        let calls = tools.filter(|tool| tool.kind == ToolKind::Agent);
        AgentCall::places(calls.map(|tool| (tool.id.as_str(), tool.window.started_at)))
    }

    /// What it gave older threads to do.
    pub fn delegation(&self) -> Delegation {
        Delegation {
            thread_id: self.thread_id.clone(),
            turn_id: self.id.clone(),
            turn_number: self.number,
            turn_started_at: self.window.started_at,
            parent_turn_id: self.parent_turn_id.clone(),
            calls: placed(&self.follow_ups, self.agent_calls()),
        }
    }

    /// Whether Codex is still at it.
    pub fn is_running(&self) -> bool {
        self.status == TurnStatus::Running
    }
}

/// What a turn is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnKind {
    /// Answers a prompt or a task.
    Prompt,
    /// `/compact`: summarises the conversation and nothing else.
    Compact,
    /// `codex review` as the reviewing parent sees it.
    Review,
}

/// Settings in force for a turn.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TurnContext {
    /// Model slug.
    pub model: Option<String>,
    /// Reasoning effort.
    pub effort: Option<String>,
    /// Approval policy.
    pub approval_policy: Option<String>,
    /// Sandbox policy type, such as `danger-full-access`.
    pub sandbox_policy: Option<String>,
    /// Working directory.
    pub cwd: Option<String>,
    /// The whole `turn_context` payload as recorded.
    pub raw: Map<String, Value>,
}

/// How a turn stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnStatus {
    /// No end record yet.
    Running,
    /// Ended by itself.
    Completed,
    /// The user stopped it.
    Interrupted,
    /// Ended by an error.
    Failed,
    /// Codex went away in the middle: the file ends, or another turn began.
    CutOff,
}

/// Why a turn failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TurnError {
    /// Message for people.
    pub message: String,
    /// Codex's name of the error, such as `internal_server_error`.
    pub code: Option<String>,
}

/// The turn's final answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Its text.
    pub text: String,
}
