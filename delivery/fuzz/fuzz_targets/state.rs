//! Any bytes in every file of ours.
//!
//! `cargo +nightly fuzz run state` in the folder of the crate.
#![no_main]

#[path = "../../tests/delivery/exercise.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(root) = tempfile::tempdir() {
        exercise::exercise(root.path(), bytes);
    }
});
