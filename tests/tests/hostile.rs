//! Hostile hooks and hostile state, with the real binary: what they name is not read, what they
//! point to is not written.
#![cfg(all(test, unix))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, its scaffolding too"
)]

mod hostile {
    mod commands;
    mod names;
    #[path = "../../../redact/tests/redaction/outputs.rs"]
    mod outputs;
    mod panics;
    mod planted;
    mod prompts;
    mod sandbox;
    #[path = "../../../redact/tests/redaction/secrets.rs"]
    mod secrets;
    mod state;
}
