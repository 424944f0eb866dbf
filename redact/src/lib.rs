//! Secrets out of text and JSON, size limits, and the metadata-only projection. No I/O.

mod projection;
mod redactor;

pub use projection::{NOTICE, project_session, project_turn};
pub use redactor::{ExtraRule, Images, Redactor, RuleProblem};
