//! From settings to what delivery needs.

use std::rc::Rc;
use std::sync::Arc;

use codex_tracing_config::Context;
use codex_tracing_delivery::{
    Course, Evidence, FactsStore, HttpClient, HttpOptions, Mode, SessionDir, StateDir, Throttle,
    has_arrived, http_outlets,
};
use codex_tracing_redact::MuteState;
use jiff::Timestamp;

use super::git;
use crate::backends::{Kept, Opened, Registration, VERSION};

/// The same context in the session's working directory, where its journal names one.
pub(crate) fn context_of(context: &Context, evidence: &Evidence) -> Context {
    let mut context = context.clone();
    if let Some(cwd) = evidence.cwd() {
        cwd.clone_into(&mut context.cwd);
    }
    context
}

/// Opens the backend with the session's settings.
pub(crate) fn open(registration: &Registration, context: &Context, session: &SessionDir) -> Opened {
    registration.open(context, kept(session).as_ref())
}

/// The settings of the session's first run, if its backend keeps such.
pub(crate) fn kept(session: &SessionDir) -> Option<Kept> {
    session.settings().map(|bytes| Kept {
        bytes,
        has_arrived: has_arrived(session),
    })
}

/// What all deliveries of this process share: connections, and the pauses servers asked for.
#[derive(Clone)]
pub(crate) struct Wires {
    client: HttpClient,
    throttle: Throttle,
}

impl Wires {
    /// The system's certificates and proxy settings are read when something is sent.
    pub(crate) fn new() -> Self {
        let options = HttpOptions::new(format!("codex-tracing/{VERSION}"));
        Self {
            client: HttpClient::on_demand(&options),
            throttle: Throttle::new(),
        }
    }
}

/// What delivering a session of `state` needs.
pub(crate) fn course(
    opened: &Opened,
    context: &Context,
    state: &StateDir,
    wires: &Wires,
) -> Course {
    Course {
        backend: Arc::clone(&opened.backend),
        scrub: Arc::new(opened.redactor.clone()),
        codex_home: context.codex_home.clone(),
        outlets: http_outlets(
            Arc::clone(&opened.backend),
            wires.client.clone(),
            FactsStore::new(state.facts_dir()),
            wires.throttle.clone(),
        ),
        git: Rc::new(git::look_up),
        missing_mode: missing_mode(state, opened.common.default_muted),
        settings: opened.keep.clone(),
        now: Timestamp::now,
    }
}

/// Turns whose launch left no word on their mode: full, unless threads start muted or what was
/// known is lost.
fn missing_mode(state: &StateDir, default_muted: bool) -> Mode {
    let lost = match state.mutes() {
        Ok(None) => false,
        Ok(Some(bytes)) => MuteState::parse(&bytes).is_lost(),
        Err(_) => true,
    };
    if lost || default_muted {
        Mode::Metadata
    } else {
        Mode::Full
    }
}
