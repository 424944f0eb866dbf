//! Any bytes in every file and variable.
//!
//! `cargo fuzz run settings fuzz/corpus/settings fuzz/seeds/settings` in the folder of the crate; CONTRIBUTING.md says with
//! which compiler.
#![no_main]

#[path = "../../tests/settings/exercise.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(root) = tempfile::tempdir() {
        exercise::exercise(root.path(), bytes);
    }
});
