//! Views of turns in, folded traces out.

mod content;
mod convergence;
mod fold;
mod identity;
mod nesting;
mod support;
mod wire;
