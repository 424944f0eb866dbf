//! The fuzz target's checks, for as long as a test may take.

use proptest::prelude::*;

use crate::exercise::{SESSION, exercise};

#[test]
fn files_that_nobody_would_write_are_taken() {
    let root = tempfile::tempdir().unwrap();
    let entry = format!(
        "{{\"v\":1,\"at\":\"2026-11-20T10:00:00Z\",\"event\":\"Stop\",\"session_id\":\"{SESSION}\"}}\n"
    );
    for odd in [
        String::new(),
        "null".to_owned(),
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        "\n".repeat(100_000),
        "\0".repeat(1000),
        "{\"v\":18446744073709551615,\"threads\":{\"..\":{\"offset\":-1}}}".to_owned(),
        "{\"v\":2,\"threads\":7,\"losses\":[],\"rejected\":{}}".to_owned(),
        "{\"version\":1,\"facts\":{\"values\":{\"\":\"\"}},\"threads\":{\"a\":[]}}".to_owned(),
        entry.repeat(1000),
        format!("{entry}{}", entry.trim_end()),
        entry.replace("Stop", &"S".repeat(100_000)),
        entry.replace(SESSION, "../../x"),
        entry.replace("2026-11-20T10:00:00Z", "-009999-01-01T00:00:00Z"),
    ] {
        exercise(root.path(), odd.as_bytes());
    }
}

#[test]
fn what_the_fuzzer_came_upon_is_taken() {
    let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/state");
    let seeds: Vec<_> = std::fs::read_dir(seeds).unwrap().collect();
    assert!(seeds.len() > 20, "{seeds:?}");
    for seed in seeds {
        let bytes = std::fs::read(seed.unwrap().path()).unwrap();
        let root = tempfile::tempdir().unwrap();
        exercise(root.path(), &bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let root = tempfile::tempdir().unwrap();
        exercise(root.path(), &bytes);
    }

    #[test]
    fn torn_and_mended_lines_are_taken(
        lines in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let root = tempfile::tempdir().unwrap();
        let mut all = Vec::new();
        for (at, byte) in lines {
            let mut line = format!(
                "{{\"v\":1,\"at\":\"2026-11-20T10:00:00Z\",\"event\":\"Stop\",\
                 \"session_id\":\"{SESSION}\",\"turn_id\":\"t\",\"mode\":\"full\"}}\n"
            )
            .into_bytes();
            let at = at.index(line.len());
            line[at] = byte;
            all.extend(line);
        }
        exercise(root.path(), &all);
    }
}
