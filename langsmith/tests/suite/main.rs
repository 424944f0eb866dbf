//! Turns built by hand, as runs, requests and verdicts.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod answers;
mod any_answer;
mod conflicts;
mod contract;
mod corpus;
mod defects;
mod images;
mod multipart;
mod replicas;
mod shapes;
mod subagents;
mod support;
mod tree;
mod wire;
