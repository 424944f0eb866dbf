//! Journal, cursors, worker and HTTP engine behind every backend.
//!
//! This crate knows no backend. What a backend must say is the [`Backend`] trait: pure functions
//! from a [`View`] of a turn to [`Item`]s, from items to a [`Request`], and from a [`Response`] to
//! a [`Verdict`]. All I/O, retries, splitting and bookkeeping happen here.

mod backend;
mod facts_file;
mod http;
mod logging;
mod loss;
mod request;
mod retry;
mod secure_file;
mod sender;
mod throttle;
mod verdict;

pub use backend::{
    Ancestor, Backend, Destination, Facts, HookFacts, Item, Limits, Mode, Step, View,
};
pub use facts_file::{FactsError, FactsStore};
pub use http::{Exchange, HttpClient, HttpError, HttpOptions, parse_retry_after};
pub use logging::{LogState, init as init_logging};
pub use loss::{Loss, Losses};
pub use request::{Method, Request, Response};
pub use retry::RetryPolicy;
pub use sender::{SendReport, Sender, shrink};
pub use throttle::Throttle;
pub use verdict::{Verdict, classify_status};
