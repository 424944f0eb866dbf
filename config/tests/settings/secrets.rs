//! Planted keys are looked for in everything that is shown, told or printed by `Debug`.

use codex_tracing_config::{Layer, Product};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::samples::samples;
use crate::scene::Scene;

const SECRETS: [&str; 6] = [
    "lsv2_pt_secret0000000000000000one",
    "lsv2_pt_secret0000000000000000two",
    "lsv2_pt_secret000000000000000three",
    "sk-secret00000000000000000000four",
    "lsv2_pt_secret0000000000000000five",
    "baggage-with-secret00000000000six",
];

fn everything(scene: &Scene) -> String {
    let (ctx, langsmith, braintrust) = (scene.ctx(), scene.langsmith(), scene.braintrust());
    [
        format!("{ctx:?} {:?} {:?}", langsmith.settings, langsmith.warnings),
        format!("{:?} {:?}", braintrust.settings, braintrust.warnings),
        format!("{:?} {:#?}", langsmith.provenance, braintrust.provenance),
        langsmith.provenance.to_json().to_string(),
        braintrust.provenance.to_json().to_string(),
        scene.told(&langsmith).concat(),
        scene.told(&braintrust).concat(),
        serde_json::to_string(&braintrust.settings.freeze()).unwrap(),
        format!("{:?}", codex_tracing_config::key_file_problems(&ctx)),
    ]
    .concat()
}

#[test]
fn no_key_is_shown_anywhere_wherever_it_stands() {
    let mut scene = Scene::new();
    scene.trust_repo();
    let headers = json!({"langsmith-trace": "t", "baggage": SECRETS[5]});
    let team = json!({
        "api_key": SECRETS[0],
        "replicas": [{"api_url": "https://r.example", "api_key": SECRETS[1]}, {"api_key": [SECRETS[2]]}],
        "parent_headers": headers,
        "project": {"misplaced": SECRETS[4]},
        SECRETS[2]: true,
    });
    scene.settings(Product::LangSmith, Layer::Team, &team);
    let user =
        json!({"replicas": {"https://r.example": SECRETS[1], SECRETS[4]: "https://r.example"}});
    scene.settings(Product::LangSmith, Layer::User, &user);
    scene.settings(
        Product::LangSmith,
        Layer::Project,
        &json!({"api_key": SECRETS[2], "api_url": "https://x.example"}),
    );
    scene.settings(
        Product::Braintrust,
        Layer::PluginData,
        &json!({"apiKey": SECRETS[3]}),
    );
    scene.var("LANGSMITH_API_KEY", SECRETS[4]);
    scene.var("LANGSMITH_PROJECT", SECRETS[3]);
    scene.var(
        "LANGSMITH_CODEX_METADATA",
        json!({"a": [SECRETS[0]], SECRETS[1]: 1}).to_string(),
    );
    scene.var(
        "LANGSMITH_CODEX_API_KEY",
        format!("two words {}", SECRETS[1]),
    );
    scene.var("BRAINTRUST_API_KEY", SECRETS[0]);
    scene.var(
        "BRAINTRUST_API_URL",
        format!("https://u:{}@host.example", SECRETS[1]),
    );
    scene.var("LANGSMITH_METADATA", format!("{{\"k\": {}", SECRETS[2]));
    let all = everything(&scene);
    for secret in SECRETS {
        assert!(!all.contains(secret), "{secret} in {all}");
        let middle = &secret[8..secret.len() - 4];
        assert!(!all.contains(middle), "{middle} in {all}");
    }
    // The search can fail: what may be shown is there.
    assert!(all.contains("lsv2_…"));
}

/// A key between the braces of `${…}`, in or around other words, and in each kind of name.
#[test]
fn no_key_is_shown_that_is_mistyped_into_a_name_a_reference_or_other_words() {
    // The last has no product's shape: in the place of another value it is a value.
    for key in &SECRETS[..5] {
        for product in Product::all() {
            let scene = mistyped(product, key);
            let all = everything(&scene);
            let middle = &key[8..key.len() - 4];
            let before = all.split(middle).next().unwrap_or_default();
            let near: String = before.chars().rev().take(200).collect();
            let near: String = near.chars().rev().collect();
            assert_eq!(before.len(), all.len(), "{product}: {middle} after {near}");
        }
    }
}

