//! What a running turn has given to older threads, without the rest of the turn.

use super::OpenTurn;
use crate::Delegation;
use crate::model::placed;

impl OpenTurn {
    /// `None` if it has given nothing. Else what [`Turn::delegation`](crate::Turn::delegation) says
    /// of the turn as it stands.
    pub(in crate::assemble) fn delegation(&self) -> Option<Delegation> {
        let follow_ups = self.agents.follow_ups();
        (!follow_ups.is_empty()).then(|| Delegation {
            thread_id: self.thread_id.clone(),
            turn_id: self.id.clone(),
            turn_number: self.number,
            turn_started_at: self.started_at,
            parent_turn_id: self.parent_turn_id.clone(),
            calls: placed(follow_ups, self.tools.agent_calls(self.started_at)),
        })
    }
}
