//! What must survive: code, hashes, identifiers and prose that only look a little like secrets.

use serde_json::json;

use crate::common::{scrub, scrub_json};

#[test]
fn ordinary_text_is_untouched() {
    let blocks: Vec<&str> = include_str!("../data/ordinary.txt")
        .split("=== ")
        .skip(1)
        .collect();
    assert!(blocks.len() >= 42);
    for block in blocks {
        let (name, text) = block.split_once('\n').expect("a name and a text");
        assert_eq!(scrub(text), text, "{name}");
        let mut value = json!([{ "output": text }]);
        let original = value.clone();
        scrub_json(&mut value);
        assert_eq!(value, original, "{name}");
        for line in text.lines() {
            assert_eq!(scrub(line), line, "{name}");
        }
        let embedded = original.to_string();
        assert_eq!(scrub(&embedded), embedded, "{name}");
    }
}

#[test]
fn numbers_and_names_of_sizes_are_untouched() {
    let mut value = json!({
        "token_count": 123_456_789, "max_output_tokens": 10_000, "token": 12_345_678,
        "total_token_usage": { "input_tokens": 100_000 }, "tokenizer": "o200k_base",
        "token_type": "bearer", "password": null, "secret": true, "token_limit": "unlimited",
        "secret_store": { "kind": "file" }, "token": 1.5, "access_token": "short",
    });
    let original = value.clone();
    scrub_json(&mut value);
    assert_eq!(value, original);
    let text = r#"{"token":123456789,"secret":false,"password":null}"#;
    assert_eq!(scrub(text), text);
    let lines = format!("{text}\n{text}\n");
    assert_eq!(scrub(&lines), lines);
}
