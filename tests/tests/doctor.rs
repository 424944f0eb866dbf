//! `codex-tracing doctor`: each finding in the situation it is about, and silenced by its cure.
//!
//! No real Codex is needed: doctor asks it for its version only, and reads the rest from files.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod doctor {
    mod codex;
    mod delivery;
    mod documented;
    mod home;
    mod network;
    mod plugin;
    mod project;
    mod settings;
    mod trust;
}
