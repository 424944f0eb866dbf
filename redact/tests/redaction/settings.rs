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

#[test]
fn extra_rules_hide_keys_of_values_and_of_json_in_texts_with_and_without_the_built_in_ones() {
    for secrets in [true, false] {
        let rules = [rule("CUST-[0-9]+", Some("<customer>")), rule("Jane", None)];
        let (redactor, _) = Redactor::new(secrets, &rules, None, Images::Keep);
        let mut value = json!({ "CUST-17": 1, "CUST-18": [{ "Jane": "CUST-19" }], "kept": 2 });
        redactor.json(&mut value);
        let expected =
            json!({ "<customer>": 1, "<customer> 2": [{ "[redacted]": "<customer>" }], "kept": 2 });
        assert_eq!(value, expected, "{secrets}");
        let given = r#"{"CUST-17": {"Jane": "in", "kept": 2}}"#;
        let expected = r#"{"<customer>": {"[redacted]": "in", "kept": 2}}"#;
        assert_eq!(text(&redactor, given), expected, "{secrets}");
    }
}

#[test]
fn an_extra_rule_that_rewrites_a_key_does_not_show_the_secret_under_it() {
    let hostile = [rule(
        r"(?i)secret\w*|password|token|^value$|^name$",
        Some("[x]"),
    )];
    let (redactor, _) = Redactor::new(true, &hostile, None, Images::Keep);
    let mut value = json!({
        "client_secret": "hunter2hunter2",
        "password": "hunter2hunter2",
        "tokens": { "token": ["hunter2hunter2"] },
        "pair": { "name": "API_KEY", "value": "hunter2hunter2" },
    });
    redactor.json(&mut value);
    assert!(!value.to_string().contains("hunter2"), "{value}");
}

#[test]
fn rules_that_double_a_text_thirty_times_make_it_ten_times_as_long_at_most() {
    let double = rule("(?s).+", Some("$0$0"));
    let letters = rule("(?s).", Some("${0}${0}${0}${0}"));
    let nothing = rule("", Some("nothing but words where nothing was"));
    let long = rule("a", Some(&"long ".repeat(100_000)));
    for hostile in [double, letters, nothing, long] {
        let rules = vec![hostile; 30];
        let redactor = redactor(&rules, None, Images::Keep);
        let in_json = serde_json::to_string(&vec!["a"; 5000]).unwrap();
        for given in ["a".repeat(10_000), in_json, "a".to_owned()] {
            let result = text(&redactor, &given);
            let bound = given.len() * 10 + 128;
            assert!(result.len() <= bound, "{} > {bound}", result.len());
        }
    }
}

#[test]
fn what_a_rule_takes_out_is_gone_also_where_its_replacement_has_no_room() {
    let rules = [rule(
        "[0-9]",
        Some(&"<a digit of the customer's>".repeat(3)),
    )];
    let redactor = redactor(&rules, None, Images::Keep);
    let given = "0123456789".repeat(100);
    let result = text(&redactor, &given);
    assert!(
        result.starts_with("<a digit of the customer's>"),
        "{result}"
    );
    assert!(!result.contains(|c: char| c.is_ascii_digit()), "{result}");
    assert!(result.len() <= given.len() * 10 + 128);
}

#[test]
fn rules_beyond_what_all_may_take_are_reported_and_those_before_them_live_on() {
    let reported = |rules: &[ExtraRule]| -> Vec<usize> {
        let (redactor, problems) = Redactor::new(true, rules, None, Images::Keep);
        assert_eq!(text(&redactor, "first"), "[redacted]");
        problems.iter().map(|problem| problem.index).collect()
    };
    let with_first = |others: Vec<ExtraRule>| [vec![rule("first", None)], others].concat();
    // One report for all that are too many.
    assert_eq!(reported(&with_first(vec![rule("x", None); 5000])), [100]);
    assert!(reported(&with_first(vec![rule("x", None); 99])).is_empty());
    // Of rules that take up to 1 MiB each, 15 have room beside another.
    let large = with_first(vec![rule("a{10000}", None); 40]);
    assert_eq!(reported(&large), (16..=40).collect::<Vec<usize>>());
    assert_eq!(
        reported(&with_first(vec![rule(&"a".repeat(9000), None)])),
        [1]
    );
}

#[test]
fn rules_that_prove_too_large_cost_no_more_than_those_that_have_room() {
    let rules = [vec![rule(r"\w{1000}", None); 40], vec![rule("last", None)]].concat();
    let (redactor, problems) = Redactor::new(true, &rules, None, Images::Keep);
    let tried = |problem: &&RuleProblem| problem.reason.contains("takes more than 1048576 bytes");
    assert_eq!(problems.iter().filter(tried).count(), 16);
    let untried = |problem: &&RuleProblem| problem.reason.contains("the rules before it");
    assert_eq!(
        problems.iter().filter(untried).count(),
        25,
        "the last one too"
    );
    assert_eq!(text(&redactor, "last"), "last");
}
