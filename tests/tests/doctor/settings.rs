use std::fs;

use super::home::{Home, check};

#[test]
fn tracing_that_nothing_switches_on_is_found() {
    let found = check(
        "tracing-off",
        |home| home.unset("TRACE_TO_LANGSMITH"),
        |home| home.put(".codex/langsmith.json", r#"{"enabled": true}"#),
    );
    let file = ".codex/langsmith.json";
    assert!(
        found.cure.contains("\"enabled\": true") && found.cure.ends_with(file),
        "{found:?}"
    );
}

#[test]
fn tracing_that_a_layer_switches_off_is_found_with_that_layer() {
    let found = check(
        "tracing-off",
        |home| home.set("TRACE_TO_LANGSMITH", "false"),
        |home| home.set("TRACE_TO_LANGSMITH", "true"),
    );
    assert!(found.cause.contains("TRACE_TO_LANGSMITH"), "{found:?}");
    let found = check(
        "tracing-off",
        |home| {
            home.unset("TRACE_TO_LANGSMITH");
            home.put(".codex/langsmith.json", r#"{"enabled": false}"#);
        },
        |home| home.put(".codex/langsmith.json", r#"{"enabled": true}"#),
    );
    assert!(found.cause.contains("langsmith.json"), "{found:?}");
}

#[test]
fn tracing_that_only_an_unknown_project_switches_on_is_found_with_its_file() {
    let found = check(
        "tracing-off",
        |home| {
            home.unset("TRACE_TO_LANGSMITH");
            fs::create_dir_all(home.app().join(".git")).unwrap();
            home.put("app/.codex/langsmith.json", r#"{"enabled": true}"#);
            let (findings, _) = home.doctor(&[]);
            let dropped = findings.iter().find(|found| found.id == "setting-dropped");
            let cure = &dropped.unwrap().cure;
            assert!(cure.contains("CODEX_TRACING_TRUST_PROJECT=1"), "{cure}");
        },
        trust_app,
    );
    assert!(
        found.cause.contains("app/.codex/langsmith.json"),
        "{found:?}"
    );
    assert!(found.cure.contains("trust the project"), "{found:?}");
}

/// Codex's entry for the project.
fn trust_app(home: &mut Home) {
    let app = home.app().canonicalize().unwrap();
    let table = format!(
        "\n[projects.\"{}\"]\ntrust_level = \"trusted\"\n",
        app.display()
    );
    home.append_config(&table);
}

#[test]
fn a_missing_key_is_found() {
    check(
        "key-missing",
        |home| home.unset("LANGSMITH_API_KEY"),
        |home| {
            home.set(
                "LANGSMITH_API_KEY",
                "lsv2_pt_0123456789abcdef0123456789abcdef",
            );
        },
    );
}

#[test]
fn a_malformed_key_is_found_without_being_shown() {
    for (key, shown) in [
        ("two words-4711", "4711"),
        ("<your key 4711>", "4711"),
        ("ключ-4711", "4711"),
        ("$KEY_4711", "4711"),
        ("sk-4711...", "4711"),
    ] {
        let found = check(
            "key-malformed",
            |home| home.set("LANGSMITH_API_KEY", key),
            |home| {
                home.set(
                    "LANGSMITH_API_KEY",
                    "lsv2_pt_0123456789abcdef0123456789abcdef",
                );
            },
        );
        assert_eq!(found.level, "problem");
        assert!(!found.cause.contains(shown), "{found:?}");
    }
}

#[test]
fn a_key_that_refers_to_a_variable_not_set_is_found() {
    let found = check(
        "key-malformed",
        |home| {
            home.unset("LANGSMITH_API_KEY");
            home.put(".codex/langsmith.json", r#"{"apiKey": "${COMPANY_KEY}"}"#);
        },
        |home| home.set("COMPANY_KEY", "lsv2_pt_0123456789abcdef0123456789abcdef"),
    );
    assert!(found.cure.contains("COMPANY_KEY"), "{found:?}");
}

#[test]
fn an_address_that_cannot_be_used_is_a_problem_that_says_where_traces_go_instead() {
    let mut instead = String::new();
    let found = check(
        "setting-dropped",
        |home| {
            home.set("LANGSMITH_CODEX_ENDPOINT", "ftp://ours.invalid");
            instead = home.collector.url();
        },
        |home| home.unset("LANGSMITH_CODEX_ENDPOINT"),
    );
    assert_eq!(found.level, "problem");
    assert!(
        found.cure.contains(&format!("{instead} counts")),
        "{found:?}"
    );
}

#[test]
fn settings_that_are_no_object_are_found_with_what_to_write() {
    let found = check(
        "settings-file",
        |home| home.put(".codex/langsmith.json", "null"),
        |home| home.put(".codex/langsmith.json", "{}"),
    );
    assert!(found.cure.contains("one object"), "{found:?}");
}

#[test]
fn plain_http_to_another_machine_is_found() {
    let found = check(
        "plain-http",
        |home| home.set("LANGSMITH_CODEX_ENDPOINT", "http://tracing.invalid"),
        |home| home.unset("LANGSMITH_CODEX_ENDPOINT"),
    );
    assert_eq!(found.level, "warning");
    assert!(
        found.cause.contains("LANGSMITH_CODEX_ENDPOINT"),
        "{found:?}"
    );
    assert!(found.cure.contains("https"), "{found:?}");
}

#[test]
fn a_settings_file_that_counts_for_nothing_is_found_before_its_consequences() {
    let found = check(
        "settings-file",
        |home| {
            home.unset("TRACE_TO_LANGSMITH");
            home.put(".codex/langsmith.json", "{\n\"enabled\": true,\n}");
            let (findings, _) = home.doctor(&[]);
            let place = |id: &str| findings.iter().position(|found| found.id == id);
            assert!(
                place("settings-file") < place("tracing-off"),
                "{findings:?}"
            );
        },
        |home| home.put(".codex/langsmith.json", r#"{"enabled": true}"#),
    );
    assert_eq!(found.level, "problem");
    assert!(found.cause.contains("line 3: a comma before"), "{found:?}");
}

#[test]
fn a_switch_of_other_tools_is_told_from_the_one_that_counts() {
    let found = check(
        "tracing-off",
        |home| {
            home.unset("TRACE_TO_LANGSMITH");
            home.set("LANGSMITH_TRACING", "true");
        },
        |home| home.set("TRACE_TO_LANGSMITH", "true"),
    );
    assert!(found.cause.contains("LANGSMITH_TRACING"), "{found:?}");
    assert!(found.cure.contains(".codex/langsmith.json"), "{found:?}");
}

#[test]
fn a_setting_that_could_not_be_used_is_found() {
    check(
        "setting-dropped",
        |home| home.put(".codex/langsmith.json", r#"{"max_field_bytes": "many"}"#),
        |home| home.put(".codex/langsmith.json", "{}"),
    );
}

#[test]
fn a_callers_run_that_turns_cannot_be_nested_under_is_found() {
    let headers = |home: &mut Home, trace: &str| {
        let value = format!("{{\"langsmith-trace\": \"{trace}\"}}");
        home.set("LANGSMITH_CODEX_PARENT_HEADERS", &value);
    };
    check(
        "parent-headers",
        |home| headers(home, "nonsense"),
        |home| {
            headers(
                home,
                "20260102T030405678001Z019b7ca9-8f2e-7000-8000-000000000001",
            );
        },
    );
}

#[test]
fn a_redaction_rule_that_could_not_be_used_is_found() {
    check(
        "redact-rule",
        |home| {
            let rules = r#"{"redact_extra_rules": [{"pattern": "(", "replace": "x"}]}"#;
            home.put(".codex/langsmith.json", rules);
        },
        |home| home.put(".codex/langsmith.json", "{}"),
    );
}

#[test]
fn a_project_file_that_counts_in_part_is_found() {
    let found = check(
        "project-limited",
        |home| {
            fs::create_dir_all(home.app().join(".git")).unwrap();
            home.put("app/.codex/langsmith.json", r#"{"project": "p"}"#);
        },
        trust_app,
    );
    assert!(
        found.cause.contains("app/.codex/langsmith.json"),
        "{found:?}"
    );
}

#[test]
fn a_project_file_that_is_ignored_is_found() {
    check(
        "project-ignored",
        |home| {
            fs::create_dir_all(home.app().join(".git")).unwrap();
            home.put("app/.codex/langsmith.json", r#"{"project": "p"}"#);
            let app = home.app().canonicalize().unwrap();
            let table = format!(
                "\n[projects.\"{}\"]\ntrust_level = \"untrusted\"\n",
                app.display()
            );
            home.append_config(&table);
        },
        |home| home.edit_config("\"untrusted\"", "\"trusted\""),
    );
}

const WITH_KEY: &str = r#"{"api_key": "lsv2_pt_0123456789abcdef0123456789abcdef"}"#;

#[test]
fn a_key_file_that_others_can_read_is_found() {
    let found = check(
        "key-file-readable",
        |home| {
            home.put(".codex/langsmith.json", WITH_KEY);
            home.chmod(".codex/langsmith.json", 0o644);
        },
        |home| home.chmod(".codex/langsmith.json", 0o600),
    );
    assert!(found.cure.contains("chmod 600"), "{found:?}");
}

#[test]
fn a_key_file_that_git_tracks_is_found() {
    check(
        "key-file-tracked",
        |home| {
            home.put("app/.codex/langsmith.json", WITH_KEY);
            home.chmod("app/.codex/langsmith.json", 0o600);
            home.git(&["init", "-q"]);
            home.git(&["add", "-f", ".codex/langsmith.json"]);
            trust_app(home);
        },
        |home| {
            home.git(&["rm", "-q", "--cached", ".codex/langsmith.json"]);
        },
    );
}

#[test]
fn a_project_s_key_that_counts_only_with_trust_is_found() {
    check(
        "key-not-used",
        |home| {
            fs::create_dir_all(home.app().join(".git")).unwrap();
            home.put("app/.codex/langsmith.json", WITH_KEY);
            home.chmod("app/.codex/langsmith.json", 0o600);
        },
        trust_app,
    );
}
