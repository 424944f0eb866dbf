//! What is on, where traces go and with which key, each with its reason.
//!
//! [`Context`] holds everything the answer depends on; [`langsmith`] and [`braintrust`] resolve
//! the layers (defaults, team, user, plugin data, project, environment) into settings whose every
//! value knows where it came from ([`Provenance`]). Nothing here fails: what cannot be used is
//! dropped alone and told as a [`Warning`].
//!
//! Invariants:
//!
//! - One table of settings (`field`) is the source of keys, variables, defaults, guards, schema and
//!   documentation.
//! - The environment is read in [`Context::from_process`] and nowhere else.
//! - A project file without Codex's trust neither redirects nor weakens anything, and a key of the
//!   user's never goes to an endpoint that a project file chose, trusted or not.
//! - No message, `Debug` or provenance holds a secret.
//!
//! The crate refuses to know a wire format, to print, to write, and to run a process on the hook's
//! path.

mod context;
mod env;
mod field;
mod file;
mod frozen;
mod gather;
mod git;
mod key_files;
mod layer;
mod layers;
mod load;
mod markdown;
mod platform;
mod process;
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
pub use git::git_command;
pub use key_files::key_file_problems;
pub use layer::{Layer, Origin, Place};
pub use load::{Loaded, braintrust, explain, langsmith};
pub use markdown::{env_summary_markdown, env_table_markdown, file_keys_markdown};
/// What keys are kept in; part of this crate's API.
pub use secrecy::{ExposeSecret, SecretString};

pub use process::ask;
pub use product::{Product, UnknownProduct};
pub use provenance::{Dropped, Hidden, Provenance, Row};
pub use schema::schema;
pub use settings::{
    BraintrustSettings, Common, ImagePolicy, LangSmithSettings, ParentHeaders, RedactRule, Replica,
    SpanEnvironment,
};
pub use trust::{ProjectFile, Trust, codex_project_files};
pub use value::endpoint_host;
pub use warning::{Found, Problem, Severity, Warning};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
