//! The ways a setting may be written in a file.

use std::path::PathBuf;

use codex_tracing_config::{Layer, Product};
use serde_json::{Map, Value, json};

use crate::scene::Scene;

/// Format of the file and spelling of its keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notation {
    extension: &'static str,
    is_camel: bool,
}

impl Notation {
    /// Those that a layer's file may have.
    pub(crate) fn of(layer: Layer) -> Vec<Self> {
        // The file in a plugin's data folder has but one name.
        let extensions: &[&str] = match layer {
            Layer::PluginData => &["json"],
            _ => &["json", "toml"],
        };
        let spelled = |extension| {
            [false, true].map(|is_camel| Self {
                extension,
                is_camel,
            })
        };
        extensions.iter().flat_map(|it| spelled(it)).collect()
    }

    /// The key as this notation writes it: `api_url`, or `apiUrl` and what Braintrust's own
    /// documentation has.
    pub(crate) fn key(self, product: Product, key: &str) -> String {
        match (product, key) {
            _ if !self.is_camel => key.to_owned(),
            (Product::Braintrust, "enabled") => "traceToBraintrust".to_owned(),
            (Product::Braintrust, "metadata") => "additionalMetadata".to_owned(),
            _ => {
                let mut words = key.split('_');
                let first = words.next().unwrap().to_owned();
                words.fold(first, |camel, word| {
                    camel + &word[..1].to_uppercase() + &word[1..]
                })
            }
        }
    }

    /// Writes settings, given by `snake_case` keys, as the file of a layer.
    pub(crate) fn write(
        self,
        scene: &Scene,
        (product, layer): (Product, Layer),
        settings: &Value,
    ) -> PathBuf {
        let settings = settings.as_object().unwrap().iter();
        let settings: Map<String, Value> = settings
            .map(|(key, value)| (self.key(product, key), value.clone()))
            .collect();
        let text = match self.extension {
            "json" => json!(settings).to_string(),
            _ => toml::to_string(&without_null(&json!(settings))).unwrap(),
        };
        let file = Scene::file_of(product, layer);
        scene.write(
            &file.replace(".json", &format!(".{}", self.extension)),
            text,
        )
    }
}

/// TOML has no null.
fn without_null(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object.iter().filter(|(_, value)| !value.is_null());
            let kept = kept.map(|(key, value)| (key.clone(), without_null(value)));
            Value::Object(kept.collect())
        }
        Value::Array(array) => array.iter().map(without_null).collect(),
        other => other.clone(),
    }
}
