//! The background worker of one session, and how a hook starts it.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Parser;
use codex_tracing_config::Context;
use codex_tracing_delivery::{
    Retention, SessionDir, SessionLock, StateDir, Tempo, WorkerOptions, claim, detach_worker,
    evidence_of, init_logging, note_failure, prune, run_worker, spawn_worker, step_back,
    termination,
};
use jiff::Timestamp;

use super::course::{self, Wires};
use crate::backends::{self, Registration};
use crate::doctor;

/// What Codex gets ahead of a worker's preparations, which take a core for some milliseconds just when
/// Codex begins a turn; nobody waits for the worker yet.
const HEAD_START: Duration = Duration::from_millis(150);
/// Between two looks at the files where a turn's end waits for delivery.
const AWAITED_POLL: Duration = Duration::from_millis(20);

/// Arguments a hook gives to its worker.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// `langsmith` or `braintrust`
    backend: String,
    /// The session to deliver
    #[arg(long)]
    session: String,
    /// A new Codex process has taken the session up: wait for the worker of the one before
    #[arg(long)]
    succeeds: bool,
    /// Offset in the journal behind the entry of the hook that starts it
    #[arg(long)]
    since: Option<u64>,
    /// The state folder, where that is not the one the environment names
    #[arg(long)]
    state: Option<PathBuf>,
}

/// Starts a worker for `session`. Failing to is no reason to disturb Codex: the journal line is
/// written, and the next hook or `flush` delivers.
///
/// It gets `lock`, if the hook could take it. Without, and with `succeeds`, it waits for the worker of
/// an earlier Codex process to make way.
pub(crate) fn spawn(
    registration: &Registration,
    state: &StateDir,
    session: &SessionDir,
    lock: Option<SessionLock>,
    succeeds: bool,
    since: u64,
) {
    // A flush finds folders that its environment does not name, and a worker has another working
    // directory.
    let root = std::path::absolute(state.root());
    if let (Ok(program), Ok(root)) = (std::env::current_exe(), root) {
        let since = since.to_string();
        let arguments = ["worker", registration.name(), "--session", session.id()];
        let arguments = arguments.into_iter().chain(["--since", &since]);
        let arguments = arguments.chain(succeeds.then_some("--succeeds"));
        let arguments = arguments.chain(["--state"]).map(OsStr::new);
        let _ = spawn_worker(&program, arguments.chain([root.as_os_str()]), lock);
    }
}

/// Runs until the session is delivered.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    // First of all: out of the hook's process session, which Codex may kill.
    detach_worker();
    let registration = backends::select(Some(&args.backend))?;
    let context = Context::from_process(None);
    super::arm_fail_point(&context, false);
    for registration in registration {
        deliver(registration, &context, args)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Does the work; nobody sees a worker's output, so that a failure is left in the log and for
/// `status`.
fn deliver(registration: &Registration, context: &Context, args: &Args) -> anyhow::Result<()> {
    let state = args.state.as_ref().map_or_else(
        || StateDir::resolve(context, registration.name()),
        StateDir::at,
    );
    let session = state.session(&args.session)?;
    let Err(error) = work(registration, context, &state, &session, args) else {
        return Ok(());
    };
    // Without effect if it was begun before.
    init_logging(&state.log_file(), context.env.get("CODEX_TRACING_LOG"));
    // In the session's working directory, as far as that is known: a project's file says where to.
    let context = match evidence_of(&session) {
        Ok(evidence) => course::context_of(context, &evidence),
        Err(_) => context.clone(),
    };
    let opened = course::open(registration, &context, &session);
    let words = format!("the worker failed: {error:#}");
    note_failure(&session, opened.backend.destinations(), &words)?;
    Ok(())
}

fn work(
    registration: &Registration,
    context: &Context,
    state: &StateDir,
    session: &SessionDir,
    args: &Args,
) -> anyhow::Result<()> {
    let runtime = super::runtime()?;
    // Before anything that takes time: until then further hooks start further workers.
    let held = match SessionLock::handed_over(session)? {
        Some(held) => Some(held),
        None => runtime.block_on(claim(session, args.succeeds))?,
    };
    let Some(held) = held else {
        return Ok(());
    };
    init_logging(&state.log_file(), context.env.get("CODEX_TRACING_LOG"));
    tracing::debug!(session = session.id(), "worker begins");
    let context = course::context_of(context, &evidence_of(session)?);
    let is_awaited = registration.gate(&context)(session).is_some_and(|gate| gate.flushes);
    // Where a turn's end waits for delivery, stepping back would hold Codex up on a busy machine.
    if !is_awaited {
        step_back();
        std::thread::sleep(HEAD_START);
    }
    let opened = course::open(registration, &context, session);
    for warning in &opened.warnings {
        tracing::warn!(%warning, "setting not used as written");
    }
    for problem in &opened.rule_problems {
        tracing::warn!(%problem, "redaction rule not used");
    }
    if let Some(problem) = &opened.parent_problem {
        tracing::warn!(%problem, "caller's run not used");
    }
    let options = WorkerOptions {
        session: session.clone(),
        course: course::course(&opened, &context, state, &Wires::new()),
        since: args.since,
        tempo: tempo(opened.common.flush_on_turn_end),
    };
    let left = thread::scope(|scope| {
        // Reads the whole program: delivery does not wait for that.
        scope.spawn(|| doctor::note_witness(registration, &context, state));
        runtime.block_on(async { run_worker(held, options, termination()).await })
    })?;
    tracing::debug!(?left, "worker leaves");
    if !state.is_due_for_pruning(Timestamp::now()) {
        return Ok(());
    }
    for error in prune(
        state,
        &context.codex_home,
        Timestamp::now(),
        &Retention::default(),
    ) {
        tracing::warn!(%error, "old state not removed");
    }
    Ok(())
}

/// Where a turn's end waits for us, we look often however long the turn has been quiet.
fn tempo(is_awaited: bool) -> Tempo {
    let tempo = Tempo::worker();
    if !is_awaited {
        return tempo;
    }
    Tempo {
        poll: AWAITED_POLL,
        slow_poll: AWAITED_POLL,
        ..tempo
    }
}
