//! The fuzz target's checks, for as long as a test may take.

use codex_tracing_delivery::testing::answers::{BODIES, every};
use proptest::prelude::*;

use crate::answers::exercise;

#[test]
fn the_bodies_that_servers_may_answer_with_are_taken_at_every_status_and_step() {
    every(exercise);
}

#[test]
fn what_the_fuzzer_came_upon_is_taken() {
    let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/answers");
    let seeds: Vec<_> = std::fs::read_dir(seeds).unwrap().collect();
    assert!(seeds.len() > 20, "{seeds:?}");
    for seed in seeds {
        let bytes = std::fs::read(seed.unwrap().path()).unwrap();
        exercise(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        exercise(&bytes);
    }

    #[test]
    fn broken_json_is_taken(
        head in any::<[u8; 4]>(),
        body in proptest::sample::select(BODIES),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = [&head[..], body.as_bytes()].concat();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        exercise(&bytes);
    }
}
