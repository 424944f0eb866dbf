//! Delivery in the foreground.

use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use codex_tracing_config::Context;
use codex_tracing_delivery::{
    Course, DestinationStatus, Evidence, FlushReport, Loss, Losses, SessionDir, SessionStatus,
    StateDir, flush_all, flush_session, init_logging,
};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::Instant;

use super::counted;
use super::course::{self, Wires};
use super::progress::Progress;
use super::status::name_of;
use crate::backends::{self, Registration};
use crate::hook::wake_worker;

/// Delivers one session up to and including `close_turn`, for at most `patience`. Says whether
/// all of it arrived and nothing goes on that a worker must follow. Never prints: this runs within
/// a hook.
pub(crate) fn session(
    registration: &Registration,
    context: &Context,
    session: &SessionDir,
    close_turn: Option<&str>,
    patience: Duration,
) -> bool {
    let state = StateDir::resolve(context, registration.name());
    init_logging(&state.log_file(), context.env.get("CODEX_TRACING_LOG"));
    let opened = course::open(registration, context, session);
    let course = course::course(&opened, context, &state, &Wires::new());
    let Ok(runtime) = super::runtime() else {
        return false;
    };
    let flushed = runtime.block_on(async {
        flush_session(session, &course, Instant::now() + patience, close_turn).await
    });
    match flushed {
        Ok(flush) if flush.complete => flush.unattended.is_none(),
        Ok(_) => {
            let seconds = patience.as_secs_f32();
            tracing::warn!(
                seconds,
                "turn not delivered within the time; a worker goes on"
            );
            false
        }
        Err(error) => {
            tracing::error!(%error, "turn's end cannot wait for its delivery");
            false
        }
    }
}

/// Delivers everything pending of all sessions within `timeout`; exit code 1 if something is left.
pub(crate) fn run(timeout: Duration, backend: Option<&str>) -> anyhow::Result<ExitCode> {
    let deadline = std::time::Instant::now() + timeout;
    let context = Context::from_process(None);
    super::arm_fail_point(&context, false);
    let mut places = Vec::new();
    for registration in backends::select(backend)? {
        let states = StateDir::discover_all(&context, registration.name());
        places.extend(states.into_iter().map(|state| (registration, state)));
    }
    if places.is_empty() {
        super::print("nothing to deliver: no session has been traced yet\n")?;
    }
    let flush = flush_places(places, &context, timeout, deadline);
    let complete = LocalSet::new().block_on(&super::runtime()?, flush)?;
    Ok(ExitCode::from(u8::from(!complete)))
}

