//! Secrets out of text and JSON, size limits, and the metadata-only projection. No I/O.
//!
//! [`Redactor`] stands at the gate of the session model ([`codex_tracing_transcript::Scrub`]): what
//! it removes is never held, mapped or sent. It sees whole items of the conversation, so a secret
//! that the model streamed in pieces is in one piece here.
//!
//! This crate refuses to read or write anything, to know a backend, and to panic on any text.

mod embedded;
mod engine;
mod extra;
mod images;
mod json;
mod limit;
mod mute;
mod projection;
mod redactor;
mod rules;

pub use mute::{MuteCommand, MuteState, UnknownCommand, mute_command};
pub use projection::{NOTICE, project_history, project_session, project_turn};
pub use redactor::{ExtraRule, Images, Redactor, RuleProblem};
