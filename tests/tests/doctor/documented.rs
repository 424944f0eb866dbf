//! What the documentation says of findings.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use codex_tracing_tests::repository;
use regex::Regex;

/// The ids of findings that are named in Rust files below `folder`, in places that `pattern` tells.
fn ids(folder: &Path, pattern: &str) -> BTreeSet<String> {
    let pattern = Regex::new(pattern).unwrap();
    let files = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap);
    files
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "rs"))
        .flat_map(|entry| {
            let text = fs::read_to_string(entry.path()).unwrap();
            let found = pattern
                .captures_iter(&text)
                .map(|found| found[1].to_owned());
            found.collect::<Vec<_>>()
        })
        .collect()
}

fn made() -> BTreeSet<String> {
    let source = repository().join("hooks-bin/src/doctor");
    let made = r#"(?:Finding::(?:problem|warning)|tell)\(\s*"([a-z-]+)""#;
    let mut made = ids(&source, made);
    made.extend(ids(&source, r#"=> "(endpoint-[a-z]+)""#));
    assert!(made.len() > 30, "{made:?}");
    made
}

#[test]
fn every_finding_stands_in_the_documentation() {
    let text = fs::read_to_string(repository().join("docs/troubleshooting.md")).unwrap();
    for id in made() {
        assert!(text.contains(&format!("`{id}`")), "{id} is not documented");
    }
}

#[test]
fn every_finding_has_a_test_with_its_situation_and_its_cure() {
    let tests = repository().join("tests/tests/doctor");
    let checked = ids(&tests, r#"check(?:_on)?\(\s*(?:"[0-9.]+",\s*)?"([a-z-]+)""#);
    let missing: Vec<_> = made().difference(&checked).cloned().collect();
    assert!(missing.is_empty(), "{missing:?}");
}
