//! Threads spawned by a turn, and the calls that lead to their turns.

use std::collections::HashMap;

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

impl AgentCall {
    /// The places of calls, given with their starts and in order.
    pub(crate) fn places<'a>(
        calls: impl Iterator<Item = (&'a str, Timestamp)>,
    ) -> impl Iterator<Item = (&'a str, Self)> {
        calls.scan(None, |last: &mut Option<Self>, (id, started_at)| {
            let before = last.filter(|last| last.started_at == started_at);
            let rank = before.map_or(0, |before| before.rank + 1);
            let call = Self { started_at, rank };
            *last = Some(call);
            Some((id, call))
        })
    }
}

/// What a turn gave older threads to do: all of it that the places of their turns depend on, and
/// little beside a turn with all its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// The turn's thread.
    pub thread_id: String,
    /// Its id.
    pub turn_id: String,
    /// Its number.
    pub turn_number: u32,
    /// Its start.
    pub turn_started_at: Timestamp,
    /// The turn of its parent thread, where its rollout names one.
    pub parent_turn_id: Option<String>,
    /// The calls, and where each stands.
    pub calls: Vec<(FollowUp, Option<AgentCall>)>,
}

/// Brings calls together with their places.
pub(crate) fn placed<'a>(
    follow_ups: &[FollowUp],
    places: impl Iterator<Item = (&'a str, AgentCall)>,
) -> Vec<(FollowUp, Option<AgentCall>)> {
    if follow_ups.is_empty() {
        return Vec::new();
    }
    let places: HashMap<&str, AgentCall> = places.collect();
    follow_ups
        .iter()
        .map(|call| (call.clone(), places.get(call.call_id.as_str()).copied()))
        .collect()
}
