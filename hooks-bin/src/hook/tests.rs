use proptest::prelude::*;

use super::exercise::exercise;

const STOP: &str = r#"{"session_id":"s","turn_id":"t","transcript_path":null,"cwd":"/w","hook_event_name":"Stop","stop_hook_active":false,"last_assistant_message":"\ud83d\ude00"}"#;

#[test]
fn inputs_that_codex_would_not_write_are_taken() {
    exercise(STOP.as_bytes());
    let big = "x".repeat(200_000);
    for odd in [
        String::new(),
        "\"".to_owned(),
        "[".repeat(100_000),
        format!("{{\"prompt\":{}", "[".repeat(100_000)),
        format!("{{\"prompt\":{}{}}}", "[".repeat(100), "]".repeat(100)),
        format!("{{\"session_id\":\"{big}\",\"hook_event_name\":\"Stop\"}}"),
        format!("{{\"session_id\":[\"{big}\"]}}"),
        format!("\"{big}\""),
        "{\"session_id\":\"a\",\"session_id\":\"b\"}".to_owned(),
        "{\"session_id\":\"\\ud800\"}".to_owned(),
        format!("{STOP}{STOP}"),
        "{\"prompt\":1e999999}".to_owned(),
    ] {
        exercise(odd.as_bytes());
    }
}

#[test]
fn what_the_fuzzer_came_upon_is_taken() {
    let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/hook");
    let seeds: Vec<_> = std::fs::read_dir(seeds).unwrap().collect();
    assert!(seeds.len() > 20, "{seeds:?}");
    for seed in seeds {
        let bytes = std::fs::read(seed.unwrap().path()).unwrap();
        exercise(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        exercise(&bytes);
    }

    #[test]
    fn broken_inputs_are_taken(at in any::<proptest::sample::Index>(), with in any::<u8>()) {
        let mut bytes = STOP.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = with;
        exercise(&bytes);
        bytes.truncate(at);
        exercise(&bytes);
    }
}
