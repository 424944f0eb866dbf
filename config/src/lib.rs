//! What is on, where traces go and with which key, each with its reason.
//!
//! [`Context`] holds everything the answer depends on; [`langsmith`] and [`braintrust`] resolve
//! the layers (defaults, team, user, plugin data, project, environment) into settings whose every
//! value knows where it came from. Nothing here fails: what cannot be used is dropped alone and
//! told as a [`Warning`].

mod context;
mod settings;

pub use context::{Context, Environment};
pub use settings::{
    BraintrustSettings, Common, ImagePolicy, LangSmithSettings, ParentHeaders, RedactRule, Replica,
    SpanEnvironment,
};
