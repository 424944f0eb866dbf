//! What the settings come to: one target, and the destination that names it.

use codex_tracing_config::{BraintrustSettings, endpoint_host};
use codex_tracing_delivery::Destination;
use codex_tracing_redact::Redactor;
use codex_tracing_transcript::Scrub;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use crate::ids;

/// Control plane and data plane of the hosted product.
const APP_URL: &str = "https://www.braintrust.dev";
const API_URL: &str = "https://api.braintrust.dev";

/// Settings, checked and put into the shape that mapping and requests need.
pub(crate) struct Target {
    /// `Bearer <key>`, if a key is at hand.
    pub(crate) authorization: Option<SecretString>,
    /// Data plane, if configured; without trailing slash.
    pub(crate) api_url: Option<String>,
    /// Control plane; without trailing slash.
    pub(crate) app_url: String,
    /// Organisation by name.
    pub(crate) org_name: Option<String>,
    /// Project by name.
    pub(crate) project: String,
    /// A caller's span to hang the session under.
    pub(crate) join: Option<Join>,
    /// The user's metadata, redacted.
    pub(crate) custom: Map<String, Value>,
    /// `context` of every row.
    pub(crate) context: Value,
    /// Scrubs what this crate adds to the model.
    pub(crate) redactor: Redactor,
    /// Whether running turns are sent.
    pub(crate) live: bool,
}

/// Ids of a caller's trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Join {
    /// Span to hang the session under.
    pub(crate) parent: String,
    /// Its trace.
    pub(crate) root: String,
}

impl Target {
    pub(crate) fn new(settings: &BraintrustSettings, redactor: Redactor, version: &str) -> Self {
        let mut custom = Value::Object(settings.common.metadata.clone());
        redactor.json(&mut custom);
        Self {
            authorization: settings.api_key.as_ref().and_then(bearer),
            api_url: settings.api_url.as_deref().and_then(endpoint),
            app_url: endpoint(&settings.app_url).unwrap_or_else(|| APP_URL.to_owned()),
            org_name: trimmed(settings.org_name.as_deref()),
            project: settings.project.clone(),
            join: join(settings),
            custom: match custom {
                Value::Object(map) => map,
                _ => Map::new(),
            },
            context: json!({ "span_origin": origin(settings, version) }),
            redactor,
            live: settings.common.live,
        }
    }

    /// The data plane of the hosted product, where no other is known.
    pub(crate) fn default_api_url(&self) -> Option<String> {
        (self.app_url == APP_URL).then(|| API_URL.to_owned())
    }

    /// The one destination of these settings.
    pub(crate) fn destination(&self) -> Destination {
        let endpoint = self.api_url.as_deref().unwrap_or(&self.app_url);
        let org = self.org_name.as_deref().unwrap_or_default();
        let id = ids::destination(endpoint, org, &self.project);
        Destination {
            id: format!("braintrust-{id}"),
            index: 0,
            label: format!("{} · {}", endpoint_host(endpoint), self.project),
            has_key: self.authorization.is_some(),
        }
    }
}

/// The header's value. A key read from a file often ends in a newline.
fn bearer(key: &SecretString) -> Option<SecretString> {
    let key = key.expose_secret().trim();
    (!key.is_empty()).then(|| SecretString::from(format!("Bearer {key}")))
}

fn endpoint(url: &str) -> Option<String> {
    let url = url.trim().trim_end_matches('/');
    (!url.is_empty()).then(|| {
        if url.contains("://") {
            url.to_owned()
        } else {
            format!("https://{url}")
        }
    })
}

fn trimmed(text: Option<&str>) -> Option<String> {
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// With only one of the two ids given, it stands for both.
fn join(settings: &BraintrustSettings) -> Option<Join> {
    let parent = trimmed(settings.parent_span_id.as_deref());
    let root = trimmed(settings.root_span_id.as_deref());
    Some(Join {
        parent: parent.clone().or_else(|| root.clone())?,
        root: root.or(parent)?,
    })
}

fn origin(settings: &BraintrustSettings, version: &str) -> Value {
    let mut origin = json!({
        "name": "braintrust.plugin.codex",
        "version": version,
        "instrumentation": { "name": "codex-tracing" },
    });
    let mut environment = Map::new();
    if let Some(found) = &settings.environment {
        for (key, value) in [("type", &found.kind), ("name", &found.name)] {
            if let Some(value) = value {
                environment.insert(key.to_owned(), Value::from(value.as_str()));
            }
        }
    }
    if let (Some(origin), false) = (origin.as_object_mut(), environment.is_empty()) {
        origin.insert("environment".to_owned(), Value::Object(environment));
    }
    origin
}

#[cfg(test)]
mod tests;
