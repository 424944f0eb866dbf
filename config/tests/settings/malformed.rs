//! One bad value costs that value alone, and is told without being shown.

use codex_tracing_config::{Layer, Product, Severity};
use serde_json::json;

use crate::samples::{PLANTED, Sample, samples};
use crate::scene::{Scene, effective};

const FILES: [Layer; 4] = [Layer::Team, Layer::User, Layer::PluginData, Layer::Project];

#[test]
fn a_bad_value_in_a_file_leaves_the_layer_below_and_names_file_and_key() {
    for product in Product::ALL {
        for sample in samples(product) {
            for layer in FILES {
                if layer != Layer::PluginData || product == Product::Braintrust {
                    check_file(product, &sample, layer);
                }
            }
        }
    }
}

fn check_file(product: Product, sample: &Sample, layer: Layer) {
    let case = format!("{product} {} in {layer}", sample.key);
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
    let path = scene.settings(product, layer, &file);
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
    assert!(
        told.starts_with(&format!("{}: {}: ", path.display(), sample.key)),
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
fn a_bad_value_in_a_variable_leaves_the_file_and_names_the_variable() {
    for product in Product::ALL {
        for sample in samples(product) {
            let Some(bad) = sample.bad_text else {
                continue;
            };
            let mut scene = Scene::new();
            scene.settings(
                product,
                Layer::User,
                &json!({ sample.key: sample.good[0].0 }),
            );
            scene.var(sample.var, bad);
            let found = effective(product, &scene.ctx());
            assert_eq!(found[sample.key], sample.good[0].1, "{}", sample.var);
            let loaded = scene.explain(product);
            let [warning] = loaded.warnings.as_slice() else {
                panic!("{}: {:?}", sample.var, scene.told(&loaded));
            };
            let told = warning.to_string();
            assert!(
                told.starts_with(&format!("{}: expected ", sample.var)),
                "{told}"
            );
            assert!(!told.contains(PLANTED), "{told}");
        }
    }
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
            "not valid JSON (line 3)",
        ),
        ("langsmith.json", "", "not valid JSON (line 1)"),
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
        .var("CODEX_TRACING_LIV", "x");
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
