//! The tables and schemas say what the code does.

use codex_tracing_config::{
    Layer, Product, env_table, env_table_markdown, file_keys_markdown, schema,
};
use serde_json::json;

use crate::samples::samples;
use crate::scene::Scene;

#[test]
fn every_key_of_a_schema_is_known_to_the_loader_and_the_reverse() {
    for product in Product::ALL {
        let schema = schema(product);
        let properties = schema["properties"].as_object().unwrap();
        for key in properties.keys() {
            let scene = Scene::new();
            scene.settings(product, Layer::User, &json!({ key: [[]] }));
            let told = scene.told(&scene.explain(product)).concat();
            assert!(!told.contains("unknown key"), "{product} {key}");
        }
        for sample in samples(product) {
            assert!(
                properties.contains_key(sample.key),
                "{product} {}",
                sample.key
            );
        }
        insta::assert_json_snapshot!(format!("schema_of_{product}"), schema);
    }
}

#[test]
fn every_variable_stands_once_in_the_table_and_in_the_markdown() {
    let markdown = env_table_markdown();
    for var in env_table() {
        let same = env_table()
            .iter()
            .filter(|other| other.name == var.name)
            .count();
        assert_eq!(same, 1, "{}", var.name);
        assert!(
            markdown.contains(&format!("`{}`", var.name)),
            "{}",
            var.name
        );
        assert!(!var.about.is_empty());
    }
    for product in Product::ALL {
        for sample in samples(product) {
            assert!(
                env_table().iter().any(|var| var.name == sample.var),
                "{}",
                sample.var
            );
        }
    }
}

#[test]
fn the_tables_of_the_documentation_are_these() {
    insta::assert_snapshot!("variables", env_table_markdown());
    for product in Product::ALL {
        insta::assert_snapshot!(format!("keys_of_{product}"), file_keys_markdown(product));
    }
}
