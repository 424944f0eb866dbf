//! The fuzz target's checks, for as long as a test may take.

use proptest::prelude::*;

use crate::answers::exercise;

const BODIES: &[&str] = &[
    "",
    "null",
    "[]",
    "{}",
    "{\"org_info\":[{\"name\":\"\u{1b}[2J\",\"api_url\":\"https://x\"}]}",
    "{\"org_info\":[]}",
    "{\"id\":\"p\"}",
    "{\"id\":7}",
    "{\"batch_ingest_config\":{\"size_limit\":0,\"size_limit_bytes\":18446744073709551615}}",
    "{\"batch_ingest_config\":[],\"instance_flags\":\"x\"}",
    "{\"logs3_payload_max_bytes\":1}",
    "{\"method\":\"PUT\",\"signedUrl\":\"https://x/y\",\"headers\":{},\"key\":\"k\"}",
    "<html>\u{7}\u{9b}</html>",
];

#[test]
fn the_bodies_that_servers_may_answer_with_are_taken_at_every_status_and_step() {
    let deep = "[".repeat(100_000);
    let long = format!(
        "{{\"org_info\":[{{\"name\":\"{0}\"}}],\"id\":\"{0}\",\"error\":\"{0}\"}}",
        "n".repeat(100_000)
    );
    let more = [deep.as_str(), long.as_str()];
    for body in BODIES.iter().copied().chain(more) {
        for status in [
            200_u16, 202, 302, 400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 599,
        ] {
            let [high, low] = (status - 100).to_be_bytes();
            exercise(&[&[high, low, 255, 7], body.as_bytes()].concat());
        }
    }
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
