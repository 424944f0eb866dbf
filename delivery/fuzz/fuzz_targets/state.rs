//! Any bytes in every file of ours.
//!
//! `cargo fuzz run state fuzz/corpus/state fuzz/seeds/state` in the folder of the crate; CONTRIBUTING.md says with
//! which compiler.
#![no_main]

#[path = "../../tests/delivery/exercise.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(root) = tempfile::tempdir() {
        exercise::exercise(root.path(), bytes);
    }
});
