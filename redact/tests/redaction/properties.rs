//! What holds for any text.

use std::borrow::Cow;

use codex_tracing_redact::{ExtraRule, Images, Redactor};
use codex_tracing_transcript::Scrub;
use proptest::prelude::*;
use regex::Regex;
use serde_json::Value;

use crate::common::scrub;

/// Pieces of secrets, of what stands around them, and of what breaks parsers.
const PIECES: &[&str] = &[
    "sk-",
    "ant-",
    "proj-",
    "AKIA",
    "FAKEFAKEFAKEFAKE",
    "ghp_",
    "github_pat_",
    "eyJ",
    ".",
    "xoxb-",
    "-----BEGIN ",
    "PRIVATE KEY-----",
    "-----END ",
    "RSA ",
    "token",
    "password",
    "API_KEY",
    "secret",
    "_count",
    "=",
    ":",
    ": ",
    " = ",
    "\"",
    "'",
    "\\\"",
    "\\",
    "\\n",
    "\n",
    "\r\n",
    " ",
    "bearer ",
    "Authorization",
    "Basic ",
    "https://",
    "user",
    "@",
    "/",
    "&",
    ";",
    "…",
    "é",
    "\u{1F600}",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"a\":",
    "12345678",
    "abcdefgh",
    "[SECRET_DETECTED]",
    "--token",
    "-u ",
    "login ",
    "cookie",
    "data:image/png;base64,",
    "AAAA",
    "hooks.slack.com/services/",
    "$6$",
    "\\u0041",
    "8Q~",
    ".atlasv1.",
    ":AA",
    "…[12 bytes omitted by max_field_bytes]…",
    "iVBORw0KGgo",
    "\u{0}",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop::sample::select(PIECES).prop_map(str::to_owned),
        2 => "[A-Za-z0-9_-]{1,40}",
        1 => "\\PC{0,8}",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
        text().prop_map(|text| Value::from(Value::from(text).to_string())),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((text(), inner.clone()), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

/// The value without its strings; keys may be secrets too.
fn shape(value: &Value) -> Value {
    match value {
        Value::String(_) => Value::from(""),
        Value::Array(values) => values.iter().map(shape).collect(),
        Value::Object(object) => object.values().map(shape).collect(),
        other => other.clone(),
    }
}

fn keys_survive(value: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().all(keys_survive),
        Value::Object(object) => object
            .iter()
            .all(|(key, value)| scrub(key) == *key && keys_survive(value)),
        _ => true,
    }
}

fn redactors() -> Vec<Redactor> {
    let extra = [ExtraRule {
        pattern: r#""?\d{3,}"#.into(),
        replace: None,
    }];
    [
        Redactor::new(true, &[], None, Images::Keep),
        Redactor::new(true, &[], Some(60), Images::Reference),
        Redactor::new(true, &extra, Some(200), Images::Omit),
        Redactor::new(false, &[], Some(7), Images::Keep),
        Redactor::new(false, &[], None, Images::Reference),
    ]
    .into_iter()
    .map(|(redactor, problems)| {
        assert!(problems.is_empty());
        redactor
    })
    .collect()
}

/// Published rules in their published form, as far as a match stands for itself.
const PUBLISHED: &[&str] = &[
    r"sk-ant-[[:alnum:]_-]{20,}",
    r"sk-(?:proj|svcacct|admin)-[[:alnum:]_-]{20,}",
    r"sk-[[:alnum:]]{32,}",
    r"gh[oprsu]_[[:alnum:]]{36,}",
    r"github_pat_[[:alnum:]_]{82}",
    r"(?-u:\b)(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[0-9A-Z]{16}(?-u:\b)",
    r"ya29\.[[:alnum:]_-]+",
    r"xox[abprs]-[[:alnum:]-]{10,}",
    r"https://hooks\.slack\.com/services/[[:alnum:]/]+",
    r"eyJ[[:alnum:]_-]+\.eyJ[[:alnum:]_-]+\.[[:alnum:]_-]+",
    r"(?i)(?-u:\b)bearer\s+[a-z0-9._~+/-]{10,}=*",
    r"-----BEGIN (?:[A-Z0-9 ]+ )?PRIVATE KEY(?: BLOCK)?-----(?s:.)+?-----END (?:[A-Z0-9 ]+ )?PRIVATE KEY(?: BLOCK)?-----",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn redacting_twice_changes_nothing(text in text()) {
        for (index, redactor) in redactors().iter().enumerate() {
            let once = redactor.text(Cow::Borrowed(&text));
            let twice = redactor.text(Cow::Borrowed(&once));
            prop_assert_eq!(&once, &twice, "redactor {}", index);
            let image = redactor.image(Cow::Borrowed(&text));
            prop_assert_eq!(&redactor.image(Cow::Borrowed(&image)), &image);
        }
    }

    #[test]
    fn published_rules_find_nothing_more(text in text()) {
        let result = scrub(&text);
        for pattern in PUBLISHED {
            let pattern = Regex::new(pattern).unwrap();
            prop_assert!(!pattern.is_match(&result), "{pattern} in {result:?}");
        }
    }

    #[test]
    fn json_text_stays_json(value in json()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let result = scrub(&text);
            let parsed: Value = serde_json::from_str(&result).expect("still JSON");
            // Two secrets that were keys are one key when they are read again.
            if keys_survive(&value) {
                prop_assert_eq!(shape(&parsed), shape(&value));
            }
            prop_assert_eq!(scrub(&result), result);
        }
    }

    #[test]
    fn a_value_keeps_its_shape_and_changes_once(value in json()) {
        for redactor in redactors() {
            let mut once = value.clone();
            redactor.json(&mut once);
            prop_assert_eq!(shape(&once), shape(&value));
            let mut twice = once.clone();
            redactor.json(&mut twice);
            prop_assert_eq!(once, twice);
        }
    }

    #[test]
    fn no_text_is_longer_than_its_limit_and_a_marker(text in text(), limit in 0_usize..300) {
        let (redactor, _) = Redactor::new(true, &[], Some(limit), Images::Keep);
        let result = redactor.text(Cow::Borrowed(&text));
        prop_assert!(result.len() <= limit + 64, "{} > {limit}", result.len());
    }

    #[test]
    fn any_text_at_all_is_survived(text in "\\PC{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        scrub(&text);
        scrub(&String::from_utf8_lossy(&bytes));
    }
}
