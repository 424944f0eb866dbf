//! The fuzz target's checks, for as long as a test may take.

use proptest::prelude::*;

use crate::exercise::exercise;

const SEEDS: &[&str] = &[
    r#"{"enabled": true, "api_key": "${HOME}", "metadata": {"a": [1, null]}, "replicas": [{"apiUrl": "https://x"}]}"#,
    r#"{"replicas": {"https://x": "lsv2_pt_0123456789abcdef0123"}, "redact_extra_rules": [{"pattern": "("}]}"#,
    "enabled = 'yes'\n[metadata]\na = 2020-01-01\n[[replicas]]\napi_url = 'https://x'\n",
    "[projects.\"/x\"]\ntrust_level = \"trusted\"\n",
    "gitdir: ../../x/.git/worktrees/y\n",
    "lsv2_pt_0123456789abcdef0123456789abcdef",
    "sk-0123456789abcdef0123456789abcdef \u{1b}[2J",
];

#[test]
fn files_that_nobody_would_write_are_taken() {
    let root = tempfile::tempdir().unwrap();
    for odd in [
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        format!("a = {}", "[".repeat(100_000)),
        format!("{}a = 1", "[a]\n".repeat(1000)),
        format!("{{\"api_key\": \"{}\"}}", "k".repeat(100_000)),
        "${".repeat(10_000),
        "\u{feff}{}".to_owned(),
        "\0\0\0".to_owned(),
    ] {
        exercise(root.path(), odd.as_bytes());
    }
    exercise(root.path(), &[0xff, 0xfe, 0x80, 0x00]);
}

#[test]
fn what_the_fuzzer_came_upon_is_taken() {
    let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/settings");
    let seeds: Vec<_> = std::fs::read_dir(seeds).unwrap().collect();
    assert!(seeds.len() > 20, "{seeds:?}");
    for seed in seeds {
        let bytes = std::fs::read(seed.unwrap().path()).unwrap();
        let root = tempfile::tempdir().unwrap();
        exercise(root.path(), &bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let root = tempfile::tempdir().unwrap();
        exercise(root.path(), &bytes);
    }

    #[test]
    fn broken_settings_are_taken(
        seed in proptest::sample::select(SEEDS),
        at in any::<proptest::sample::Index>(),
        with in any::<[u8; 2]>(),
    ) {
        let root = tempfile::tempdir().unwrap();
        let mut bytes = seed.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes.splice(at..at, with);
        exercise(root.path(), &bytes);
    }
}
