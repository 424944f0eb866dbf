//! Views of turns in, folded traces out.
#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod answers;
mod any_answer;
mod content;
mod convergence;
mod corpus;
mod fold;
mod identity;
mod images;
mod nesting;
mod outcomes;
mod recordings;
mod support;
mod wire;
