//! The tables and schemas say what the code does.

use codex_tracing_config::{
    Layer, Product, env_summary_markdown, env_table, env_table_markdown, file_keys_markdown, schema,
};
use serde_json::json;

use crate::samples::samples;
use crate::scene::Scene;

#[test]
fn every_key_of_a_schema_is_known_to_the_loader_and_the_reverse() {
    for product in Product::all() {
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
    let markdown = [env_table_markdown(), env_summary_markdown()];
    for var in env_table() {
        let same = env_table()
            .iter()
            .filter(|other| other.name == var.name)
            .count();
        assert_eq!(same, 1, "{}", var.name);
        let name = format!("`{}`", var.name);
        assert!(markdown.iter().all(|text| text.contains(&name)), "{name}");
        assert!(!var.about.is_empty());
    }
    for product in Product::all() {
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
    insta::assert_snapshot!("variables_in_short", env_summary_markdown());
    for product in Product::all() {
        insta::assert_snapshot!(format!("keys_of_{product}"), file_keys_markdown(product));
    }
}

/// The examples of the documentation: product, layer, format and text. Each stands in a fenced
/// block below `<!-- example: <product> <layer> -->`.
fn documented_examples(document: &str) -> Vec<(Product, Layer, String, String)> {
    let mut examples = Vec::new();
    for part in document.split("<!-- example: ").skip(1) {
        let (head, rest) = part.split_once(" -->\n```").unwrap();
        let (product, layer) = head.split_once(' ').unwrap();
        let (format, rest) = rest.split_once('\n').unwrap();
        let (text, _) = rest.split_once("```").unwrap();
        let layer = match layer {
            "team" => Layer::Team,
            "user" => Layer::User,
            "project" => Layer::Project,
            other => panic!("no such layer: {other}"),
        };
        let product = product.parse().unwrap();
        examples.push((product, layer, format.to_owned(), text.to_owned()));
    }
    examples
}

#[test]
fn every_example_of_the_documentation_loads_without_a_warning() {
    let document =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let document = std::fs::read_to_string(document).unwrap();
    let examples = documented_examples(&document);
    assert!(examples.len() >= 5, "{examples:?}");
    for (product, layer, format, text) in examples {
        let mut scene = Scene::new();
        for name in ["LANGSMITH_API_KEY", "LANGSMITH_EU_API_KEY"] {
            scene.var(name, "lsv2_pt_0123456789abcdef0123");
        }
        scene.var("BRAINTRUST_API_KEY", "sk-0123456789abcdef0123");
        let file = Scene::file_of(product, layer);
        let file = scene.write(&file.replace(".json", &format!(".{format}")), &text);
        let explained = scene.explain(product);
        assert_eq!(scene.told(&explained), Vec::<String>::new(), "{text}");
        let of_file = |origin: &codex_tracing_config::Origin| {
            origin.place == codex_tracing_config::Place::File(file.clone())
        };
        let rows = explained.provenance.rows();
        assert!(rows.iter().any(|row| of_file(&row.origin)), "{text}");
    }
}