fn mistyped(product: Product, key: &str) -> Scene {
    let mut scene = Scene::new();
    scene.trust_repo();
    let reference = format!("${{{key}}}");
    for layer in [Layer::Team, Layer::User, Layer::Project] {
        let settings = json!({
            "api_key": reference,
            "replicas": [
                {"api_url": "https://r.example", "api_key": reference},
                {"api_url": format!("https://r.example/{key}")},
                {"api_key": "k", "project": format!("Bearer {key}"), "updates": {"x": format!("key={key}")}},
                {"workspace_id": format!("is {key}"), format!("the {key}"): 1},
            ],
            "project": format!("project {key}"),
            "org_name": format!("{key}!"),
            "app_url": format!("https://{key}.example"),
            "metadata": {"note": format!("Authorization: Bearer {key}"), format!("x-{key}"): {"deep": [format!("({key})")]}},
            "redact_extra_rules": [{"pattern": format!("\\b{key}\\b"), "replace": key}, {"pattern": "x", format!("{key}x"): 1}],
            "parent_headers": {"langsmith-trace": format!("t {key}"), format!("x_{key}"): "y"},
            "record_file": format!("/var/log/{key}"),
            format!("api_key_{key}"): true,
            format!("x.{key}"): true,
        });
        scene.settings(product, layer, &settings);
    }
    for name in ["LANGSMITH_CODEX_API_KEY", "CODEX_TRACING_"] {
        scene.var(&format!("{name}{key}"), "1");
        scene.var(&format!("{name}_{key}"), "1");
    }
    scene.var("LANGSMITH_ENDPOINT", format!("https://a.example/{key}"));
    scene.var("CODEX_TRACING_TRUST_PROJECT", key);
    scene.var("CODEX_TRACING_TEAM_CONFIG", key);
    scene
}

#[test]
fn a_key_written_as_a_reference_is_told_as_one_and_its_file_holds_a_key() {
    let scene = Scene::new();
    let settings = json!({"api_key": format!("${{{}}}", SECRETS[0])});
    let path = scene.settings(Product::LangSmith, Layer::User, &settings);
    let told = scene.told(&scene.langsmith());
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("no variable's name between ${ and }"),
        "{told:?}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(
            codex_tracing_config::key_file_problems(&scene.ctx()).len(),
            1
        );
    }
}

#[test]
fn a_misplaced_key_of_a_url_is_not_a_replicas_name() {
    let mut scene = Scene::new();
    scene.var(
        "LANGSMITH_RUNS_ENDPOINTS",
        format!("{{\"{} x\": \"https://r.example\"}}", SECRETS[0]),
    );
    assert!(!everything(&scene).contains("secret0000"));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!(SECRETS[0])),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-zA-Z_]{1,12}|api_key|apiUrl|pattern", inner), 0..4)
                .prop_map(|pairs| pairs.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_file_holds_nothing_fails_and_no_key_is_told(value in any_json()) {
        let scene = Scene::new();
        for product in Product::all() {
            for layer in [Layer::User, Layer::Project] {
                let file: serde_json::Map<_, _> = samples(product)
                    .iter()
                    .map(|sample| (sample.key.to_owned(), value.clone()))
                    .collect();
                scene.settings(product, layer, &file.into());
            }
        }
        let told = [scene.told(&scene.langsmith()), scene.told(&scene.braintrust())].concat();
        prop_assert!(!told.concat().contains(SECRETS[0]));
    }

    #[test]
    fn whatever_a_file_is_nothing_fails(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let scene = Scene::new();
        for name in ["team/langsmith.json", "home/.codex/langsmith.toml", "home/.codex/config.toml", "repo/.git/x"] {
            std::fs::write(scene.path(name), &bytes).unwrap();
        }
        let loaded = scene.langsmith();
        prop_assert!(loaded.settings.common.redact || !loaded.provenance.files.is_empty());
    }
}
