//! The redactor seen from outside.

mod common;
mod hostile;
mod official_rules;
mod planted;
mod properties;
mod secrets;
mod settings;
mod untouched;
