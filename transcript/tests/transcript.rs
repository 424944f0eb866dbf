//! The session model of every recorded session, and what holds whatever the input.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "transcript/cells.rs"]
mod cells;
#[path = "transcript/corpus.rs"]
mod corpus;
#[path = "transcript/exercise.rs"]
mod exercise;
#[path = "transcript/files.rs"]
mod files;
#[path = "transcript/hostile.rs"]
mod hostile;
#[path = "transcript/invariants.rs"]
mod invariants;
#[path = "transcript/mutations.rs"]
mod mutations;
#[path = "transcript/properties.rs"]
mod properties;
#[path = "transcript/script.rs"]
mod script;
#[path = "transcript/scrubbing.rs"]
mod scrubbing;
#[path = "transcript/situations.rs"]
mod situations;
#[path = "transcript/snapshots.rs"]
mod snapshots;
#[path = "transcript/tardy.rs"]
mod tardy;
#[path = "transcript/tree.rs"]
mod tree;
