//! The redactor seen from outside.

mod common;
mod official_rules;
mod planted;
mod secrets;
mod untouched;
