//! Spellings and forms that count.

use codex_tracing_config::{ImagePolicy, Layer, Product};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::scene::{Scene, effective};

#[test]
fn switches_are_read_in_any_case_and_blank_variables_count_as_unset() {
    for (word, on) in [
        ("true", true),
        ("TRUE", true),
        ("1", true),
        ("Yes", true),
        (" on ", true),
        ("false", false),
        ("0", false),
        ("NO", false),
        ("Off", false),
        ("", true),
        ("   ", true),
    ] {
        for (product, var) in [
            (Product::LangSmith, "TRACE_TO_LANGSMITH"),
            (Product::Braintrust, "TRACE_TO_BRAINTRUST"),
        ] {
            let mut scene = Scene::new();
            scene.settings(product, Layer::User, &json!({"enabled": "yes"}));
            scene.var(var, word);
            assert_eq!(
                effective(product, &scene.ctx())["enabled"],
                on,
                "{var}={word:?}"
            );
        }
    }
}

#[test]
fn every_spelling_of_a_key_counts_in_json_and_toml() {
    for (product, written, key) in [
        (Product::LangSmith, "apiUrl", "api_url"),
        (Product::LangSmith, "api_url", "api_url"),
        (Product::Braintrust, "apiUrl", "api_url"),
        (Product::Braintrust, "api_url", "api_url"),
        (Product::Braintrust, "app_url", "app_url"),
    ] {
        for (extension, text) in [
            ("json", json!({ written: "https://x.example" }).to_string()),
            ("toml", format!("{written} = \"https://x.example\"")),
        ] {
            let scene = Scene::new();
            scene.write(&format!("team/{product}.{extension}"), text);
            let found = &effective(product, &scene.ctx())[key];
            assert_eq!(
                found, "https://x.example",
                "{product} {written} {extension}"
            );
        }
    }
}

#[test]
fn of_two_spellings_or_two_files_one_counts_and_the_other_is_told() {
    let scene = Scene::new();
    scene.write(
        "home/.codex/braintrust.json",
        r#"{"traceToBraintrust": true, "enabled": false}"#,
    );
    scene.write("home/.codex/braintrust.toml", "project = \"x\"");
    let loaded = scene.braintrust();
    assert!(loaded.settings.common.enabled);
    assert_eq!(loaded.settings.project, "codex");
    let told = scene.told(&loaded);
    assert!(
        told[0].starts_with("<scene>/home/.codex/braintrust.toml: not read"),
        "{told:?}"
    );
    assert!(
        told[1].contains("enabled: the same setting stands twice"),
        "{told:?}"
    );
}

#[test]
fn toml_values_of_every_kind_are_read() {
    let scene = Scene::new();
    let text = "enabled = true\nmax_field_bytes = 4096\nimages = \"omit\"\n\
                [metadata]\nnumber = 1.5\nday = 2026-01-02\nlist = [1, 2]\n\
                [[replicas]]\napi_url = \"https://x.example\"\napi_key = \"k\"\n";
    scene.write("home/.codex/langsmith.toml", text);
    let settings = scene.langsmith().settings;
    assert!(settings.common.enabled);
    assert_eq!(settings.common.max_field_bytes, Some(4096));
    assert_eq!(settings.common.images, ImagePolicy::Omit);
    let metadata = Value::Object(settings.common.metadata);
    assert_eq!(
        metadata,
        json!({"number": 1.5, "day": "2026-01-02", "list": [1, 2]})
    );
    assert_eq!(settings.replicas[0].api_url, "https://x.example");
}

