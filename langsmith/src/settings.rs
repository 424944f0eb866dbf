//! Settings as destinations.

use std::collections::BTreeMap;

use codex_tracing_config::{LangSmithSettings, Replica, endpoint_host};
use codex_tracing_delivery::Destination;
use codex_tracing_redact::Redactor;
use codex_tracing_transcript::Scrub;
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::ids::hex_digest;

/// What a [`Destination`] stands for.
pub(crate) struct Target {
    /// API URL without trailing slash; paths are appended as they are.
    pub(crate) api_url: String,
    /// Key.
    pub(crate) api_key: Option<SecretString>,
    /// `x-tenant-id`.
    pub(crate) workspace_id: Option<String>,
    /// Project (`session_name`) of the runs there.
    pub(crate) project: String,
    /// Whether runs have other ids there than in the main project.
    pub(crate) new_ids: bool,
    /// Fields to merge into each run, redacted.
    pub(crate) updates: Map<String, Value>,
}

/// Where runs go: the replicas if there are any, else the primary endpoint. `project` is the
/// project of the runs themselves, from the settings or from a caller's headers.
pub(crate) fn targets(
    settings: &LangSmithSettings,
    project: &str,
    redactor: &Redactor,
) -> Vec<Target> {
    if settings.replicas.is_empty() {
        return vec![Target {
            api_url: trimmed(&settings.api_url),
            api_key: settings.api_key.clone(),
            workspace_id: settings.workspace_id.clone(),
            project: project.to_owned(),
            new_ids: false,
            updates: Map::new(),
        }];
    }
    let target = |replica: &Replica| replica_target(replica, project, redactor);
    settings.replicas.iter().map(target).collect()
}

fn replica_target(replica: &Replica, project: &str, redactor: &Redactor) -> Target {
    let own = replica.project.as_deref().unwrap_or(project);
    Target {
        api_url: trimmed(&replica.api_url),
        api_key: replica.api_key.clone(),
        workspace_id: replica.workspace_id.clone(),
        project: own.to_owned(),
        // The URL plays no part: the same project on another server keeps the ids.
        new_ids: match replica.primary {
            Some(primary) => !primary,
            None => own != project,
        },
        updates: redacted(replica.updates.clone(), redactor),
    }
}

/// Fields without the secrets in them.
pub(crate) fn redacted(fields: Map<String, Value>, redactor: &Redactor) -> Map<String, Value> {
    let mut fields = Value::Object(fields);
    redactor.json(&mut fields);
    match fields {
        Value::Object(fields) => fields,
        // A scrub keeps the shape of what it is given.
        _ => Map::new(),
    }
}

/// The destinations that stand for `targets`, in the same order.
pub(crate) fn destinations(targets: &[Target]) -> Vec<Destination> {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let destination = |(index, target): (usize, &Target)| {
        let mut id = destination_id(target);
        let count = taken.entry(id.clone()).or_default();
        *count += 1;
        // Two workspaces told apart by nothing but their keys still need a cursor each.
        if *count > 1 {
            id = format!("{id}-{count}");
        }
        Destination {
            id,
            index,
            label: label(target),
            has_key: target.api_key.is_some(),
        }
    };
    targets.iter().enumerate().map(destination).collect()
}

fn destination_id(target: &Target) -> String {
    let workspace = target.workspace_id.as_deref().unwrap_or_default();
    let parts = [target.api_url.as_str(), workspace, target.project.as_str()];
    format!("langsmith-{}", hex_digest(parts, 16))
}

fn label(target: &Target) -> String {
    format!("{} · {}", endpoint_host(&target.api_url), target.project)
}

fn trimmed(url: &str) -> String {
    let url = url.trim();
    url.strip_suffix('/').unwrap_or(url).to_owned()
}
