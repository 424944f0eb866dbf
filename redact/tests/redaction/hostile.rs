//! Texts made to make us slow, deep or dead. Without bounds these would run for hours or overflow
//! the stack, so that finishing is the assertion.

use serde_json::{Value, json};

use crate::common::{scrub, scrub_json};

#[test]
fn repeated_beginnings_take_linear_time() {
    let pieces = [
        "eyJ",
        "eyJa.eyJ",
        "token",
        "token.",
        "token=",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n",
        "://",
        "a://",
        "a://b:",
        "sk-",
        "sk-a-",
        "8Q~",
        ".atlasv1.",
        ":AA",
        "-us",
        "authorization ",
        "authorization:",
        "cookie=a",
        "login ",
        "login password ",
        "\\\"token\\\"",
        "\\",
        "\"",
        "'token' ",
        "data:;base64,",
        "ya29.",
        "sig=",
        "--token ",
        "-u a:",
        "private-lines: 1 ",
        "$6$",
        "token \t",
        "[{\"a\":",
        "curl ",
        "curl -u",
        "mysql -p",
        "login -p ",
        "redis-cli -a ",
        "set -x ",
        "TRUE\t/\t",
        "a:5432:",
        "<password>",
        "key=\"token",
        "AAAA\n-----END ",
        "A",
        "| token  ",
        "pass=",
        "_PASS",
        "$argon2id$",
        "token=\"a b",
        "password(\"",
        "hooks.slack.com/triggers/",
        "é",
        "…[",
    ];
    for piece in pieces {
        let text = piece.repeat(1_000_000 / piece.len());
        let result = scrub(&text);
        assert!(result.len() <= text.len() * 6, "{piece}");
    }
}

#[test]
fn a_value_of_any_depth_is_walked() {
    let mut value = json!({ "password": "hunter2pass" });
    for level in 0..20_000 {
        value = if level % 2 == 0 {
            Value::Array(vec![value])
        } else {
            Value::Object([("a".to_owned(), value)].into_iter().collect())
        };
    }
    scrub_json(&mut value);
    // Taken apart by hand: dropping it would be recursive.
    loop {
        value = match value {
            Value::Array(mut values) => values.pop().unwrap(),
            Value::Object(mut object) if object.contains_key("a") => object.remove("a").unwrap(),
            value => break assert_eq!(value, json!({ "password": "[SECRET_DETECTED]" })),
        };
    }
}

#[test]
fn json_text_of_any_depth_is_walked() {
    let depth = 50_000;
    let text = format!("{}\"ya29.FAKE\"{}", "[".repeat(depth), "]".repeat(depth));
    let expected = text.replace("ya29.FAKE", "[SECRET_DETECTED]");
    assert_eq!(scrub(&text), expected);
}

#[test]
fn beyond_the_published_depth_secrets_are_found() {
    let mut value = json!("Bearer fake.fake-fake");
    for _ in 0..60 {
        value = json!({ "k": [value] });
    }
    scrub_json(&mut value);
    assert!(value.to_string().contains("Bearer [SECRET_DETECTED]"));
}

#[test]
fn json_in_json_in_json_is_found_however_often_it_is_wrapped() {
    let mut text = json!({ "password": "correct horse \"battery\"" }).to_string();
    for _ in 0..6 {
        text = json!({ "arguments": text }).to_string();
    }
    let mut result = scrub(&text);
    for _ in 0..6 {
        let value: Value = serde_json::from_str(&result).unwrap();
        result = value["arguments"].as_str().unwrap().to_owned();
    }
    assert_eq!(result, r#"{"password":"[SECRET_DETECTED]"}"#);
}

#[test]
fn structure_that_says_secret_is_enough() {
    let check = |mut value: Value, expected: &Value| {
        let text = value.to_string();
        scrub_json(&mut value);
        assert_eq!(&value, expected);
        assert_eq!(
            &serde_json::from_str::<Value>(&scrub(&text)).unwrap(),
            expected
        );
    };
    let gone = "[SECRET_DETECTED]";
    check(
        json!({ "password": "hunter2pass" }),
        &json!({ "password": gone }),
    );
    check(
        json!({ "dbPassword": "two words" }),
        &json!({ "dbPassword": gone }),
    );
    check(
        json!({ "accessToken": "abcdefgh" }),
        &json!({ "accessToken": gone }),
    );
    check(
        json!({ "Authorization": "Custom abcdefgh" }),
        &json!({ "Authorization": gone }),
    );
    check(
        json!({ "env": [{ "name": "API_KEY", "value": "abcdefgh" }] }),
        &json!({ "env": [{ "name": "API_KEY", "value": gone }] }),
    );
    check(
        json!(["login", "--token", "abcdefgh"]),
        &json!(["login", "--token", gone]),
    );
    check(
        json!({ "ya29.FAKE": 1, "b": 2 }),
        &json!({ "[SECRET_DETECTED]": 1, "b": 2 }),
    );
    check(
        json!({ "password": "short" }),
        &json!({ "password": "short" }),
    );
    check(
        json!({ "tokenizer": "o200k_base" }),
        &json!({ "tokenizer": "o200k_base" }),
    );
}
