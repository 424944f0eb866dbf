//! One bad value costs that value alone, and is told without being shown.

use codex_tracing_config::{Layer, Product, Severity};
use serde_json::json;

use crate::notation::Notation;
use crate::samples::{PLANTED, Sample, samples};
use crate::scene::{Scene, effective};

const FILES: [Layer; 4] = [Layer::Team, Layer::User, Layer::PluginData, Layer::Project];

#[test]
fn a_bad_value_in_a_file_leaves_the_layer_below_and_names_file_and_key() {
    for product in Product::all() {
        for sample in samples(product) {
            for layer in files(product) {
                for notation in Notation::of(layer) {
                    check_file(product, &sample, layer, notation);
                }
            }
        }
    }
}

fn files(product: Product) -> impl Iterator<Item = Layer> {
    let has = move |layer: &Layer| *layer != Layer::PluginData || product == Product::Braintrust;
    FILES.into_iter().filter(has)
}

fn check_file(product: Product, sample: &Sample, layer: Layer, notation: Notation) {
    let case = format!("{product} {} in {layer}, {notation:?}", sample.key);
    let mut scene = Scene::new();
    scene.trust_repo();
    let below = layer > Layer::Team;
    if below {
        scene.settings(
            product,
            Layer::Team,
            &json!({ sample.key: sample.good[0].0 }),
        );
    }
    let neighbour = if sample.key == "project" {
        "images"
    } else {
        "project"
    };
    let kept = if neighbour == "images" {
        "omit"
    } else {
        "kept"
    };
    let file = json!({ sample.key: sample.bad, neighbour: kept });
    let path = notation.write(&scene, (product, layer), &file);
    scene.var("CODEX_TRACING_LOG", "info");

    let found = effective(product, &scene.ctx());
    let untouched = effective(product, &Scene::new().ctx());
    let expected = if below {
        &sample.good[0].1
    } else {
        &untouched[sample.key]
    };
    assert_eq!(found[sample.key], *expected, "{case}");
    assert_eq!(found[neighbour], kept, "{case}");

    let loaded = scene.explain(product);
    let [warning] = loaded.warnings.as_slice() else {
        panic!("{case}: {:?}", scene.told(&loaded));
    };
    let told = warning.to_string();
    let key = notation.key(product, sample.key);
    assert!(
        told.starts_with(&format!("{}: {key}: ", path.display())),
        "{case}: {told}"
    );
    assert!(told.contains("expected "), "{case}: {told}");
    assert!(!told.contains(PLANTED), "{case}: {told}");
    assert_eq!(warning.severity(), Severity::Warning, "{case}");
    let row = loaded
        .provenance
        .rows()
        .iter()
        .find(|row| row.key.starts_with(sample.key))
        .unwrap();
    assert_eq!(row.dropped.len(), 1, "{case}");
    assert!(!format!("{row:?}").contains(PLANTED), "{case}");
}

#[test]
fn a_bad_value_in_a_variable_leaves_any_file_and_names_the_variable() {
    for product in Product::all() {
        for sample in samples(product) {
            let Some(bad) = sample.bad_text else {
                continue;
            };
            for layer in files(product) {
                let mut scene = Scene::new();
                scene.trust_repo();
                scene.settings(product, layer, &json!({ sample.key: sample.good[0].0 }));
                scene.var(sample.var, bad);
                let case = format!("{} over {layer}", sample.var);
                let found = effective(product, &scene.ctx());
                assert_eq!(found[sample.key], sample.good[0].1, "{case}");
                let loaded = scene.explain(product);
                let [warning] = loaded.warnings.as_slice() else {
                    panic!("{case}: {:?}", scene.told(&loaded));
                };
                let told = warning.to_string();
                let start = format!("{}: expected ", sample.var);
                assert!(told.starts_with(&start), "{case}: {told}");
                assert!(!told.contains(PLANTED), "{case}: {told}");
            }
        }
    }
}

