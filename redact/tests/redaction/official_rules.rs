//! Every published rule with its published test strings: `+` must change, `-` must not. Secrets
//! are put together from pieces, so that no scanner takes this file for a leak.

use crate::common::{scrub, scrub_json};
use serde_json::json;

/// `(must change?, text)`.
type Row = (bool, String);

fn plus(text: impl Into<String>) -> Row {
    (true, text.into())
}

fn minus(text: impl Into<String>) -> Row {
    (false, text.into())
}

fn check(rule: &str, rows: &[Row]) {
    for (changes, text) in rows {
        let result = scrub(text);
        assert_eq!(
            result != *text,
            *changes,
            "{rule}: {text:?} became {result:?}"
        );
        assert_eq!(
            result.contains("[SECRET_DETECTED]"),
            *changes,
            "{rule}: {text:?}"
        );
        assert_eq!(
            scrub(&result),
            result,
            "{rule}: not idempotent for {text:?}"
        );

        // The same at some depth of a value, and in JSON inside a string.
        let mut value = json!({ "a": [{ "b": { "text": text } }] });
        let original = value.clone();
        scrub_json(&mut value);
        assert_eq!(value != original, *changes, "{rule}: in a value");
        let embedded = original.to_string();
        let result = scrub(&embedded);
        assert_eq!(
            result != embedded,
            *changes,
            "{rule}: {embedded:?} became {result:?}"
        );
        serde_json::from_str::<serde_json::Value>(&result).expect("still JSON");
    }
}

#[test]
fn keys_of_model_providers() {
    check(
        "Anthropic",
        &[
            plus("sk-ant-FAKE-FAKE-FAKE-FAKE-0001"),
            plus("k=sk-ant-api03-EXAMPLEEXAMPLEEXAMPLE_x"),
            minus("sk-ant-tooshort"),
        ],
    );
    check(
        "OpenAI scoped",
        &[
            plus("sk-proj-FAKEFAKEFAKEFAKEFAKE"),
            plus("sk-admin-FAKE_FAKE_FAKE_FAKE_00"),
            minus("sk-proj-short"),
        ],
    );
    check(
        "OpenAI legacy",
        &[
            plus("sk-".to_owned() + &"FAKE".repeat(8)),
            plus(format!("x sk-{} y", "Ab12".repeat(9))),
            minus("sk-".to_owned() + &"FAKE".repeat(7)),
        ],
    );
    check(
        "LangSmith v2",
        &[
            plus(format!("lsv2_pt_{}_0123456789", "fa4e".repeat(8))),
            plus("lsv2_sk_".to_owned() + &"0fake".repeat(7)),
            minus("lsv2_pt_fake_0123"),
        ],
    );
    check(
        "LangSmith v1",
        &[
            plus("ls__".to_owned() + &"fake".repeat(4)),
            plus("key ls__".to_owned() + &"f4ke".repeat(8)),
            minus("ls__fake"),
        ],
    );
}

#[test]
fn tokens_of_code_hosts_and_registries() {
    check(
        "GitHub token",
        &[
            plus("ghp_".to_owned() + &"Fake".repeat(9)),
            plus("ghs_".to_owned() + &"F4ke".repeat(10)),
            minus("ghp_".to_owned() + &"Fake".repeat(8)),
        ],
    );
    check(
        "GitHub fine PAT",
        &[
            plus(format!("github_pat_{}ab", "Fake_".repeat(16))),
            plus("x=github_pat_".to_owned() + &"F".repeat(82)),
            minus("github_pat_".to_owned() + &"F".repeat(81)),
        ],
    );
    check(
        "GitLab PAT",
        &[
            plus("glpat-FAKEFAKEFAKEFAKEFAKE"),
            plus("glpat-fake_fake-fake_fake-00"),
            minus("glpat-FAKEFAKEFAKE"),
        ],
    );
    check(
        "npm",
        &[
            plus("npm_".to_owned() + &"Fake".repeat(9)),
            plus("//r/:_authToken npm_".to_owned() + &"F4ke".repeat(9)),
            minus("npm_".to_owned() + &"Fake".repeat(8)),
        ],
    );
    check(
        "PyPI",
        &[
            plus("pypi-AgEIcHlwaS".to_owned() + &"Fake_".repeat(10)),
            plus("x pypi-AgEIcHlwaS".to_owned() + &"fake-".repeat(11)),
            minus("pypi-AgEIcHlwaS".to_owned() + &"Fake_".repeat(9)),
        ],
    );
}

