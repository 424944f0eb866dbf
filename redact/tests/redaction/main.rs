//! The redactor seen from outside.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test")]

mod common;
mod hostile;
mod official_rules;
mod outputs;
mod planted;
mod properties;
mod secrets;
mod settings;
mod untouched;
