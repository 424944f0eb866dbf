//! The header of a thread.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The header of one thread: what `session_meta`, the first line of a rollout, says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// This thread.
    pub thread_id: String,
    /// The root thread of the session as the rollout names it (Codex 0.147 and later); `None` in
    /// older files, where a child knows only its parent.
    pub session_id: Option<String>,
    /// The thread that spawned this one.
    pub parent_thread_id: Option<String>,
    /// The thread this one was forked from; a fork is a session of its own.
    pub forked_from_id: Option<String>,
    /// When the thread began.
    pub started_at: Timestamp,
    /// Working directory.
    pub cwd: Option<String>,
    /// What Codex recorded of the repository.
    pub git: Option<Git>,
    /// Version of the Codex CLI that wrote the header.
    pub cli_version: Option<String>,
    /// Program that ran Codex, such as `codex_exec` or `codex-tui`.
    pub originator: Option<String>,
    /// What started the thread.
    pub origin: Origin,
    /// Model provider id of the configuration, such as `openai`.
    pub model_provider: Option<String>,
    /// The base instructions given to the model.
    pub base_instructions: Option<String>,
}

/// The repository a session ran in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Git {
    /// HEAD's hash.
    pub commit: Option<String>,
    /// Branch name.
    pub branch: Option<String>,
    /// URL of `origin`, as recorded (credentials scrubbed on the way in).
    pub repository_url: Option<String>,
}

/// What started a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A person or a script; the word Codex uses, such as `exec` or `cli`.
    User(String),
    /// `spawn_agent` of another thread.
    Spawned {
        /// 1 for a child of the root.
        depth: Option<u32>,
        /// v2 agents: the path, such as `/root/alpha`.
        path: Option<String>,
        /// Nickname Codex gave the agent.
        nickname: Option<String>,
        /// Role (agent type).
        role: Option<String>,
    },
    /// The working thread of a review.
    Review,
    /// A value of `source` this version does not know, by name.
    Other(String),
}
