//! Any bytes through splitter and assembler: no panic, and the model's own rules hold.
//!
//! `cargo fuzz run assemble fuzz/corpus/assemble fuzz/seeds/assemble ../tests/corpus/0.169.0/code-mode`
//! in the folder of the crate; CONTRIBUTING.md says with which compiler.
#![no_main]

#[path = "../../tests/transcript/exercise.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exercise::exercise(bytes));
