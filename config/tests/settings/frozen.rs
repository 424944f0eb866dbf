//! What stays in force when a Braintrust session is resumed.

use codex_tracing_config::{BraintrustSettings, Frozen, Layer, Product};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::scene::Scene;

fn load(pairs: &[(&str, &str)]) -> BraintrustSettings {
    let mut scene = Scene::new();
    for (name, value) in pairs {
        scene.var(name, *value);
    }
    scene.braintrust().settings
}

#[test]
fn the_first_sessions_settings_stay_and_the_key_is_todays() {
    let began = load(&[
        ("TRACE_TO_BRAINTRUST", "1"),
        ("BRAINTRUST_API_KEY", "sk-old"),
        ("BRAINTRUST_PROJECT", "first"),
        ("BRAINTRUST_ADDITIONAL_METADATA", r#"{"k": 1}"#),
        ("CODEX_PARENT_SPAN_ID", "p"),
        ("CODEX_ROOT_SPAN_ID", "r"),
        ("BRAINTRUST_ORG_NAME", "o"),
        ("BRAINTRUST_API_URL", "https://first.example"),
        ("BRAINTRUST_APP_URL", "https://app.first.example"),
    ]);
    let stored = serde_json::to_string(&began.freeze()).unwrap();
    assert!(!stored.contains("sk-old"));
    let frozen: Frozen = serde_json::from_str(&stored).unwrap();
    let today = load(&[
        ("BRAINTRUST_API_KEY", "sk-new"),
        ("BRAINTRUST_PROJECT", "second"),
        ("BRAINTRUST_API_URL", "https://first.example/"),
        ("BRAINTRUST_APP_URL", "https://app.first.example"),
    ]);
    let resumed = today.thaw(&frozen);
    assert_eq!(resumed.project, "first");
    assert_eq!(resumed.common.metadata, began.common.metadata);
    assert_eq!(resumed.api_url, began.api_url);
    assert_eq!(resumed.api_key.unwrap().expose_secret(), "sk-new");
}

#[test]
fn a_session_goes_on_at_its_first_endpoints_with_the_key_it_had_there_and_with_no_other() {
    const FIRST: [(&str, &str); 3] = [
        ("BRAINTRUST_API_KEY", "sk-first"),
        ("BRAINTRUST_API_URL", "https://first.example"),
        ("BRAINTRUST_APP_URL", "https://app.first.example"),
    ];
    let frozen = load(&FIRST).freeze();
    // Another shell, which knows the key and nothing else.
    let resumed = load(&FIRST[..1]).thaw(&frozen);
    assert_eq!(resumed.api_url.as_deref(), Some("https://first.example"));
    assert_eq!(resumed.app_url, "https://app.first.example");
    // A key that may be meant for somebody else.
    for second in [
        &[("BRAINTRUST_API_KEY", "sk-second")][..],
        &[
            ("BRAINTRUST_API_KEY", "sk-second"),
            ("BRAINTRUST_API_URL", "https://second.example"),
        ],
    ] {
        let today = load(second);
        let resumed = today.clone().thaw(&frozen);
        assert_eq!(resumed.api_url, today.api_url);
        assert_eq!(resumed.app_url, today.app_url);
    }
}

#[test]
fn while_nothing_has_arrived_a_session_goes_where_todays_settings_say_and_stays_what_it_is() {
    let frozen = load(&[
        ("TRACE_TO_BRAINTRUST", "1"),
        ("BRAINTRUST_API_KEY", "sk-mine"),
        ("BRAINTRUST_API_URL", "https://mistyped.example"),
        ("BRAINTRUST_PROJECT", "mistyped"),
        ("CODEX_PARENT_SPAN_ID", "parent"),
        ("BRAINTRUST_REDACT_EXTRA", r#"[{"pattern": "a"}]"#),
    ])
    .freeze();
    let today = load(&[
        ("BRAINTRUST_API_KEY", "sk-mine"),
        ("BRAINTRUST_API_URL", "https://right.example"),
        ("BRAINTRUST_PROJECT", "right"),
        ("BRAINTRUST_ORG_NAME", "right"),
    ]);
    let readdressed = frozen.clone().readdressed(&today);
    // From now on these stay in force.
    let resumed = load(&[("BRAINTRUST_API_KEY", "sk-mine")]).thaw(&readdressed);
    assert_eq!(resumed.api_url.as_deref(), Some("https://right.example"));
    assert_eq!(resumed.project, "right");
    assert_eq!(resumed.org_name.as_deref(), Some("right"));
    assert!(resumed.common.enabled);
    assert_eq!(resumed.parent_span_id.as_deref(), Some("parent"));
    assert_eq!(resumed.common.redact_extra_rules.len(), 1);
    assert_eq!(frozen.clone().readdressed(&resumed).app_url, frozen.app_url);
}

#[test]
fn neither_key_nor_anything_like_it_is_in_what_is_kept() {
    let frozen = load(&[("BRAINTRUST_API_KEY", "sk-0123456789abcdef")]).freeze();
    let stored = serde_json::to_string(&frozen).unwrap();
    assert!(!stored.contains("0123456789"));
    assert_eq!(frozen.key_mark.unwrap().len(), 8);
    assert_eq!(load(&[]).freeze().key_mark, None);
}

#[test]
fn redaction_only_gets_stricter() {
    let on = &[
        ("BRAINTRUST_REDACT", "on"),
        ("BRAINTRUST_REDACT_EXTRA", r#"[{"pattern": "b"}]"#),
    ];
    let off = &[
        ("BRAINTRUST_REDACT", "off"),
        ("BRAINTRUST_REDACT_EXTRA", r#"[{"pattern": "a"}]"#),
    ];
    for (began, today, redact, patterns) in [
        (off, off, false, &["a"][..]),
        (off, on, true, &["a", "b"]),
        (on, off, true, &["b", "a"]),
    ] {
        let resumed = load(today).thaw(&load(began).freeze());
        assert_eq!(resumed.common.redact, redact);
        let rules = resumed.common.redact_extra_rules.iter();
        assert_eq!(
            rules.map(|rule| rule.pattern.as_str()).collect::<Vec<_>>(),
            patterns
        );
    }
}

#[test]
fn an_endpoint_that_a_project_had_set_does_not_get_todays_key() {
    let mut scene = Scene::new();
    scene.trust_repo();
    let project = json!({"apiUrl": "https://x.example", "apiKey": "projects"});
    scene.settings(Product::Braintrust, Layer::Project, &project);
    scene.var("BRAINTRUST_API_KEY", "sk-mine");
    let began = scene.braintrust().settings;
    assert_eq!(began.api_url.as_deref(), Some("https://x.example"));
    let frozen = began.freeze();

    scene.codex_says(&scene.path("home"), "trusted");
    scene.write("home/.codex/config.toml", "");
    let resumed = scene.braintrust().settings.thaw(&frozen);
    assert_eq!(resumed.api_url, None);
    assert_eq!(resumed.api_key.unwrap().expose_secret(), "sk-mine");
}

fn read(kept: &serde_json::Value, today: &BraintrustSettings) -> Option<Frozen> {
    Frozen::read(kept.to_string().as_bytes(), today)
}

#[test]
fn what_the_first_writers_stored_without_a_version_is_read() {
    let least = json!({"enabled": true, "project": "p", "app_url": "https://a.example", "new": 1});
    let frozen = read(&least, &load(&[])).unwrap();
    assert!(frozen.redact && frozen.endpoints_from_project);
    assert_eq!(frozen.version, 1);
    let written = serde_json::to_value(load(&[]).freeze()).unwrap();
    assert_eq!(written["v"], 1);
}

#[test]
fn of_a_newer_format_what_still_reads_is_taken_and_todays_settings_hold_for_the_rest() {
    let today = load(&[
        ("TRACE_TO_BRAINTRUST", "1"),
        ("BRAINTRUST_PROJECT", "todays"),
        ("BRAINTRUST_ORG_NAME", "todays"),
    ]);
    for version in [json!(2), json!(u64::MAX)] {
        let newer = json!({
            "v": version, "project": {"id": "p"}, "org_name": "first", "more": 1,
            "app_url": "https://app.first.example",
        });
        let frozen = read(&newer, &today).unwrap();
        assert!(frozen.version > 1, "{version}");
        let resumed = today.clone().thaw(&frozen);
        assert!(resumed.common.enabled);
        assert_eq!(resumed.project, "todays");
        assert_eq!(resumed.org_name.as_deref(), Some("first"));
        assert_eq!(resumed.app_url, today.app_url);
    }
}

#[test]
fn by_what_a_newer_format_knows_a_key_again_is_not_taken_for_ours() {
    let key = ("BRAINTRUST_API_KEY", "sk-first");
    let began = load(&[key, ("BRAINTRUST_API_URL", "https://first.example")]);
    let today = load(&[key]);
    let mut kept = serde_json::to_value(began.freeze()).unwrap();
    assert!(today.rejoins(&read(&kept, &today).unwrap()));
    kept["v"] = json!(2);
    assert!(!today.rejoins(&read(&kept, &today).unwrap()));
    assert!(began.rejoins(&read(&kept, &today).unwrap()));
}

#[test]
fn what_no_version_wrote_is_not_settings() {
    for broken in ["", "{", "[]", "{}", r#"{"v": 1}"#, r#"{"v": "2"}"#, "\0\0"] {
        let read = Frozen::read(broken.as_bytes(), &load(&[]));
        assert_eq!(read, None, "{broken:?}");
    }
}
