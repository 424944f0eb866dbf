//! Who is muted now: what `…:mute` prompts and settings come to for the next turn of a thread.

use codex_tracing_config::Context;
use codex_tracing_delivery::StateDir;
use codex_tracing_redact::MuteState;
use codex_tracing_transcript::Rollout;
use jiff::Timestamp;

use crate::backends::{ALL, Registration};
use crate::hook::mute::load;

/// What one state folder and the settings say of muted threads.
pub(crate) struct Mutes {
    state: MuteState,
    default_muted: bool,
}

impl Mutes {
    /// Reads the folder's mute file and the settings.
    pub(crate) fn look(registration: &Registration, context: &Context, folder: &StateDir) -> Self {
        let common = registration.open(context, None).common;
        Self {
            state: load(folder),
            default_muted: common.enabled && common.default_muted,
        }
    }

    /// Whether the next turn of this thread goes out without content. `parent` says that of the
    /// thread that spawned it, if one did.
    pub(crate) fn next_turn(&self, thread: &str, parent: Option<bool>) -> bool {
        let now = Timestamp::MAX;
        self.state
            .mode_for_turn_launch(thread, parent, now, self.default_muted)
    }
}

/// For each of these threads the backends that get its next turn without content. The first is the
/// root of the others; a subagent's turns are what the root's are, unless it was muted itself.
pub(crate) fn backends_of(context: &Context, threads: &[Rollout]) -> Vec<Vec<&'static str>> {
    let mut of_threads = vec![Vec::new(); threads.len()];
    for registration in ALL {
        for folder in StateDir::discover_all(context, registration.name()) {
            let here = Mutes::look(registration, context, &folder);
            let mut root = None;
            for (thread, backends) in threads.iter().zip(&mut of_threads) {
                let Some(session) = &thread.session else {
                    continue;
                };
                // Of a subagent that is looked at alone, the parent is all that is known.
                let parent = session.parent_thread_id.as_deref();
                let parent = parent.map(|id| root.unwrap_or_else(|| here.next_turn(id, None)));
                let is_muted = here.next_turn(&session.thread_id, parent);
                root.get_or_insert(is_muted);
                if is_muted && !backends.contains(&registration.name()) {
                    backends.push(registration.name());
                }
            }
        }
    }
    of_threads
}
