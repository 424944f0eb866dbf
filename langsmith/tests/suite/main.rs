//! Turns built by hand, as runs, requests and verdicts.

mod contract;
mod support;
mod tree;
mod wire;
