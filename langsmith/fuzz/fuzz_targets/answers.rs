//! Any answer of a server.
//!
//! `cargo fuzz run answers fuzz/corpus/answers fuzz/seeds/answers` in the folder of the crate; CONTRIBUTING.md says with
//! which compiler.
#![no_main]

#[path = "../../tests/suite/answers.rs"]
mod answers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| answers::exercise(bytes));
