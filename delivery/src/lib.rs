//! Journal, cursors, worker and HTTP engine behind every backend.
//!
//! ```text
//! hook ── append_journal ──▶ journal ─┐
//! Codex ─────────────────▶ rollouts ──┴▶ pipeline (one per destination): read, judge, map
//!                                          │ items              ▲ carry
//!                                          ▼                    │
//!                                        Outlet (Sender) ── ack ──▶ cursor
//! ```
//!
//! This crate knows no backend. What a backend must say is the [`Backend`] trait: pure functions
//! from a [`View`] of a turn to [`Item`]s, from items to a [`Request`], and from a [`Response`] to
//! a [`Verdict`]. All I/O, retries, splitting and bookkeeping happen here.
//!
//! What always holds:
//! - The hook path ([`append_journal`], [`SessionLock::try_acquire`], [`spawn_worker`]) is synchronous
//!   and touches neither rollouts nor the network.
//! - A cursor moves only after its destination has acknowledged; each destination has its own.
//! - One holder of a session's lock delivers it; whoever leaves looks at the journal once more.
//! - A turn is judged by what its hooks said when it ran, and never told more of than they allow.
//! - State holds ids, paths, times and counts: no prompt, output, argument or key.
//! - Nothing below a state folder is reached through a symlink.

mod backend;
mod close;
mod cursor_file;
mod eligibility;
mod evidence;
mod export;
mod facts_file;
mod failpoint;
mod failure;
mod flush;
mod http;
mod journal;
mod lock;
mod logging;
mod loss;
mod mute_file;
mod outlet;
mod pipeline;
mod platform;
mod process;
mod request;
mod retention;
mod retry;
mod secure_file;
mod sender;
mod session_reader;
mod spawn;
mod state;
mod status;
mod supervise;
mod takeover;
#[cfg(feature = "testing")]
pub mod testing;
mod throttle;
mod told;
mod upload;
mod verdict;
mod worker;

pub use backend::{
    Ancestor, Backend, Cause, CausingCall, Destination, Facts, HookFacts, Item, Limits, Mode, Step,
    View,
};
pub use cursor_file::{
    CURSOR_VERSION, Cursor, DeliveredTurn, LastError, RejectedTurn, ThreadCursor, has_arrived,
};
pub use eligibility::{Eligibility, Ground};
pub use evidence::Evidence;
pub use export::{ExportError, LeftOut, SessionTurn, read_session};
pub use facts_file::{FactsError, FactsStore};
#[cfg(feature = "failpoints")]
pub use failpoint::{FAIL_POINTS, HOOK_FAIL_POINTS, REQUEST_FAIL_POINTS, arm, arm_process, disarm};
pub use failure::note_failure;
pub use flush::{FlushReport, SessionFlush, evidence_of, flush_all, flush_session};
pub use http::{Exchange, HttpClient, HttpError, HttpOptions, parse_retry_after};
pub use journal::{JOURNAL_VERSION, JournalEntry, JournalReader, append_journal};
pub use lock::SessionLock;
pub use logging::{LogState, init as init_logging};
pub use loss::{Loss, Losses};
pub use outlet::{Outlet, Outlets, http_outlets};
pub use pipeline::{Course, GitLookup};
pub use process::{Liveness, ProcessMark};
pub use request::{Method, Request, Response};
pub use retention::{KeptSession, Retention, prune, sessions_to_prune};
pub use retry::RetryPolicy;
pub use secure_file::append_private;
pub use sender::{Deadline, OnTrouble, SendReport, Sender, shrink};
pub use session_reader::Spawned;
pub use spawn::{detach_worker, spawn_worker, step_back};
pub use state::{SessionDir, StateDir, StateError};
pub use status::{DestinationStatus, SessionStatus, session_status, status};
pub use supervise::{Left, Tempo};
pub use throttle::Throttle;
pub use upload::Upload;
pub use verdict::{Verdict, classify_status};
pub use worker::{WorkerOptions, claim, run_worker, termination};
