//! Our own state: can it be written, is a worker stuck, what did servers refuse?

use std::time::Duration;

use codex_tracing_config::Context;
use codex_tracing_delivery::{DestinationStatus, SessionStatus, StateDir};
use jiff::Timestamp;

use super::finding::Finding;
use crate::backends::Registration;
use crate::command::counted;
use crate::command::survey::survey;

/// A worker that holds the lock this long without a hook or an acknowledgement is stuck.
const STUCK: Duration = Duration::from_mins(90);
/// Sessions looked at, the latest first.
const LATEST: usize = 50;

/// Everything about the state folders of one backend: those that exist, and those that its
/// `installed` plugins will be given.
pub(crate) fn examine(
    registration: &'static Registration,
    context: &Context,
    installed: Vec<StateDir>,
) -> Vec<Finding> {
    let backend = registration.name();
    let mut places = StateDir::discover_all(context, backend);
    for state in installed {
        let known = places.iter().any(|place| place.root() == state.root());
        if !known {
            places.push(state);
        }
    }
    if places.is_empty() {
        places.push(StateDir::resolve(context, backend));
    }
    let mut findings = Vec::new();
    for state in &places {
        findings.extend(examine_folder(state));
        let sessions = survey(registration, context, state, LATEST);
        findings.extend(examine_sessions(state, &sessions, Timestamp::now()));
    }
    findings
        .into_iter()
        .map(|finding| finding.about(backend))
        .collect()
}

fn examine_folder(state: &StateDir) -> Option<Finding> {
    // Without making anything: the nearest thing that exists must be a folder that takes a file.
    let place = state.root().ancestors().find(|place| place.exists())?;
    let error = if place.is_dir() {
        let probe = tempfile::Builder::new()
            .prefix(".codex-tracing-")
            .tempfile_in(place);
        probe.err()?.to_string()
    } else {
        format!("{} is not a folder", place.display())
    };
    Some(Finding::problem(
        "state-not-writable",
        format!(
            "the state folder {} cannot be written: {error}",
            state.root().display()
        ),
        "make it a folder that you can write to, or set CODEX_HOME to one",
    ))
}

/// What the sessions of one folder tell.
fn examine_sessions(state: &StateDir, sessions: &[SessionStatus], now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (mut delivered, mut pending) = (0, 0);
    for session in sessions.iter().take(LATEST) {
        if is_stuck(session, now) {
            findings.push(Finding::problem(
                "worker-stuck",
                format!(
                    "the worker of session {} holds its lock but does nothing",
                    session.session_id
                ),
                "end that process; the next hook or `codex-tracing flush` goes on",
            ));
        }
        pending += session.pending();
        for place in &session.destinations {
            delivered += place.delivered;
            findings.extend(examine_place(state, session, place));
        }
    }
    if delivered + pending > 0 {
        let delivered = counted(delivered, "turn");
        let text = format!("{delivered} delivered, {pending} pending in the latest sessions");
        findings.push(Finding::ok("deliveries", text));
    }
    findings
}

fn examine_place(
    state: &StateDir,
    session: &SessionStatus,
    place: &DestinationStatus,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(turn) = place.rejected.last() {
        findings.push(Finding::warning(
            "turns-rejected",
            format!(
                "{} rejected {} of session {}, the last with: {}",
                place.label,
                counted(place.rejected_count, "turn"),
                session.session_id,
                turn.words
            ),
            format!(
                "they stay in Codex's own files, and `codex-tracing status` lists them; if the \
                 words name no setting of yours, please report them. {} is what is told here; it \
                 also knows what was muted in that session",
                state.sessions_dir().join(&session.session_id).display()
            ),
        ));
    }
    // What waits for a destination that is no longer configured waits for nothing.
    let waits = place.configured && place.pending > 0;
    if let Some(error) = place.last_error.as_ref().filter(|_| waits) {
        findings.push(Finding::warning(
            "delivery-failing",
            format!(
                "{} lacks {} of session {} so far: {}",
                place.label,
                counted(place.pending, "turn"),
                session.session_id,
                error.message
            ),
            "mend the cause, then run `codex-tracing flush`",
        ));
    }
    findings
}

fn is_stuck(session: &SessionStatus, now: Timestamp) -> bool {
    let latest = session
        .destinations
        .iter()
        .filter_map(|place| place.acknowledged_at)
        .chain(session.last_event_at)
        .max();
    session.worker && latest.is_some_and(|at| now.duration_since(at).unsigned_abs() > STUCK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(worker: bool, last: &str) -> SessionStatus {
        SessionStatus {
            session_id: "s".to_owned(),
            last_event_at: Some(last.parse().unwrap()),
            last_event: Some("Stop".to_owned()),
            cwd: None,
            worker,
            journal_skipped: 0,
            untried: 1,
            destinations: Vec::new(),
        }
    }

    #[test]
    fn only_a_worker_without_news_for_long_is_stuck() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        assert!(is_stuck(&session(true, "2026-11-20T09:00:00Z"), now));
        assert!(!is_stuck(&session(true, "2026-11-20T11:59:00Z"), now));
        assert!(!is_stuck(&session(false, "2026-11-20T09:00:00Z"), now));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_found() {
        let dir = tempfile::tempdir().unwrap();
        assert!(examine_folder(&StateDir::at(dir.path().join("not/yet"))).is_none());
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(examine_folder(&StateDir::at(file.join("below"))).is_some());
    }
}
