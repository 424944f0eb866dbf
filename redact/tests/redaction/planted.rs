//! Realistic tool outputs with planted secrets: none survives, in whatever form the text comes.

use serde_json::{Value, json};

use crate::common::{scrub, scrub_json};
use crate::outputs::{Case, cases};
use crate::secrets::{fragments, secret};

fn check(case: &Case, form: &str, result: &str) {
    for secret in &case.planted {
        assert!(
            !result.contains(secret.as_str()),
            "{} as {form}: {secret} in\n{result}",
            case.name
        );
    }
    assert!(
        result.contains("[SECRET_DETECTED]"),
        "{} as {form}",
        case.name
    );
}

#[test]
fn the_corpus_is_large_and_varied() {
    let (cases, kinds) = cases();
    assert!(cases.len() >= 98, "{} outputs", cases.len());
    assert!(kinds.len() >= 30, "{} kinds", kinds.len());
}

#[test]
fn no_planted_secret_survives_in_plain_text() {
    for case in &cases().0 {
        let result = scrub(&case.text);
        check(case, "text", &result);
        assert_eq!(scrub(&result), result, "{}: not idempotent", case.name);
        check(case, "CRLF text", &scrub(&case.text.replace('\n', "\r\n")));
        let within = format!("Chunk ID: a1\nWall time: 0.01 s\nOutput:\n{}\nü", case.text);
        check(case, "output of a command", &scrub(&within));
    }
}

#[test]
fn no_planted_secret_survives_in_json() {
    for case in &cases().0 {
        let mut value = json!({ "output": [{ "content": case.text, "exit_code": 0 }] });
        let text = value.to_string();
        scrub_json(&mut value);
        check(case, "value", &value.to_string());

        let result = scrub(&text);
        serde_json::from_str::<Value>(&result).expect("still JSON");
        check(case, "JSON text", &result);

        let twice = json!({ "arguments": text }).to_string();
        let result = scrub(&twice);
        let outer: Value = serde_json::from_str(&result).expect("still JSON");
        let inner = outer["arguments"].as_str().expect("still a string");
        serde_json::from_str::<Value>(inner).expect("still JSON inside");
        check(case, "JSON text in JSON text", &result);
    }
}

#[test]
fn no_planted_secret_survives_in_escaped_pieces_of_json() {
    for case in &cases().0 {
        // What `grep` or `tail -c` leave of a file of JSON lines: escaped, but no JSON.
        let quoted = Value::from(case.text.as_str()).to_string();
        check(
            case,
            "escaped text",
            &scrub(&format!("line 7: {quoted}, \"cut")),
        );
        let twice = Value::from(quoted).to_string();
        check(
            case,
            "text escaped twice",
            &scrub(&format!("line 7: {twice}, \"cut")),
        );
    }
}

#[test]
fn every_kind_with_a_shape_of_its_own_is_found_without_context() {
    let named_only = [
        "aws_secret",
        "azure_account_key",
        "basic_auth",
        "password",
        "random",
        "random_hex",
        "sas",
        "url_password",
    ];
    for kind in cases()
        .1
        .iter()
        .filter(|kind| !named_only.contains(&kind.as_str()))
    {
        let secret = secret(kind).expect("a known kind");
        for text in [
            secret.clone(),
            format!("say {secret}, please"),
            format!("a\\n{secret}"),
        ] {
            let result = scrub(&text);
            for fragment in fragments(kind, &secret) {
                assert!(!result.contains(&fragment), "{kind} in {result}");
            }
        }
    }
}
