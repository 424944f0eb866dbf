//! A JSON Schema for each product's settings file, read off the table of settings.

use serde_json::{Map, Value, json};

use crate::field::{Field, Kind, fields, to_camel};
use crate::product::Product;

/// The JSON Schema (draft 2020-12) of a product's settings file, for editors. Every accepted
/// spelling of a key is a property, unknown keys are not allowed.
///
/// ```
/// use codex_tracing_config::{Product, schema};
///
/// let schema = schema(Product::LangSmith);
/// assert_eq!(schema["$defs"]["api_url"]["default"], "https://api.smith.langchain.com");
/// assert!(schema["properties"]["apiUrl"].is_object());
/// ```
pub fn schema(product: Product) -> Value {
    let mut definitions = Map::new();
    let mut properties = Map::new();
    properties.insert("$schema".to_owned(), json!({"type": "string"}));
    for field in fields(product) {
        definitions.insert(field.key.to_owned(), definition(field));
        let reference = json!({"$ref": format!("#/$defs/{}", field.key)});
        for spelling in spellings(field) {
            properties.insert(spelling, reference.clone());
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("codex-tracing settings for {}", product.title()),
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "$defs": definitions,
    })
}

/// The documented key first, then `snake_case` and `camelCase` of all names.
fn spellings(field: &Field) -> Vec<String> {
    let mut spellings = vec![field.documented_key().to_owned()];
    for name in std::iter::once(&field.key).chain(field.aliases) {
        for spelling in [(*name).to_owned(), to_camel(name)] {
            if !spellings.contains(&spelling) {
                spellings.push(spelling);
            }
        }
    }
    spellings
}

fn definition(field: &Field) -> Value {
    let mut definition = value_schema(field.kind);
    if let Some(members) = definition.as_object_mut() {
        let about = match field.kind {
            Kind::NoMeaning(reason) => format!("{} Reason: {reason}.", field.about),
            _ => field.about.to_owned(),
        };
        members.insert("description".to_owned(), json!(about));
        if let Some(default) = field.default {
            let typed = match field.kind {
                Kind::Switch | Kind::Bytes => serde_json::from_str(default).unwrap_or_default(),
                _ => json!(default),
            };
            members.insert("default".to_owned(), typed);
        }
        if matches!(field.kind, Kind::NoMeaning(_)) {
            members.insert("deprecated".to_owned(), json!(true));
        }
    }
    definition
}

fn value_schema(kind: Kind) -> Value {
    match kind {
        Kind::Switch => json!({"anyOf": [
            {"type": "boolean"},
            {"enum": ["true", "false", "1", "0", "yes", "no", "on", "off", 1, 0]},
        ]}),
        Kind::Text | Kind::Key | Kind::Url | Kind::Path => json!({"type": "string"}),
        Kind::Object => json!({"type": "object"}),
        Kind::Replicas => json!({"anyOf": [
            {"type": "array", "items": replica()},
            {"type": "object", "additionalProperties": {"type": "string"}},
        ]}),
        Kind::Rules => json!({"type": "array", "items": {
            "type": "object",
            "properties": {"pattern": {"type": "string"}, "replace": {"type": "string"}},
            "required": ["pattern"],
            "additionalProperties": false,
        }}),
        Kind::Headers => json!({
            "type": "object",
            "properties": {"langsmith-trace": {"type": "string"}, "baggage": {"type": "string"}},
            "required": ["langsmith-trace"],
            "additionalProperties": false,
        }),
        Kind::Bytes => json!({"type": "integer", "minimum": 0}),
        Kind::Images => json!({"enum": ["keep", "reference", "omit"]}),
        Kind::NoMeaning(_) => json!({}),
    }
}

fn replica() -> Value {
    let text = json!({"type": "string"});
    let mut properties = Map::new();
    for name in [
        "api_url",
        "api_key",
        "project",
        "project_name",
        "workspace_id",
    ] {
        properties.insert(name.to_owned(), text.clone());
        properties.insert(to_camel(name), text.clone());
    }
    properties.insert("primary".to_owned(), value_schema(Kind::Switch));
    properties.insert("updates".to_owned(), json!({"type": "object"}));
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}