/// What people and scripts write by mistake.
fn odd_values() -> Vec<serde_json::Value> {
    vec![
        json!(null),
        json!(true),
        json!(7),
        json!(-7),
        json!(1.5),
        json!(""),
        json!("  "),
        json!(PLANTED),
        json!(format!("{PLANTED} with spaces")),
        json!([]),
        json!([PLANTED]),
        json!({}),
        json!({ "x": [PLANTED] }),
        json!({ PLANTED: PLANTED }),
        json!("x".repeat(100_000)),
    ]
}

#[test]
fn any_odd_value_in_any_layer_either_counts_or_is_told_and_costs_nothing_else() {
    for product in Product::all() {
        for sample in samples(product) {
            for layer in files(product) {
                for odd in odd_values() {
                    check_odd(product, &sample, layer, &odd);
                }
            }
        }
    }
}

fn check_odd(product: Product, sample: &Sample, layer: Layer, odd: &serde_json::Value) {
    let case = format!("{product} {} in {layer} is {odd:.60}", sample.key);
    let neighbour = if sample.key == "images" {
        ("max_field_bytes", json!(4096))
    } else {
        ("images", json!("omit"))
    };
    let scene = Scene::new();
    scene.trust_repo();
    scene.settings(product, layer, &json!({ neighbour.0: neighbour.1 }));
    let without = effective(product, &scene.ctx());
    let file = json!({ sample.key: odd, neighbour.0: neighbour.1 });
    let path = scene.settings(product, layer, &file);
    let with = effective(product, &scene.ctx());
    for (key, value) in &without {
        assert!(key == sample.key || with[key] == *value, "{case}: {key}");
    }
    let loaded = scene.explain(product);
    let told = scene.told(&loaded).concat();
    // A key may be told by its beginning and end, no more.
    assert!(!told.contains(PLANTED), "{case}: {told}");
    let is_told = loaded.warnings.iter().any(|warning| {
        let told = warning.to_string();
        told.starts_with(&format!("{}: {}", path.display(), sample.key))
    });
    let counts = with[sample.key] != without[sample.key];
    let is_blank = odd.is_null() || odd.as_str().is_some_and(|text| text.trim().is_empty());
    let is_empty = *odd == json!([]) || *odd == json!({});
    let is_the_default = *odd == without[sample.key];
    assert!(
        counts || is_told || is_blank || is_empty || is_the_default,
        "{case}: silently ignored"
    );
}

#[test]
fn a_bad_value_in_the_first_variable_leaves_the_second() {
    let mut scene = Scene::new();
    scene.var("LANGSMITH_CODEX_ENDPOINT", "not a url");
    scene.var("LANGSMITH_ENDPOINT", "https://second.example");
    assert_eq!(scene.langsmith().settings.api_url, "https://second.example");
}

#[test]
fn a_malformed_file_is_left_out_alone_and_its_line_is_told() {
    for (name, text, told) in [
        (
            "langsmith.json",
            "{\n \"project\": \"x\",\n lsv2_pt_planted",
            "not valid JSON (line 3: a key without quotes, a comment, or a comma too many)",
        ),
        (
            "langsmith.json",
            "{\"project\": \"lsv2_pt_planted\",}",
            "not valid JSON (line 1: a comma before the closing bracket)",
        ),
        (
            "langsmith.json",
            "{\"project\": lsv2_pt_planted}",
            "not valid JSON (line 1); the whole file is left out",
        ),
        (
            "langsmith.json",
            "",
            "not valid JSON (line 1: it ends too early)",
        ),
        (
            "langsmith.json",
            "[\"lsv2_pt_planted\"]",
            "expected a JSON object of settings",
        ),
        (
            "langsmith.toml",
            "project = \"x\"\napi_key = lsv2_pt_planted",
            "not valid TOML (line 2)",
        ),
        (
            "langsmith.toml",
            "a = 1\na = \"lsv2_pt_planted\"",
            "not valid TOML (line 2)",
        ),
    ] {
        let scene = Scene::new();
        scene.settings(
            Product::LangSmith,
            Layer::Team,
            &json!({"project": "team's"}),
        );
        scene.write(&format!("home/.codex/{name}"), text);
        let loaded = scene.langsmith();
        assert_eq!(loaded.settings.project, "team's", "{text}");
        let all = scene.told(&loaded);
        assert_eq!(all.len(), 1, "{all:?}");
        assert!(
            all[0].starts_with(&format!("<scene>/home/.codex/{name}: {told}")),
            "{all:?}"
        );
        assert!(!all[0].contains("planted"), "{all:?}");
    }
}

