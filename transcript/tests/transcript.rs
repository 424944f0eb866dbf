//! The session model of every recorded session, and what holds whatever the input.

#[path = "transcript/corpus.rs"]
mod corpus;
#[path = "transcript/invariants.rs"]
mod invariants;
#[path = "transcript/snapshots.rs"]
mod snapshots;
#[path = "transcript/tree.rs"]
mod tree;
