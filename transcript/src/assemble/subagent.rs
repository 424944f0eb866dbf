//! Threads spawned in a turn, from whatever record of the version tells of them.

use jiff::Timestamp;
use serde_json::Value;

use crate::wire::{Fields, raw_value};
use crate::{FollowUp, ItemBody, Subagent};

/// The threads known so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Agents {
    list: Vec<Subagent>,
    follow_ups: Vec<FollowUp>,
}

impl Agents {
    /// Adds a thread, or what was not yet known of it.
    pub(super) fn learn(&mut self, agent: Subagent) {
        match self
            .list
            .iter_mut()
            .find(|known| known.thread_id == agent.thread_id)
        {
            Some(known) => {
                known.spawned_by = known.spawned_by.take().or(agent.spawned_by);
                known.path = known.path.take().or(agent.path);
                known.nickname = known.nickname.take().or(agent.nickname);
                known.role = known.role.take().or(agent.role);
            }
            None => self.list.push(agent),
        }
    }

    /// A call that gives an agent more to do may name its thread (v1).
    pub(super) fn called(&mut self, call: &ItemBody, agent: Option<&String>) {
        if let (ItemBody::ToolCall { call_id, name, .. }, Some(agent)) = (call, agent)
            && name == "send_input"
        {
            self.follow_up(agent.clone(), call_id);
        }
    }

    /// The answer to such a call names the turn that it led to.
    pub(super) fn answered(&mut self, call_id: &str, submission: Option<&String>) {
        let mut all = self.follow_ups.iter_mut();
        if let Some(known) = all.find(|known| known.call_id == call_id) {
            known.led_to = known.led_to.take().or(submission.cloned());
        }
    }

    /// Adds a call that gave a thread more to do.
    pub(super) fn follow_up(&mut self, thread_id: String, call_id: &str) {
        if self.follow_ups.iter().all(|known| known.call_id != call_id) {
            self.follow_ups.push(FollowUp {
                thread_id,
                call_id: call_id.to_owned(),
                led_to: None,
            });
        }
    }

    /// The calls that gave threads more to do.
    pub(super) fn follow_ups(&self) -> &[FollowUp] {
        &self.follow_ups
    }

    pub(super) fn into_lists(self) -> (Vec<Subagent>, Vec<FollowUp>) {
        (self.list, self.follow_ups)
    }
}

/// The thread an end record tells of, if it tells of a new one: `SubAgentActivity` of kind
/// `started` (v2), `CollabAgentToolCall` of a spawn and its older event (v1).
pub(super) fn spawned(end: &Fields<'_>, call_id: &str, at: Timestamp) -> Vec<Subagent> {
    let agent = |thread_id: String| Subagent {
        thread_id,
        spawned_by: Some(call_id.to_owned()),
        path: None,
        nickname: None,
        role: None,
        spawned_at: at,
    };
    match end.kind.as_str() {
        "SubAgentActivity" | "sub_agent_activity" if end.activity.as_str() == "started" => end
            .agent_thread_id
            .owned()
            .map(|id| Subagent {
                path: end.agent_path.owned(),
                ..agent(id)
            })
            .into_iter()
            .collect(),
        "CollabAgentToolCall" if end.tool.as_str().contains("spawn") => {
            let known = raw_value(end.receiver_agents).unwrap_or_default();
            let ids = raw_value(end.receiver_thread_ids).unwrap_or_default();
            let ids = ids.as_array().map(Vec::as_slice).unwrap_or_default();
            ids.iter()
                .filter_map(Value::as_str)
                .map(|id| {
                    let entry = known
                        .as_array()
                        .and_then(|all| all.iter().find(|one| text(one, "thread_id") == Some(id)));
                    let field = |name| {
                        entry
                            .and_then(|entry| text(entry, name))
                            .map(ToOwned::to_owned)
                    };
                    Subagent {
                        nickname: field("agent_nickname"),
                        role: field("agent_role"),
                        ..agent(id.to_owned())
                    }
                })
                .collect()
        }
        "collab_agent_spawn_end" => end
            .new_thread_id
            .owned()
            .map(|id| Subagent {
                nickname: end.new_agent_nickname.owned(),
                role: end.new_agent_role.owned(),
                ..agent(id)
            })
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// The thread that a record tells got a message or a task of another one (v2).
pub(super) fn spoken_to(end: &Fields<'_>) -> Option<String> {
    let is_activity = matches!(end.kind.as_str(), "SubAgentActivity" | "sub_agent_activity");
    (is_activity && end.activity.as_str() == "interacted")
        .then(|| end.agent_thread_id.owned())
        .flatten()
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str()
}