#[test]
fn a_setting_under_two_spellings_counts_as_it_stands_first_and_is_told() {
    let scene = Scene::new();
    let text = r#"{"project_name": "one", "enabled": true, "projectName": "two"}"#;
    scene.write("home/.codex/langsmith.json", text);
    let loaded = scene.langsmith();
    assert_eq!(loaded.settings.project, "one");
    assert!(loaded.settings.common.enabled);
    let told = "<scene>/home/.codex/langsmith.json: projectName: the same setting stands twice in this \
                file; this one is left out";
    assert_eq!(scene.told(&loaded), [told]);
}

#[test]
fn a_key_that_stands_more_than_once_counts_as_it_stands_last_and_is_told() {
    let scene = Scene::new();
    let text = r#"{"project": "one", "enabled": true, "project": "two"}"#;
    scene.write("home/.codex/langsmith.json", text);
    let loaded = scene.langsmith();
    assert_eq!(loaded.settings.project, "two");
    assert!(loaded.settings.common.enabled);
    let told = "<scene>/home/.codex/langsmith.json: project: stands in this file more than once; the \
                last one counts";
    assert_eq!(scene.told(&loaded), [told]);
}

#[test]
fn a_word_for_how_much_is_logged_that_is_none_is_told() {
    for (word, is_told) in [
        ("loud", true),
        ("3", true),
        ("WARN", false),
        (" off ", false),
        ("", false),
    ] {
        let mut scene = Scene::new();
        scene.var("CODEX_TRACING_LOG", word);
        let told = scene.told(&scene.langsmith());
        let expected = "CODEX_TRACING_LOG: expected off, error, warn, info or debug, found other text; \
                        the value is left out";
        assert_eq!(told == [expected], is_told, "{word:?}: {told:?}");
        assert_eq!(told.is_empty(), !is_told, "{word:?}: {told:?}");
    }
}

#[test]
fn what_is_not_a_readable_file_is_told_and_not_waited_for() {
    let scene = Scene::new();
    std::fs::create_dir(scene.path("home/.codex/langsmith.json")).unwrap();
    assert!(scene.told(&scene.langsmith())[0].contains("not a regular file"));

    let scene = Scene::new();
    scene.write("home/.codex/langsmith.json", " ".repeat(2 << 20));
    assert!(scene.told(&scene.langsmith())[0].contains("too large"));

    let scene = Scene::new();
    std::fs::write(scene.path("home/.codex/langsmith.json"), [b'{', 0xff]).unwrap();
    assert!(scene.told(&scene.langsmith())[0].contains("not UTF-8"));

    let mut scene = Scene::new();
    scene.var("CODEX_TRACING_TEAM_CONFIG", "/nowhere/team.json");
    assert!(scene.told(&scene.langsmith())[0].starts_with("/nowhere/team.json: cannot be read"));
}

#[test]
fn unknown_keys_and_misspelt_variables_are_told_but_never_what_looks_like_a_key() {
    let mut scene = Scene::new();
    let file = json!({"colour": 1, "lsv2_pt_0123456789": 1, "with spaces": 1, "$schema": "x"});
    scene.settings(Product::LangSmith, Layer::User, &file);
    scene
        .var("LANGSMITH_CODEX_APIKEY", "x")
        .var("CODEX_TRACING_LIV", "x")
        .var("CODEX_TRACING_CODEX_CACHE", "/of/our/tests");
    scene.var("LANGSMITH_SOMETHING_OF_THE_SDK", "x");
    let told = scene.told(&scene.langsmith());
    let starts: Vec<_> = told
        .iter()
        .map(|told| told.split(": unknown").next().unwrap())
        .collect();
    assert_eq!(
        starts,
        [
            "<scene>/home/.codex/langsmith.json: colour",
            "<scene>/home/.codex/langsmith.json: (a key of 18 characters)",
            "<scene>/home/.codex/langsmith.json: (a key of 11 characters)",
            "CODEX_TRACING_LIV",
            "LANGSMITH_CODEX_APIKEY",
        ]
    );
}
