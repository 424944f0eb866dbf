//! Who wins: every setting, every pair of layers.

use codex_tracing_config::{Layer, Place, Product, env_table};
use serde_json::json;

use crate::notation::Notation;
use crate::samples::{Sample, samples};
use crate::scene::{Scene, effective};

fn layers(product: Product) -> Vec<Layer> {
    let mut layers = vec![Layer::Team, Layer::User];
    if product == Product::Braintrust {
        layers.push(Layer::PluginData);
    }
    layers.extend([Layer::Project, Layer::Environment]);
    layers
}

/// A layer, which of a sample's two values it has, and which of its notations.
type Put = (Layer, usize, usize);

/// Says where the value stands.
fn put(
    scene: &mut Scene,
    product: Product,
    sample: &Sample,
    (layer, value, notation): Put,
) -> Place {
    let value = &sample.good[value].0;
    if layer == Layer::Environment {
        scene.var(sample.var, Sample::text(value));
        return Place::Variable(sample.var.into());
    }
    let notations = Notation::of(layer);
    let notation = notations[notation % notations.len()];
    Place::File(notation.write(scene, (product, layer), &json!({ sample.key: value })))
}

#[test]
fn the_higher_of_any_two_layers_wins_for_every_setting_and_says_what_it_hides() {
    for product in Product::all() {
        let layers = layers(product);
        for sample in samples(product) {
            for (index, &lower) in layers.iter().enumerate() {
                for &higher in &layers[index + 1..] {
                    // Both ways round, so that neither value wins by being what it is, and in
                    // every notation that a file may have.
                    for (value, shift) in [(0, 1), (1, 2)] {
                        for notation in 0..4 {
                            let low = (lower, value, notation);
                            let high = (higher, 1 - value, notation + shift);
                            check(product, &sample, low, high);
                        }
                    }
                }
            }
        }
    }
}

fn check(product: Product, sample: &Sample, lower: Put, higher: Put) {
    let mut scene = Scene::new();
    scene.trust_repo();
    put(&mut scene, product, sample, lower);
    let place = put(&mut scene, product, sample, higher);
    let case = format!("{product} {}: {higher:?} over {lower:?}", sample.key);

    let found = &effective(product, &scene.ctx())[sample.key];
    assert_eq!(*found, sample.good[higher.1].1, "{case}");

    let loaded = scene.explain(product);
    assert_eq!(scene.told(&loaded), [""; 0], "{case}");
    let mut rows = loaded.provenance.rows().iter();
    let row = rows
        .rfind(|row| row.key.split('.').next() == Some(sample.key))
        .unwrap();
    assert_eq!(row.origin.layer, higher.0, "{case}");
    assert_eq!(row.hidden[0].origin.layer, lower.0, "{case}");
    assert_eq!(row.origin.place, place, "{case}");
}

#[test]
fn any_layer_wins_over_the_default() {
    for product in Product::all() {
        for sample in samples(product) {
            for layer in layers(product) {
                for which in [0, 1] {
                    let mut scene = Scene::new();
                    scene.trust_repo();
                    put(&mut scene, product, &sample, (layer, which, which));
                    let found = &effective(product, &scene.ctx())[sample.key];
                    assert_eq!(
                        *found, sample.good[which].1,
                        "{product} {} {layer}",
                        sample.key
                    );
                }
            }
        }
    }
}

#[test]
fn every_setting_is_in_the_tables_above() {
    for product in Product::all() {
        let known: Vec<_> = samples(product).iter().map(|sample| sample.key).collect();
        for row in Scene::new().explain(product).provenance.rows() {
            assert!(known.contains(&row.key.as_str()), "{product} {}", row.key);
        }
        // All but the settings without meaning here, which have no value to win.
        let of_product = env_table()
            .iter()
            .filter(|var| var.products.contains(&product) && var.key.is_some())
            .filter(|var| !var.without_effect);
        for var in of_product {
            let key = var.key.unwrap();
            let written = |sample: &Sample| {
                let spellings = Notation::of(Layer::User).into_iter();
                spellings
                    .map(|it| it.key(product, sample.key))
                    .any(|it| it == key)
            };
            assert!(samples(product).iter().any(written), "{product} {key}");
        }
    }
}

#[test]
fn without_any_layer_the_defaults_hold() {
    let scene = Scene::new();
    let ours = format!("{:?}", scene.langsmith().settings);
    let defaults = codex_tracing_config::LangSmithSettings::default();
    assert_eq!(ours, format!("{defaults:?}"));
    let ours = format!("{:?}", scene.braintrust().settings);
    let defaults = codex_tracing_config::BraintrustSettings::default();
    assert_eq!(ours, format!("{defaults:?}"));
}

