//! Any answer of a server.
//!
//! `cargo +nightly fuzz run answers` in the folder of the crate.
#![no_main]

#[path = "../../tests/mapping/answers.rs"]
mod answers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| answers::exercise(bytes));
