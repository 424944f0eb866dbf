//! Threads spawned by a turn, and the calls that lead to their turns.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A thread spawned by a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subagent {
    /// The child's thread.
    pub thread_id: String,
    /// Id of the [`ToolCall`](super::ToolCall) that spawned it; `None` for a review's thread.
    pub spawned_by: Option<String>,
    /// v2: path, such as `/root/alpha`.
    pub path: Option<String>,
    /// Nickname.
    pub nickname: Option<String>,
    /// Role (agent type).
    pub role: Option<String>,
    /// When the parent learned of it.
    pub spawned_at: Timestamp,
}

/// A call that gave an older thread more to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FollowUp {
    /// The thread.
    pub thread_id: String,
    /// Id of the [`ToolCall`](super::ToolCall).
    pub call_id: String,
    /// The turn of that thread it led to, where the call's answer says so (v1).
    pub led_to: Option<String>,
}

/// Where a call that controls agents stands in its turn. Known in full as soon as the call is
/// recorded, and never different later: a child's place can be made of it while the turn above is
/// still running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentCall {
    /// Its start.
    pub started_at: Timestamp,
    /// How many such calls of the turn have the same start and come before it.
    pub rank: u32,
}
