//! Any bytes as a hook's input.
//!
//! `cargo fuzz run hook fuzz/corpus/hook fuzz/seeds/hook` in the folder of the crate; CONTRIBUTING.md says with
//! which compiler.
#![no_main]

#[path = "../../src/hook"]
mod hook {
    #[expect(dead_code, reason = "the target reads what the hook uses")]
    pub(crate) mod event;
    pub(crate) mod exercise;
    #[expect(dead_code, reason = "the target reads what the hook uses")]
    pub(crate) mod wire;
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hook::exercise::exercise(bytes));
