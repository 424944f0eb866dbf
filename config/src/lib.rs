//! What is on, where traces go and with which key, each with its reason.
//!
//! [`Context`] holds everything the answer depends on; [`langsmith`] and [`braintrust`] resolve
//! the layers (defaults, team, user, plugin data, project, environment) into settings whose every
//! value knows where it came from. Nothing here fails: what cannot be used is dropped alone and
//! told as a [`Warning`].

mod context;
mod env;
mod field;
mod file;
mod frozen;
mod gather;
mod key_files;
mod layer;
mod load;
mod markdown;
mod product;
mod provenance;
mod resolve;
mod schema;
mod settings;
mod span_environment;
mod trust;
mod value;
mod warning;

pub use context::{Context, Environment};
pub use env::{EnvVar, env_table};
pub use frozen::Frozen;
pub use key_files::key_file_problems;
pub use layer::{Layer, Origin, Place};
pub use load::{Loaded, braintrust, explain, is_enabled, langsmith};
pub use markdown::{env_table_markdown, file_keys_markdown};
pub use product::{Product, UnknownProduct};
pub use provenance::{Dropped, Hidden, Provenance, Row};
pub use schema::schema;
pub use settings::{
    BraintrustSettings, Common, ImagePolicy, LangSmithSettings, ParentHeaders, RedactRule, Replica,
    SpanEnvironment,
};
pub use trust::{ProjectFile, Trust};
pub use warning::{Problem, Severity, Warning};