/// Flushes all places at once, so that one with a dead endpoint takes no time from the others, and
/// tells of each when it is done. Says whether nothing is left.
async fn flush_places(
    places: Vec<(&'static Registration, StateDir)>,
    context: &Context,
    timeout: Duration,
    deadline: std::time::Instant,
) -> anyhow::Result<bool> {
    let wires = Wires::new();
    let progress = Progress::new();
    let mut running = JoinSet::new();
    for (registration, state) in places {
        let (context, wires, progress) = (context.clone(), wires.clone(), progress.clone());
        running.spawn_local(async move {
            let report =
                flush_state(registration, &context, &state, &wires, &progress, deadline).await;
            (registration, state, report)
        });
    }
    let (mut complete, mut failure) = (true, None);
    while let Some(flushed) = running.join_next().await {
        // The words of a panic may quote what is delivered. It ends no other place's delivery.
        let Ok((registration, state, report)) = flushed else {
            failure.get_or_insert_with(|| anyhow!("delivery broke off; the log says where"));
            continue;
        };
        for (session, since) in &report.unattended {
            wake_worker(registration, &state, session, false, *since);
        }
        complete &= report.is_complete();
        let told = progress.suspend(|| super::print(&words(registration.name(), &report, timeout)));
        if let Err(error) = told {
            failure.get_or_insert(error.into());
        }
    }
    failure.map_or(Ok(complete), Err)
}

async fn flush_state(
    registration: &Registration,
    context: &Context,
    state: &StateDir,
    wires: &Wires,
    progress: &Progress,
    deadline: std::time::Instant,
) -> FlushReport {
    let sessions: Vec<SessionDir> = state.sessions();
    let bar = progress.add(registration.name(), sessions.len());
    let course_of = |session: &SessionDir, evidence: &Evidence| -> Option<Course> {
        let context = course::context_of(context, evidence);
        let opened = course::open(registration, &context, session);
        Some(course::course(&opened, &context, state, wires))
    };
    let report = flush_all(&sessions, &course_of, deadline.into(), &mut |_, _| {
        bar.advance();
    })
    .await;
    bar.finish();
    report
}

/// What became of a state folder's sessions, with a reason for each destination that did not get all.
fn words(backend: &str, report: &FlushReport, timeout: Duration) -> String {
    let pending: u64 = report.left.iter().map(SessionStatus::pending).sum();
    let all = report.complete.len() + report.left.len();
    let sessions = counted(all as u64, "session");
    let lost = lost(report);
    let mut text = match (all, report.left.len()) {
        (0, _) if !report.errors.is_empty() => format!("{backend}: nothing was delivered\n"),
        (0, _) => format!("{backend}: nothing to deliver\n"),
        (_, 0) if lost.is_some() => format!("{backend}: nothing is left ({sessions})\n"),
        (_, 0) => format!("{backend}: all delivered ({sessions})\n"),
        (_, left) => {
            let turns = counted(pending, "turn");
            format!("{backend}: {turns} of {left} of {sessions} left\n")
        }
    };
    for session in &report.left {
        let id = &session.session_id;
        for place in session.waiting() {
            let (name, reason) = (name_of(place), reason(session, place, timeout));
            let _ = writeln!(text, "  {id}: {name}: {reason}");
        }
        if session.waiting().next().is_none() {
            let reason = unfinished(session, timeout);
            let _ = writeln!(text, "  {id}: {reason}");
        }
    }
    if let Some(lost) = lost {
        let _ = writeln!(
            text,
            "  lost for good: {lost}; `codex-tracing status` says where"
        );
    }
    for id in &report.taken_over {
        let _ = writeln!(
            text,
            "  {id}: its Codex still runs with the settings it was started with, and its next turns go \
             there again; end it and go on with `codex resume {id}`"
        );
    }
    for error in &report.errors {
        let _ = writeln!(text, "  {error}");
    }
    text
}

/// What will never arrive at the destinations of today's settings, if anything.
fn lost(report: &FlushReport) -> Option<String> {
    let mut losses = Losses::default();
    let sessions = report.complete.iter().chain(&report.left);
    for place in sessions.flat_map(|session| &session.destinations) {
        if place.configured {
            losses.merge(&place.losses);
        }
    }
    // An item that arrived smaller has arrived.
    let gone = [Loss::ItemRejected, Loss::RolloutMissing, Loss::TurnLost].map(Loss::name);
    let gone = losses.iter().filter(|(name, _)| gone.contains(name));
    let words: Vec<String> = gone
        .map(|(name, count)| format!("{count} × {name}"))
        .collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Why a destination has not got all.
fn reason(session: &SessionStatus, place: &DestinationStatus, timeout: Duration) -> String {
    let away = |place: &&DestinationStatus| !place.configured && place.pending > 0;
    let elsewhere = session.destinations.iter().find(away);
    match (&place.last_error, elsewhere.filter(|_| session.worker)) {
        (Some(error), None) if !place.refused => format!("{}{}", error.message, goes_on(session)),
        (Some(error), _) => error.message.clone(),
        (None, Some(other)) => format!(
            "a worker that began with other settings is still trying {}",
            name_of(other)
        ),
        (None, None) => unfinished(session, timeout),
    }
}

fn unfinished(session: &SessionStatus, timeout: Duration) -> String {
    // No time at all would print as `0ns`.
    let time = match timeout {
        Duration::ZERO => "0s".to_owned(),
        time => format!("{time:?}"),
    };
    format!("not answered within {time}{}", goes_on(session))
}

fn goes_on(session: &SessionStatus) -> &'static str {
    if session.worker {
        "; a worker goes on trying"
    } else {
        ""
    }
}
