//! Threads spawned by a turn.

use jiff::Timestamp;
use serde::Serialize;

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
