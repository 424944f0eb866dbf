//! Extra rules, limits, images, and doing nothing.

use std::borrow::Cow;

use codex_tracing_redact::{ExtraRule, Images, Redactor, RuleProblem};
use codex_tracing_transcript::Scrub;
use serde_json::json;

use crate::secrets::secret;

fn rule(pattern: &str, replace: Option<&str>) -> ExtraRule {
    ExtraRule {
        pattern: pattern.into(),
        replace: replace.map(str::to_owned),
    }
}

fn redactor(extra: &[ExtraRule], limit: Option<usize>, images: Images) -> Redactor {
    let (redactor, problems) = Redactor::new(true, extra, limit, images);
    assert_eq!(problems, []);
    redactor
}

fn text(redactor: &Redactor, text: &str) -> String {
    redactor.text(Cow::Borrowed(text))
}

#[test]
fn extra_rules_run_after_the_built_in_ones() {
    let rules = [
        rule("CASE-([0-9]+)", Some("CASE-<$1>")),
        rule("Jane Doe", None),
        rule(
            r"\[SECRET_DETECTED\] \(mine\)",
            Some("[SECRET_DETECTED] (yours)"),
        ),
    ];
    let redactor = redactor(&rules, None, Images::Keep);
    let check = |from: &str, to: &str| assert_eq!(text(&redactor, from), to);
    check("CASE-17 case-18", "CASE-<17> case-18");
    check("by Jane Doe, Jane Doe", "by [redacted], [redacted]");
    check(
        "API_KEY=fakefake (mine)",
        "API_KEY=[SECRET_DETECTED] (yours)",
    );
    check(r#"{"a":"Jane \u0044oe"}"#, r#"{"a":"[redacted]"}"#);
}

#[test]
fn an_extra_rule_written_for_json_text_must_leave_json_behind() {
    let whole = redactor(
        &[rule(r#""mail":"[^"]+""#, Some(r#""mail":"x""#))],
        None,
        Images::Keep,
    );
    assert_eq!(text(&whole, r#"{"mail":"a@b.c"}"#), r#"{"mail":"x"}"#);
    let breaking = redactor(&[rule(r#""mail":"#, Some("gone"))], None, Images::Keep);
    assert_eq!(
        text(&breaking, r#"{"mail":"a@b.c"}"#),
        r#"{"mail":"a@b.c"}"#
    );
    assert_eq!(text(&breaking, r#"> "mail":1"#), "> gone1");
}

#[test]
fn a_bad_rule_is_reported_and_the_others_live_on() {
    let rules = [
        rule("(", None),
        rule("fine", None),
        rule("(?=look)", None),
        rule("(?:a{1000}){1000}", None),
    ];
    let (redactor, problems) = Redactor::new(true, &rules, None, Images::Keep);
    let indexes: Vec<usize> = problems.iter().map(|problem| problem.index).collect();
    assert_eq!(indexes, [0, 2, 3]);
    for RuleProblem { reason, .. } in &problems {
        assert!(
            !reason.is_empty() && !reason.contains('\n') && !reason.contains("(?"),
            "{reason}"
        );
    }
    assert!(
        problems[0]
            .to_string()
            .starts_with("redact rule 0 skipped: ")
    );
    assert_eq!(
        text(&redactor, "fine API_KEY=fakefake"),
        "[redacted] API_KEY=[SECRET_DETECTED]"
    );
}

#[test]
fn a_secret_is_gone_before_the_cut_could_leave_half_of_it() {
    let key = secret("anthropic").unwrap();
    for at in 0..200 {
        let long = format!("{}{key}{}", "a ".repeat(at), "z ".repeat(300 - at));
        let redactor = redactor(&[], Some(200), Images::Keep);
        let result = text(&redactor, &long);
        assert!(
            !result.contains(&key[..12]) && !result.contains(&key[key.len() - 8..]),
            "{result}"
        );
        assert!(result.contains("bytes omitted by max_field_bytes]"));
        assert!(result.len() <= 200);
    }
}

#[test]
fn each_string_of_a_value_has_the_limit_for_itself() {
    let redactor = redactor(&[], Some(80), Images::Keep);
    let mut value = json!({ "a": "x".repeat(100), "b": ["y".repeat(80), 7] });
    redactor.json(&mut value);
    let expected = format!(
        "{0}…[64 bytes omitted by max_field_bytes]…{0}",
        "x".repeat(18)
    );
    assert_eq!(value, json!({ "a": expected, "b": ["y".repeat(80), 7] }));
}

#[test]
fn images_stay_or_become_references_or_go() {
    // Ten times the first eight bytes of a PNG file.
    let base64 = concat!(
        "iVBORw0KGgqJUE5HDQoaColQTkcNChoKiVBORw0KGgqJUE5HDQoaColQ",
        "TkcNChoKiVBORw0KGgqJUE5HDQoaColQTkcNChoKiVBORw0KGgo=",
    );
    let url = format!("data:image/png;base64,{base64}");
    let reference = "[image image/png, 80 bytes, sha256 3a2cefa80bc2833e]";
    let check = |images: Images, given: &str, expected: &str| {
        let redactor = redactor(&[], None, images);
        assert_eq!(redactor.image(Cow::Borrowed(given)), expected, "{images:?}");
    };
    check(Images::Keep, &url, &url);
    check(Images::Reference, &url, reference);
    check(Images::Omit, &url, "[image omitted]");
    check(
        Images::Keep,
        "https://a:fakepw@b/c.png",
        "https://a:[SECRET_DETECTED]@b/c.png",
    );
    check(Images::Reference, "/home/dev/c.png", "/home/dev/c.png");
    check(Images::Omit, "/home/dev/c.png", "[image omitted]");

    check(
        Images::Reference,
        "data:image/svg+xml,<svg/>",
        "[image image/svg+xml, 6 bytes, sha256 d4dc56669143034f]",
    );

    let by_reference = redactor(&[], None, Images::Reference);
    let mut value = json!([
        { "type": "image", "data": base64, "mimeType": "image/png" },
        { "type": "resource", "resource": { "blob": "AAAA", "mimeType": "application/pdf" } },
        { "type": "image_generation_call", "result": base64 },
        { "image_url": { "url": url } },
        { "text": format!("see ![a]({url}) and data:text/plain,x") },
    ]);
    by_reference.json(&mut value);
    assert_eq!(value[0]["data"].as_str(), Some(reference));
    assert_eq!(
        value[1]["resource"]["blob"].as_str(),
        Some("[binary application/pdf, 3 bytes, sha256 709e80c88487a241]")
    );
    assert_eq!(value[2]["result"].as_str(), Some(reference));
    assert_eq!(value[3]["image_url"]["url"].as_str(), Some(reference));
    let text = format!("see ![a]({reference}) and data:text/plain,x");
    assert_eq!(value[4]["text"].as_str(), Some(text.as_str()));
}

#[test]
fn a_text_that_begins_like_a_data_url_is_a_text() {
    for images in [Images::Keep, Images::Reference, Images::Omit] {
        let redactor = redactor(&[], None, images);
        for given in [
            "data: a, API_KEY=fakefake",
            "data:,API_KEY=fakefake",
            "data:text/plain,API_KEY=fakefake",
        ] {
            assert!(
                text(&redactor, given).ends_with("API_KEY=[SECRET_DETECTED]"),
                "{given}"
            );
        }
    }
}

#[test]
fn an_image_over_the_limit_is_referred_to_and_not_cut_in_half() {
    let url = format!("data:image/jpeg;base64,{}", "/9j/".repeat(100));
    let redactor = redactor(&[], Some(100), Images::Keep);
    let result = redactor.image(Cow::Borrowed(&url));
    assert!(
        result.starts_with("[image image/jpeg, 300 bytes, sha256 "),
        "{result}"
    );
    let mut value = json!({ "data": "/9j/".repeat(100), "mimeType": "image/jpeg" });
    redactor.json(&mut value);
    assert_eq!(value["data"].as_str(), Some(result.as_str()));
}

#[test]
fn without_any_setting_nothing_changes() {
    let (redactor, _) = Redactor::new(false, &[], None, Images::Keep);
    let given = "API_KEY=fakefake data:image/png;base64,AAAA";
    assert_eq!(text(&redactor, given), given);
    let mut value = json!({ "password": given });
    redactor.json(&mut value);
    assert_eq!(value, json!({ "password": given }));
}
