//! Where a turn hangs: below a caller's run, below the call and turn that led to it, or nowhere.

use codex_tracing_delivery::{Ancestor, CausingCall};
use codex_tracing_transcript::Origin;

use super::Scene;
use crate::ids::{Identity, Kind};
use crate::place::{Place, agent_call_start};

/// The place of the turn's own run.
///
/// Each run above is found again from what the lineage says of it, so that a child's trace, ids
/// and order come out the same whenever and wherever it is mapped. A subagent's turn hangs below
/// the tool run of the call that led to it, though that is most often over long before; below the
/// turn with that call where no record tells which it was.
pub(super) fn place(scene: &Scene<'_>) -> Place {
    let turn = scene.view.turn;
    let mut above = scene.parent.map(|parent| parent.place.clone());
    for ancestor in scene.view.lineage {
        above = Some(cause(above.as_ref(), ancestor));
    }
    let identity = identity(&turn.thread_id, &turn.id, Kind::Turn, "");
    Place::below(above.as_ref(), turn.window.started_at, &identity)
}

/// The run that the next thread's turn hangs below.
fn cause(above: Option<&Place>, ancestor: &Ancestor) -> Place {
    let cause = &ancestor.cause;
    let identity = |kind, key| identity(&ancestor.thread_id, &cause.turn_id, kind, key);
    let turn = Place::below(above, cause.turn_started_at, &identity(Kind::Turn, ""));
    match &cause.call {
        Some(CausingCall { id, at }) => {
            let at = agent_call_start(*at, turn.at());
            Place::below(Some(&turn), at, &identity(Kind::Tool, id))
        }
        None => turn,
    }
}

fn identity<'a>(thread: &'a str, turn: &'a str, kind: Kind, key: &'a str) -> Identity<'a> {
    Identity {
        thread,
        turn,
        kind,
        key,
    }
}

/// What sort of subagent: its role, else (if that may leave) its nickname, else the last name of its
/// path, which is the model's name for its task.
pub(super) fn kind(origin: &Origin, is_full: bool) -> Option<&str> {
    match origin {
        Origin::Spawned {
            path,
            nickname,
            role,
            ..
        } => {
            let name = path.as_deref().and_then(|path| path.rsplit('/').next());
            let name = nickname.as_deref().or(name).filter(|_| is_full);
            role.as_deref().or(name)
        }
        Origin::Review => Some("review"),
        Origin::User(_) | Origin::Other(_) => None,
    }
}
