//! `langsmith-tracing:mute` and its kin: prompts that are meant for us, not for the model.
//!
//! Read by the hook; `status` and `view` tell what came of it.

use std::io::Write;

use codex_tracing_delivery::{Mode, StateDir};
use codex_tracing_redact::{MuteCommand, MuteState, UnknownCommand, mute_command};
use jiff::Timestamp;
use serde_json::json;

use super::event::{EventKind, HookEvent};
use crate::backends::{self, Registration};

/// The command in this event's prompt, if it is one or was meant to be.
pub(super) fn command(
    registration: &Registration,
    event: &HookEvent,
    prompt: Option<&str>,
) -> Option<Result<MuteCommand, UnknownCommand>> {
    if event.kind != EventKind::UserPromptSubmit {
        return None;
    }
    mute_command(prompt?, &format!("{}-tracing", registration.name()))
}

/// Whether this event's prompt is a command to another product, or was meant to be: where that is
/// installed, its hook answers.
pub(super) fn is_for_others(
    registration: &Registration,
    event: &HookEvent,
    prompt: Option<&str>,
) -> bool {
    let others = backends::ALL.into_iter();
    let mut others = others.filter(|other| other.name() != registration.name());
    others.any(|other| command(other, event, prompt).is_some())
}

/// Notes the command and answers Codex: the prompt goes no further, and the user reads why.
pub(super) fn answer(
    registration: &Registration,
    state: &StateDir,
    event: &HookEvent,
    command: Result<MuteCommand, UnknownCommand>,
) {
    let created = state.create(registration.name()).is_ok();
    let reason = match command {
        Err(unknown) => format!("Tracing: {unknown}. Nothing has changed."),
        Ok(command) => noted(created && keep(state, event, command), command).to_owned(),
    };
    let answer = json!({"decision": "block", "reason": reason});
    let _ = writeln!(std::io::stdout(), "{answer}");
}

fn noted(kept: bool, command: MuteCommand) -> &'static str {
    match (kept, command) {
        (true, MuteCommand::Mute) => {
            "Tracing is muted: from the next turn on, no content of this conversation is sent."
        }
        (true, MuteCommand::Unmute) => {
            "Tracing is no longer muted: from the next turn on, content is sent again."
        }
        (false, _) => "Tracing could not note this: its state folder cannot be written.",
    }
}

fn keep(state: &StateDir, event: &HookEvent, command: MuteCommand) -> bool {
    // Held to the end: two sessions may be muted at the same moment.
    let Ok(_held) = state.lock_mutes() else {
        return false;
    };
    let mut mutes = load(state);
    mutes.apply(&event.session_id, command, Timestamp::now());
    mutes.is_writable()
        && serde_json::to_vec(&mutes).is_ok_and(|bytes| state.keep_mutes(&bytes).is_ok())
}

/// How much of the turn that this event launches may leave; `None` for events that launch none and
/// for subagents, which inherit from the turn that spawned them.
pub(super) fn mode(state: &StateDir, event: &HookEvent, default_muted: bool) -> Option<Mode> {
    if event.kind != EventKind::UserPromptSubmit || event.input.agent_id.is_some() {
        return None;
    }
    // The launch is now, so the last word counts, also where the clock went back since it was said.
    let muted =
        load(state).mode_for_turn_launch(&event.session_id, None, Timestamp::MAX, default_muted);
    Some(if muted { Mode::Metadata } else { Mode::Full })
}

/// Who is muted, as the file of this folder says.
pub(crate) fn load(state: &StateDir) -> MuteState {
    match state.mutes() {
        Ok(None) => MuteState::default(),
        Ok(Some(bytes)) => MuteState::parse(&bytes),
        // Unreadable is not absent: what cannot be read mutes.
        Err(_) => MuteState::parse(b""),
    }
}
