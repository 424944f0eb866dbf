//! Journal, cursors, worker and HTTP engine behind every backend.
//!
//! This crate knows no backend. What a backend must say is the [`Backend`] trait: pure functions
//! from a [`View`] of a turn to [`Item`]s, from items to a [`Request`], and from a [`Response`] to
//! a [`Verdict`]. All I/O, retries, splitting and bookkeeping happen here.

mod backend;
mod request;
mod verdict;

pub use backend::{
    Ancestor, Backend, Destination, Facts, HookFacts, Item, Limits, Mode, Step, View,
};
pub use request::{Method, Request, Response};
pub use verdict::{Verdict, classify_status};