#[test]
fn replicas_come_as_array_or_object_and_a_bad_one_is_left_out_alone() {
    let mut scene = Scene::new();
    scene.var("LANGSMITH_API_KEY", "fallback");
    let replicas = json!([
        {"api_url": "https://snake.example", "api_key": "s", "project": "p", "workspace_id": "w", "primary": true},
        {"apiUrl": "https://camel.example/", "apiKey": "c", "projectName": "p", "workspaceId": "w", "updates": {"a": 1}},
        {"project_name": "only a project"},
        {"api_url": "ftp://bad.example", "api_key": "lsv2_pt_planted"},
        "not an object",
        {"api_url": "https://kept.example", "colour": "red", "updates": "bad", "primary": "maybe"},
    ]);
    scene.var("LANGSMITH_RUNS_ENDPOINTS", replicas.to_string());
    let loaded = scene.langsmith();
    let found: Vec<_> = loaded
        .settings
        .replicas
        .iter()
        .map(|r| {
            let key = r.api_key.as_ref().unwrap().expose_secret();
            json!([
                r.api_url,
                key,
                r.project,
                r.workspace_id,
                r.primary,
                r.updates
            ])
        })
        .collect();
    assert_eq!(
        found,
        [
            json!(["https://snake.example", "s", "p", "w", true, {}]),
            json!(["https://camel.example", "c", "p", "w", null, {"a": 1}]),
            json!([
                "https://api.smith.langchain.com",
                "fallback",
                "only a project",
                null,
                null,
                {}
            ]),
            json!(["https://kept.example", "fallback", null, null, null, {}]),
        ]
    );
    let told = scene.told(&loaded);
    let places: Vec<_> = told
        .iter()
        .map(|told| told.split(": ").nth(1).unwrap())
        .collect();
    assert_eq!(
        places,
        [
            "[3].api_url",
            "[3]",
            "[4]",
            "[5].colour",
            "[5].updates",
            "[5].primary"
        ]
    );
    assert!(!told.concat().contains("planted"));
    assert!(told[1].contains("left out as a whole"), "{}", told[1]);
}

#[test]
fn a_key_in_quotes_is_the_key_without_them() {
    for written in ["\"the-key\"", " 'the-key' ", "the-key"] {
        let mut scene = Scene::new();
        scene.var("LANGSMITH_API_KEY", written);
        let loaded = scene.langsmith();
        let key = loaded.settings.api_key.unwrap();
        assert_eq!(key.expose_secret(), "the-key", "{written}");
    }
}

#[test]
fn a_name_spelled_almost_right_is_told_with_the_one_that_is_meant() {
    let mut scene = Scene::new();
    let user = json!({"proyect": "x", "metdata": {}, "colour": 1});
    scene.settings(Product::LangSmith, Layer::User, &user);
    scene.var("TRACE_TO_LANGSMTH", "true");
    scene.var("CODEX_TRACING_ENTIRELY_UNKNOWN", "1");
    let told = scene.told(&scene.langsmith()).join("\n");
    for (name, meant) in [
        ("proyect: unknown key", ", did you mean `project`?"),
        ("metdata: unknown key", ", did you mean `metadata`?"),
        ("colour: unknown key", ";"),
        (
            "TRACE_TO_LANGSMTH: unknown variable",
            ", did you mean `TRACE_TO_LANGSMITH`?",
        ),
        ("CODEX_TRACING_ENTIRELY_UNKNOWN: unknown variable", ";"),
    ] {
        assert!(told.contains(&format!("{name}{meant}")), "{told}");
    }
}

#[test]
fn of_many_unknown_keys_all_are_told_and_the_first_with_what_is_meant() {
    let scene = Scene::new();
    let near: serde_json::Map<_, _> = ('a'..='z')
        .map(|letter| (format!("projec{letter}"), json!(1)))
        .collect();
    scene.settings(Product::LangSmith, Layer::User, &near.into());
    let told = scene.told(&scene.langsmith());
    let meant = told
        .iter()
        .filter(|told| told.contains("did you mean `project`?"));
    // `project` itself is none of them: of that the value is wrong.
    assert_eq!((meant.count(), told.len()), (10, 26), "{told:#?}");
}

