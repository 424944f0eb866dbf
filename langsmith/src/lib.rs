//! Sessions as LangSmith runs.
//!
//! [`LangSmith`] implements [`codex_tracing_delivery::Backend`]: one trace per turn, a chain run
//! at its root and model calls, tool calls and compactions below it; a subagent's turn is a chain
//! run below the turn that spawned it. Everything here is pure: settings, turns and responses in,
//! runs, requests and verdicts out. The crate reads no file, no clock and no environment.
//!
//! - `settings`, `parent`: where runs go and below which run of a caller they hang;
//! - `ids`, `place`: deterministic run ids and the `dotted_order` made of them;
//! - `map`: a turn as runs; `run`: a run as JSON; `replica`: that JSON for one destination;
//! - `server`, `request`, `response`: what `/info` told, requests out, verdicts back;
//! - `sidecar`: turns that the JavaScript plugin has already sent.

mod backend;
mod ids;
mod map;
mod parent;
mod place;
mod replica;
mod request;
mod response;
mod run;
mod server;
mod settings;
mod sidecar;

pub use backend::LangSmith;
pub use ids::replica_id;
pub use parent::{ParentProblem, check_parent};
pub use sidecar::{sidecar, sidecar_turns};
