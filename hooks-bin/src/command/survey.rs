//! Where sessions stand, seen with today's settings.

use std::collections::BTreeMap;
use std::path::PathBuf;

use codex_tracing_config::Context;
use codex_tracing_delivery::{Destination, SessionStatus, StateDir, status};

use super::course;
use crate::backends::Registration;

/// Working directory, and the kept settings that are in force.
type Deciding = (Option<PathBuf>, Option<Vec<u8>>);

/// All sessions of a state folder, the latest first. Of the latest `seen` it is told which destinations
/// are still configured, in this environment and the session's working directory.
pub(crate) fn survey(
    registration: &Registration,
    context: &Context,
    state: &StateDir,
    seen: usize,
) -> Vec<SessionStatus> {
    // Most sessions share what decides: it takes reading files to know.
    let mut known: BTreeMap<Deciding, Vec<Destination>> = BTreeMap::new();
    let mut sessions = status(state);
    for found in sessions.iter_mut().take(seen) {
        let Ok(session) = state.session(&found.session_id) else {
            continue;
        };
        let kept = course::kept(&session);
        let cwd = found.cwd.as_ref().map(PathBuf::from);
        let in_force = kept.as_ref().filter(|kept| kept.has_arrived);
        let decides = (cwd.clone(), in_force.map(|kept| kept.bytes.clone()));
        let present = known.entry(decides).or_insert_with(|| {
            let mut context = context.clone();
            context.cwd = cwd.unwrap_or(context.cwd);
            let opened = registration.open(&context, kept.as_ref());
            opened.backend.destinations().to_vec()
        });
        found.note_present(present);
    }
    sessions
}
