//! What was delivered, what is pending, what was rejected.

use std::fmt::Write;
use std::process::ExitCode;

use codex_tracing_config::Context;
use codex_tracing_delivery::{DestinationStatus, SessionStatus, StateDir};
use serde::Serialize;

use super::counted;
use super::muted::Mutes;
use super::survey::survey;
use crate::backends::{self, Registration};

/// All sessions of one state folder.
#[derive(Serialize)]
struct Place {
    backend: &'static str,
    folder: String,
    log: String,
    /// Sessions whose next turn goes out without content.
    muted: Vec<String>,
    sessions: Vec<SessionStatus>,
}

/// Prints the status of every session as a table, or as JSON; of one backend, if one is named.
pub(crate) fn run(json: bool, backend: Option<&str>) -> anyhow::Result<ExitCode> {
    let context = Context::from_process(None);
    let places: Vec<Place> = backends::select(backend)?
        .into_iter()
        .flat_map(|registration| {
            StateDir::discover_all(&context, registration.name())
                .into_iter()
                .map(|state| look(registration, &context, &state))
        })
        .collect();
    if json {
        super::print_json(&format!("{}\n", serde_json::to_string_pretty(&places)?))?;
    } else {
        super::print(&table(&places))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn look(registration: &Registration, context: &Context, state: &StateDir) -> Place {
    let sessions = survey(registration, context, state, usize::MAX);
    let mutes = Mutes::look(registration, context, state);
    let ids = sessions.iter().map(|session| &session.session_id);
    Place {
        backend: registration.name(),
        folder: state.root().display().to_string(),
        log: state.log_file().display().to_string(),
        muted: ids
            .filter(|id| mutes.next_turn(id, None))
            .cloned()
            .collect(),
        sessions,
    }
}

fn table(places: &[Place]) -> String {
    if places.is_empty() {
        return "No session has been traced yet. `codex-tracing doctor` says why.\n".to_owned();
    }
    let mut text = String::new();
    for place in places {
        let _ = writeln!(text, "{}  {}", place.backend, place.folder);
        if place.sessions.is_empty() {
            text += "  no sessions\n";
        }
        for session in &place.sessions {
            text += &session_lines(session, place.muted.contains(&session.session_id));
        }
    }
    text
}

fn session_lines(session: &SessionStatus, muted: bool) -> String {
    let mut text = format!("  session {}", session.session_id);
    if let (Some(event), Some(at)) = (&session.last_event, &session.last_event_at) {
        let _ = write!(
            text,
            "  last hook {event} at {}",
            at.strftime("%Y-%m-%d %H:%M:%SZ")
        );
    }
    if muted {
        text += "  (muted)";
    }
    // One that waits for nothing but its leave is nobody's concern.
    text += if session.worker && session.pending() > 0 {
        "  (a worker is at it)\n"
    } else {
        "\n"
    };
    if let Some(cwd) = &session.cwd {
        let _ = writeln!(text, "    in {cwd}");
    }
    if session.destinations.is_empty() {
        let turns = counted(session.untried, "turn");
        let _ = writeln!(text, "    not tried yet: {turns} pending");
    }
    for place in &session.destinations {
        text += &destination_lines(place);
    }
    text
}

fn destination_lines(place: &DestinationStatus) -> String {
    let mut text = format!("    {}: {} delivered", name_of(place), place.delivered);
    let pending = if place.configured {
        "pending"
    } else {
        "never arrived"
    };
    let _ = write!(
        text,
        ", {} {pending}, {} rejected",
        place.pending, place.rejected_count
    );
    if place.left_alone > 0 {
        let _ = write!(text, ", {} not to be sent", place.left_alone);
    }
    text += match place {
        place if !place.configured => "; no longer configured\n",
        place if place.pending > 0 && place.acknowledged_at.is_none() => "; not reached yet\n",
        _ => "\n",
    };
    for turn in &place.rejected {
        let _ = writeln!(text, "      rejected turn {}: {}", turn.turn_id, turn.words);
    }
    if let Some(error) = &place.last_error {
        let at = error.at.strftime("%Y-%m-%d %H:%M:%SZ");
        let _ = writeln!(text, "      last error at {at}: {}", error.message);
    }
    for (reason, count) in place.losses.iter() {
        let _ = writeln!(text, "      {count} × {reason}");
    }
    text
}

/// What people call a destination. An earlier version may have left none.
pub(super) fn name_of(place: &DestinationStatus) -> &str {
    if place.label.is_empty() {
        &place.id
    } else {
        &place.label
    }
}
