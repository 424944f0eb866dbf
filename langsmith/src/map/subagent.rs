//! Where a turn hangs: below a caller's run, below the turn that spawned its thread, or nowhere.

use codex_tracing_transcript::Origin;

use super::Scene;
use crate::ids::{Identity, Kind};
use crate::place::Place;

/// The place of the turn's own run.
///
/// Each turn above is found again from what the lineage says of it, so that a child's trace, ids
/// and order come out the same whenever and wherever it is mapped. A subagent hangs below the
/// *turn* that spawned it, not below the spawning tool call, which is over long before it.
pub(super) fn place(scene: &Scene<'_>) -> Place {
    let turn = scene.view.turn;
    let mut above = scene.parent.map(|parent| parent.place.clone());
    for ancestor in scene.view.lineage {
        let at = ancestor.turn_started_at;
        above = Some(below(
            above.as_ref(),
            at,
            &ancestor.thread_id,
            &ancestor.turn_id,
        ));
    }
    below(
        above.as_ref(),
        turn.window.started_at,
        &turn.thread_id,
        &turn.id,
    )
}

fn below(parent: Option<&Place>, at: jiff::Timestamp, thread: &str, turn: &str) -> Place {
    let identity = Identity {
        thread,
        turn,
        kind: Kind::Turn,
        key: "",
    };
    Place::below(parent, at, &identity)
}

/// What sort of subagent: its role, else its nickname, else the last name of its path.
pub(super) fn kind(origin: &Origin) -> Option<&str> {
    match origin {
        Origin::Spawned {
            path,
            nickname,
            role,
            ..
        } => {
            let name = path.as_deref().and_then(|path| path.rsplit('/').next());
            role.as_deref().or(nickname.as_deref()).or(name)
        }
        Origin::Review => Some("review"),
        Origin::User(_) | Origin::Other(_) => None,
    }
}
