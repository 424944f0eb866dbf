//! The proof of every feature: the real Codex CLI with our built bundle, a scripted model, and a
//! collector that records what arrived.
//!
//! CI runs the oldest and the newest version; `cargo xtask matrix` runs more.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and says on which Codex it was"
)]

mod e2e {
    mod agents;
    mod braintrust;
    mod clone;
    mod cost;
    mod destinations;
    mod endings;
    mod hostile_project;
    mod install;
    mod langsmith;
    mod langsmith_items;
    mod mute;
    mod outliving;
    mod planted_secrets;
    mod terminal;
    mod trace_text;
    mod traces;
    mod upgrade;
    mod which_turns;
}
