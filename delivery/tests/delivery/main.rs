//! Journal, cursors and workers against rollouts on disk and destinations in memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod any_bytes;
mod catching_up;
mod corpus;
mod desk;
mod eligibility;
mod exactly_once;
mod exercise;
mod failing_destinations;
mod files;
mod flush;
mod gone;
mod keeping;
mod late_hooks;
mod live;
mod random_kills;
mod subagents;
mod successors;
mod trouble;
mod unreadable;
mod which_turns;
mod workers;