#[test]
fn keys_of_clouds_and_services() {
    check(
        "AWS key id",
        &[
            plus("AKIA".to_owned() + &"FAKE".repeat(4)),
            plus(format!("id=A3TX{};", "FAKE".repeat(4))),
            plus(format!("éAKIA{}", "FAKE".repeat(4))),
            minus(format!("AKIA{}1", "FAKE".repeat(4))),
        ],
    );
    check(
        "Google API key",
        &[
            plus("AIza".to_owned() + &"FakeF".repeat(7)),
            plus("?key=AIza".to_owned() + &"_-fak".repeat(7)),
            minus("AIza".to_owned() + &"FakeF".repeat(6)),
        ],
    );
    check(
        "Google OAuth",
        &[
            plus("ya29.FAKE"),
            plus("t ya29.a0_fake-token z"),
            minus("ya29 FAKE"),
        ],
    );
    check(
        "Slack token",
        &[
            plus("xoxb-".to_owned() + "0000-fake-fake"),
            plus("xoxp-".to_owned() + &"FAKE".repeat(3)),
            minus("xoxb-fake"),
        ],
    );
    check(
        "Slack app token",
        &[
            plus("xapp-1-".to_owned() + &"FAKE".repeat(3)),
            plus("xapp-9-fake-fake-fake"),
            minus("xapp-12-".to_owned() + &"FAKE".repeat(3)),
        ],
    );
    check(
        "Slack webhook",
        &[
            plus("https://hooks.slack.com/services/T0FAKE/B0FAKE/fake"),
            plus("see https://hooks.slack.com/services/X"),
            minus("https://hooks.slack.com/workflows/T0FAKE"),
        ],
    );
    check(
        "Stripe",
        &[
            plus("sk_live_".to_owned() + &"Fake".repeat(5)),
            plus("rk_test_".to_owned() + &"F4ke".repeat(6)),
            minus("pk_live_".to_owned() + &"Fake".repeat(5)),
        ],
    );
    check(
        "SendGrid",
        &[
            plus(format!("SG.{}.{}", "Fa".repeat(11), "k".repeat(43))),
            plus(format!("(SG.{}.{})", "-_".repeat(11), "F".repeat(43))),
            minus(format!("SG.{}.{}", "F".repeat(21), "k".repeat(43))),
        ],
    );
}

#[test]
fn tokens_and_keys_in_standard_forms() {
    check(
        "JWT",
        &[
            plus("eyJfake.eyJfake.fake"),
            plus("t=eyJ0-A_.eyJ1-B_.sig"),
            minus("eyJfake.payload.fake"),
        ],
    );
    let pem = |kind: &str| format!("-----BEGIN {kind}-----\nFAKE\n-----END {kind}-----");
    check(
        "PEM",
        &[
            plus(pem("PRIVATE KEY")),
            plus(pem("RSA PRIVATE KEY")),
            plus(pem("PGP PRIVATE KEY BLOCK")),
            minus(pem("PUBLIC KEY")),
        ],
    );
}

#[test]
fn secrets_known_by_their_name() {
    check(
        "NAME = value",
        &[
            plus("MY_API_KEY=fakefake"),
            plus(r#"{"db.password": "fake-pass"}"#),
            minus("tokenizer=fakefake"),
        ],
    );
    check(
        "auth header",
        &[
            plus("Authorization: Basic ZmFrZTpmYWtl"),
            plus("'authorization': 'fakefake0'"),
            minus("authorization: fake"),
        ],
    );
    check(
        "bearer",
        &[
            plus("curl -H bearer fake.fake-fake"),
            plus("BEARER  0123456789fake=="),
            minus("bearer of news"),
        ],
    );
    check(
        "URL password",
        &[
            plus("postgres://app:fakepw@db/x"),
            plus("redis://:fakepw@host:6379"),
            minus("https://example.com:8443/a@b"),
        ],
    );
}

#[test]
fn what_stands_around_a_secret_stays() {
    let check = |text: &str, expected: &str| assert_eq!(scrub(text), expected);
    check(
        "MY_API_KEY=fakefake rest",
        "MY_API_KEY=[SECRET_DETECTED] rest",
    );
    check(
        "{'token' : 'bearer fakefake'}",
        "{'token' : '[SECRET_DETECTED]'}",
    );
    check(
        "Authorization: Basic ZmFrZTpmYWtl",
        "Authorization: Basic [SECRET_DETECTED]",
    );
    check(
        "x Bearer 0123456789fake==\r\ny",
        "x Bearer [SECRET_DETECTED]\r\ny",
    );
    check(
        "postgres://app:fakepw@db/x",
        "postgres://app:[SECRET_DETECTED]@db/x",
    );
    check(
        "postgres://app:fa@ke:pw@db/x",
        "postgres://app:[SECRET_DETECTED]@db/x",
    );
    check(
        r#"{"db.password": "fake-pass"}"#,
        r#"{"db.password": "[SECRET_DETECTED]"}"#,
    );
    check(
        r#"log: {\"password\": \"hunter2pass\", \"n\": 1}"#,
        r#"log: {\"password\": \"[SECRET_DETECTED]\", \"n\": 1}"#,
    );
    check(
        r#"log: \\\"password\\\": \\\"hunter2pass\\\""#,
        r#"log: \\\"password\\\": \\\"[SECRET_DETECTED]\\\""#,
    );
    check(
        "password: |\n  hunter2pass\nnext",
        "password: |\n  [SECRET_DETECTED]\nnext",
    );
    check(
        "see https://hooks.slack.com/services/T0FAKE/B0FAKE/fake.",
        "see [SECRET_DETECTED].",
    );
}