#[test]
fn a_list_of_which_nothing_is_usable_leaves_the_layer_below() {
    let mut scene = Scene::new();
    let user = json!({"replicas": {"https://kept.example": "k"}, "redact_extra_rules": [{"pattern": "kept"}]});
    scene.settings(Product::LangSmith, Layer::User, &user);
    scene.var(
        "LANGSMITH_RUNS_ENDPOINTS",
        r#"[{"api_url": "ftp://bad.example"}]"#,
    );
    scene.var("LANGSMITH_REDACT_EXTRA", r#"[{"replace": "x"}]"#);
    scene.var("LANGSMITH_CODEX_PARENT_HEADERS", r#"{"baggage": "x"}"#);
    let loaded = scene.langsmith();
    assert_eq!(loaded.settings.replicas[0].api_url, "https://kept.example");
    assert_eq!(loaded.settings.common.redact_extra_rules[0].pattern, "kept");
    let told = scene.told(&loaded);
    let empty = told
        .iter()
        .filter(|told| told.contains("found nothing usable in it"));
    assert_eq!(empty.count(), 3, "{told:#?}");
    // An empty list says: none.
    scene.var("LANGSMITH_CODEX_RUNS_ENDPOINTS", "[]");
    assert!(scene.langsmith().settings.replicas.is_empty());
}

#[test]
fn the_object_form_of_replicas_is_url_to_key() {
    let mut scene = Scene::new();
    let replicas = r#"{"https://a.example": "ka", "lsv2_pt_swapped": "https://b.example"}"#;
    scene.var("LANGSMITH_CODEX_RUNS_ENDPOINTS", replicas);
    scene.var("LANGSMITH_ENDPOINT", "https://also.example");
    let loaded = scene.langsmith();
    // The second has URL and key swapped.
    assert_eq!(loaded.settings.replicas.len(), 1);
    assert!(
        loaded.warnings[0]
            .to_string()
            .contains("[1]: expected an http or https URL")
    );
    assert_eq!(loaded.settings.replicas[0].api_url, "https://a.example");
    assert_eq!(
        loaded.settings.replicas[0]
            .api_key
            .as_ref()
            .unwrap()
            .expose_secret(),
        "ka"
    );
}

#[test]
fn references_to_variables_are_filled_in_for_keys_in_files_only() {
    let mut scene = Scene::new();
    scene
        .var("TEAM_KEY", "team's")
        .var("LANGSMITH_PROJECT", "${TEAM_KEY}");
    let team = json!({"api_key": "${TEAM_KEY}", "replicas": [
        {"api_url": "https://r.example", "api_key": "${TEAM_KEY}"},
        {"api_url": "https://s.example", "api_key": "${NOT_SET}"},
    ]});
    scene.settings(Product::LangSmith, Layer::Team, &team);
    let loaded = scene.langsmith();
    assert_eq!(loaded.settings.api_key.unwrap().expose_secret(), "team's");
    assert_eq!(loaded.settings.project, "${TEAM_KEY}");
    assert_eq!(loaded.settings.replicas.len(), 1);
    let origin = &loaded.provenance.row("api_key").unwrap().origin;
    assert!(
        origin.to_string().ends_with("langsmith.json ($TEAM_KEY)"),
        "{origin}"
    );
    let told = loaded.warnings[0].to_string();
    assert!(
        told.contains("replicas[1].api_key: refers to ${NOT_SET}, which is not set"),
        "{told}"
    );
}

#[test]
fn settings_of_the_originals_without_meaning_are_noted() {
    let mut scene = Scene::new();
    let data = json!({"port": 52734, "idleTimeoutMs": 1, "idleCheckIntervalMs": 1, "apiKey": "", "project": null});
    scene.settings(Product::Braintrust, Layer::PluginData, &data);
    scene
        .var("BRAINTRUST_EVENT_SERVER_PORT", "1")
        .var("BRAINTRUST_EVENT_SERVER_LOG_DIR", "/tmp");
    let loaded = scene.braintrust();
    let severities: Vec<_> = loaded
        .warnings
        .iter()
        .map(codex_tracing_config::Warning::severity)
        .collect();
    assert_eq!(severities, [codex_tracing_config::Severity::Note; 6]);
    let told = scene.told(&loaded);
    assert!(
        told[0].ends_with("port: has no meaning here: there is no local event server"),
        "{told:?}"
    );
}

#[test]
fn codex_home_is_honoured_and_falls_back_to_the_usual_folder() {
    let mut scene = Scene::new();
    scene.settings(
        Product::LangSmith,
        Layer::User,
        &json!({"project": "usual"}),
    );
    scene.var("CODEX_HOME", scene.path("elsewhere").display().to_string());
    assert_eq!(scene.langsmith().settings.project, "usual");
    scene.write("elsewhere/langsmith.json", r#"{"project": "elsewhere"}"#);
    assert_eq!(scene.langsmith().settings.project, "elsewhere");
}

#[test]
fn plugin_data_is_found_from_a_shell_and_by_the_other_marketplaces_hooks() {
    for marketplace in ["braintrust-codex-plugins", "codex-tracing"] {
        let scene = Scene::new();
        let below = format!("home/.codex/plugins/data/trace-codex-{marketplace}/config.json");
        scene.write(&below, r#"{"project": "data"}"#);
        // From a shell, and from a hook of the other marketplace's plugin.
        for told in [None, Some(scene.path("other-data"))] {
            let mut ctx = scene.ctx();
            ctx.plugin_data = told;
            let settings = codex_tracing_config::braintrust(&ctx).settings;
            assert_eq!(settings.project, "data", "{marketplace}");
        }
    }
}

#[test]
fn a_record_file_is_absolute() {
    let mut scene = Scene::new();
    scene.var("BRAINTRUST_EVENT_SERVER_RECORD_FILE", "events.ndjson");
    assert_eq!(
        scene.braintrust().settings.record_file,
        Some(scene.path("repo/events.ndjson"))
    );
}