#[test]
fn the_products_own_variable_wins_over_the_general_one() {
    for (key, own, general) in [
        ("api_key", "LANGSMITH_CODEX_API_KEY", "LANGSMITH_API_KEY"),
        ("api_url", "LANGSMITH_CODEX_ENDPOINT", "LANGSMITH_ENDPOINT"),
        ("project", "LANGSMITH_CODEX_PROJECT", "LANGSMITH_PROJECT"),
        (
            "workspace_id",
            "LANGSMITH_CODEX_WORKSPACE_ID",
            "LANGSMITH_WORKSPACE_ID",
        ),
        ("metadata", "LANGSMITH_CODEX_METADATA", "LANGSMITH_METADATA"),
        (
            "replicas",
            "LANGSMITH_CODEX_RUNS_ENDPOINTS",
            "LANGSMITH_RUNS_ENDPOINTS",
        ),
        ("redact", "LANGSMITH_CODEX_REDACT", "LANGSMITH_REDACT"),
        (
            "redact_extra_rules",
            "LANGSMITH_CODEX_REDACT_EXTRA",
            "LANGSMITH_REDACT_EXTRA",
        ),
        ("live", "LANGSMITH_CODEX_LIVE", "CODEX_TRACING_LIVE"),
        ("live", "BRAINTRUST_LIVE", "CODEX_TRACING_LIVE"),
        (
            "project",
            "BRAINTRUST_PROJECT",
            "BRAINTRUST_DEFAULT_PROJECT",
        ),
    ] {
        let product = if own.starts_with("LANGSMITH") {
            Product::LangSmith
        } else {
            Product::Braintrust
        };
        let samples = samples(product);
        let sample = samples.iter().find(|sample| sample.key == key).unwrap();
        let [(a, a_found), (b, b_found)] = &sample.good;
        let mut scene = Scene::new();
        scene.var(general, Sample::text(b));
        assert_eq!(effective(product, &scene.ctx())[key], *b_found, "{general}");
        scene.var(own, Sample::text(a));
        assert_eq!(effective(product, &scene.ctx())[key], *a_found, "{own}");
        // A blank one counts as unset.
        scene.var(own, "  ");
        assert_eq!(
            effective(product, &scene.ctx())[key],
            *b_found,
            "blank {own}"
        );
    }
}

#[test]
fn metadata_merges_key_by_key_over_all_layers() {
    let mut scene = Scene::new();
    let layers = [Layer::Team, Layer::User, Layer::PluginData, Layer::Project];
    for (level, layer) in layers.into_iter().enumerate() {
        let own = layer.name().replace(' ', "_");
        let metadata =
            json!({"additionalMetadata": {"all": level, own: true, "deep": {"k": level}}});
        scene.settings(Product::Braintrust, layer, &metadata);
    }
    scene.var("BRAINTRUST_ADDITIONAL_METADATA", r#"{"all": "top"}"#);
    let loaded = scene.braintrust();
    let expected = json!({
        "all": "top", "team": true, "deep": {"k": 3}, "user": true, "plugin_data": true, "project": true,
    });
    assert_eq!(
        serde_json::Value::Object(loaded.settings.common.metadata),
        expected
    );
    let row = loaded.provenance.row("metadata.all").unwrap();
    assert_eq!(row.origin.to_string(), "BRAINTRUST_ADDITIONAL_METADATA");
    let hidden: Vec<_> = row
        .hidden
        .iter()
        .map(|hidden| hidden.value.clone())
        .collect();
    assert_eq!(hidden, [json!(3), json!(2), json!(1), json!(0)]);
}

#[test]
fn metadata_of_which_a_layer_was_left_out_says_where_the_rest_comes_from() {
    let unusable = "not JSON";
    let mut scene = Scene::new();
    scene.var("LANGSMITH_CODEX_METADATA", unusable);
    let origin = |scene: &Scene| {
        let loaded = scene.langsmith();
        let row = loaded.provenance.row("metadata").unwrap();
        assert_eq!(row.dropped.len(), 1);
        (row.value.clone(), row.origin.layer)
    };
    assert_eq!(origin(&scene), (json!({}), Layer::Default));
    let team = json!({"metadata": {"a": 1, "b": 1}});
    scene.settings(Product::LangSmith, Layer::Team, &team);
    assert_eq!(origin(&scene), (json!({"a": 1, "b": 1}), Layer::Team));
    let user = json!({"metadata": {"b": 2}});
    scene.settings(Product::LangSmith, Layer::User, &user);
    assert_eq!(origin(&scene), (json!({"a": 1, "b": 2}), Layer::User));
    // One that says nothing has no part in it.
    let project = json!({"metadata": {}});
    scene.settings(Product::LangSmith, Layer::Project, &project);
    assert_eq!(origin(&scene), (json!({"a": 1, "b": 2}), Layer::User));
}
