//! Any bytes through splitter and assembler: no panic, and the model's own rules hold.
//!
//! `cargo +nightly fuzz run assemble corpus ../../tests/corpus/0.169.0/code-mode`
#![no_main]

#[path = "../../tests/transcript/exercise.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exercise::exercise(bytes));
