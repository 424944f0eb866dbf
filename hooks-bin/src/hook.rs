//! The hook: Codex waits for this.
//!
//! Read one small JSON, decide whether tracing is on, append one journal line, make sure a worker
//! is alive, exit 0. No network, no TLS, no async runtime, no rollout; nothing on stdout but the
//! answer to a mute prompt. The one exception is `flush_on_turn_end`, where the user asked the
//! turn's end to wait (`deliver`).

mod event;
pub(crate) mod gate;
pub(crate) mod mute;
mod wire;

use std::io::Write;
use std::panic;
use std::path::PathBuf;
use std::time::Duration;

use codex_tracing_config::Context;
use codex_tracing_delivery::{
    JournalEntry, Mode, ProcessMark, SessionDir, SessionLock, StateDir, append_journal,
};
use jiff::Timestamp;

use crate::backends::{self, Registration};
use crate::command::{self, flush, worker};
use event::{EventKind, HookEvent};

/// How long `Stop` waits at most with `flush_on_turn_end`; Codex allows the hook more.
const FLUSH_PATIENCE: Duration = Duration::from_secs(20);
/// How long the hooks that end a session wait; Codex kills them after three seconds.
const ENDING_PATIENCE: Duration = Duration::from_millis(1800);

/// Why an event could not be recorded. The hook succeeds all the same.
#[derive(Debug, thiserror::Error)]
enum HookError {
    #[error("unknown backend {0:?}; hooks.json should say `langsmith` or `braintrust`")]
    UnknownBackend(String),
    #[error("cannot read the hook's input: {0}; event ignored")]
    Input(#[from] std::io::Error),
    #[error(transparent)]
    State(#[from] codex_tracing_delivery::StateError),
}

/// Handles one hook call of Codex. Never fails, never panics, never blocks the turn.
pub(crate) fn run(backend: &str) {
    // Codex must not see a panic; what there is to say of one is said where it happens.
    if let Ok(Err(error)) = panic::catch_unwind(|| handle(backend)) {
        let _ = writeln!(std::io::stderr(), "codex-tracing: {error}");
    }
}

fn handle(name: &str) -> Result<(), HookError> {
    let registration = backends::find(name)
        .ok_or_else(|| HookError::UnknownBackend(name.chars().take(40).collect()))?;
    // Settings first: Codex is still writing its input meanwhile. It runs a hook in the session's
    // working directory.
    let mut context = Context::from_process(None);
    command::arm_fail_point(&context, true);
    let mut gatekeeper = registration.gate(&context);
    let parsed = wire::parse(std::io::stdin().lock())?;
    let Some(event) = HookEvent::from_wire(parsed.input) else {
        return Ok(());
    };
    if event.cwd.is_absolute() && event.cwd != context.cwd {
        context.cwd.clone_from(&event.cwd);
        gatekeeper = registration.gate(&context);
    }
    let state = StateDir::resolve(&context, registration.name());
    let session = state.session(&event.session_id)?;
    let Some(gate) = gatekeeper(&session) else {
        return Ok(());
    };
    gate.record(&parsed.text);
    if let Some(command) = mute::command(registration, &event, parsed.prompt.as_deref()) {
        mute::answer(registration, &state, &event, command);
        // Codex has begun a turn for the prompt; the worker must not take it for one to deliver.
        let entry = JournalEntry {
            command: true,
            ..journal_entry(&event, None, false)
        };
        append_journal(&session, &entry)?;
        return Ok(());
    }
    let waits = gate.flushes && matches!(event.kind, EventKind::Stop | EventKind::SessionEnd);
    let mode = mute::mode(&state, &event, gate.default_muted);
    let entry = JournalEntry {
        others_command: mute::is_for_others(registration, &event, parsed.prompt.as_deref()),
        ..journal_entry(&event, mode, waits)
    };
    state.create(registration.name())?;
    let since = append_journal(&session, &entry)?;
    gate.keep_settings(&session);
    if waits {
        deliver(registration, &context, &state, &session, &event, since);
    } else {
        wake_worker(
            registration,
            &state,
            &session,
            entry.begins_process(),
            since,
        );
    }
    Ok(())
}

fn journal_entry(event: &HookEvent, mode: Option<Mode>, waits: bool) -> JournalEntry {
    let input = &event.input;
    let path = |text: &Option<String>| text.as_deref().map(PathBuf::from);
    JournalEntry {
        agent_id: input.agent_id.clone(),
        transcript_path: path(&input.transcript_path),
        agent_transcript_path: path(&input.agent_transcript_path),
        turn_id: input.turn_id.clone(),
        cwd: path(&input.cwd),
        source: input.source.clone(),
        permission_mode: input.permission_mode.clone(),
        trigger: input.trigger.clone(),
        reason: input.reason.clone(),
        process: ProcessMark::of_host(),
        mode,
        closes_turn: waits && event.kind == EventKind::Stop,
        ..JournalEntry::new(
            event.kind.name(),
            event.session_id.clone(),
            Timestamp::now(),
        )
    }
}

/// Starts a worker unless one holds the lock. The journal line is already there: a worker about to
/// leave reads the journal once more under the lock, so no wake-up is lost.
///
/// A new Codex process has an environment of its own, and with it perhaps other settings: its
/// worker takes over from the one that may still be there. `since` is the journal's offset behind this
/// hook's entry: what processes are told of from there on is not for the worker of this one.
pub(crate) fn wake_worker(
    registration: &Registration,
    state: &StateDir,
    session: &SessionDir,
    begins_process: bool,
    since: u64,
) {
    let lock = SessionLock::try_acquire(session).ok().flatten();
    // Somebody who only looks at it may be in the way: then the worker tries again.
    if lock.is_none() && !begins_process && matches!(SessionLock::is_held(session), Ok(true)) {
        return;
    }
    worker::spawn(registration, state, session, lock, begins_process, since);
}

/// `flush_on_turn_end`: delivers in the foreground, within bounds; what is left goes to a worker.
fn deliver(
    registration: &Registration,
    context: &Context,
    state: &StateDir,
    session: &SessionDir,
    event: &HookEvent,
    since: u64,
) {
    let patience = if event.kind == EventKind::Stop {
        FLUSH_PATIENCE
    } else {
        ENDING_PATIENCE
    };
    let closes = event
        .input
        .turn_id
        .as_deref()
        .filter(|_| event.kind == EventKind::Stop);
    if !flush::session(registration, context, session, closes, patience) {
        wake_worker(registration, state, session, false, since);
    }
}

#[cfg(test)]
mod exercise;
#[cfg(test)]
mod tests;
