//! The trust records that Codex 0.129 and later want before they run a hook.
//!
//! A record is a table `[hooks.state."<plugin>@<marketplace>:hooks/hooks.json:<event>:<group>:<handler>"]`
//! in config.toml with `trusted_hash`: the SHA-256 of the handler's description as compact JSON with
//! sorted keys. Versions from 0.164 on also hash the plugin's files; given only `trusted_hash` they
//! pin that hash at first use, in `$CODEX_HOME/.hook-trust/<name>` ([`pin_files`]), and from then on
//! refuse other files without a word. So whoever trusts changed files has to take the old pin away.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use toml_edit::{Item, value};

use super::Plugin;
use super::by_hand::{edit_config, prune, table};

/// What makes one hook trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustRecord {
    /// The table's name below `hooks.state`.
    pub key: String,
    /// The event.
    pub event: String,
    /// The command that becomes trusted.
    pub command: String,
    /// `sha256:<hex>`.
    pub trusted_hash: String,
}

/// The records of every command hook of a plugin, in the order of its hooks.json.
pub fn trust_records(plugin: &Plugin) -> Vec<TrustRecord> {
    let events = plugin.hooks.get("hooks").and_then(Value::as_object);
    let mut records = Vec::new();
    for (event, groups) in events.into_iter().flatten() {
        let groups = groups.as_array().into_iter().flatten();
        for (group_at, group) in groups.enumerate() {
            let handlers = group.get("hooks").and_then(Value::as_array);
            for (handler_at, handler) in handlers.into_iter().flatten().enumerate() {
                let Some(command) = handler.get("command").and_then(Value::as_str) else {
                    continue;
                };
                let event_name = snake_case(event);
                records.push(TrustRecord {
                    key: format!(
                        "{}:hooks/hooks.json:{event_name}:{group_at}:{handler_at}",
                        plugin.id()
                    ),
                    event: event.clone(),
                    command: command.to_owned(),
                    trusted_hash: hash(&event_name, group, handler, command),
                });
            }
        }
    }
    records
}

impl TrustRecord {
    /// `<plugin>@<marketplace>`.
    fn plugin_id(&self) -> &str {
        self.key.split(':').next().unwrap_or_default()
    }
}

/// Writes the records into config.toml, and makes Codex 0.164 and later accept the plugins' files as
/// they are now. What the plugins were trusted with before is replaced; whether the user had
/// switched a hook off stays.
pub fn write_trust(codex_home: &Path, records: &[TrustRecord]) -> anyhow::Result<()> {
    let ids: BTreeSet<&str> = records.iter().map(TrustRecord::plugin_id).collect();
    for id in ids {
        remove_pins(codex_home, id)?;
    }
    edit_config(codex_home, |config| {
        for record in records {
            let state = table(config, &["hooks", "state", &record.key])?;
            state["trusted_hash"] = value(&record.trusted_hash);
            if let Some(state) = state.as_table_like_mut() {
                state.remove("trusted_content_hash");
            }
        }
        Ok(())
    })
}

/// Where Codex 0.164 and later may have pinned the content of a plugin: the file is named by the
/// SHA-256 over the path of config.toml and the plugin's id, each behind its length as a
/// little-endian 64-bit number (measured on 0.169). Two names where the home is behind a symbolic
/// link.
pub fn pin_files(codex_home: &Path, plugin_id: &str) -> BTreeSet<PathBuf> {
    let real = codex_home.canonicalize().ok();
    let homes = real.as_deref().into_iter().chain([codex_home]);
    homes
        .map(|home| {
            let config = home.join("config.toml");
            let mut hash = Sha256::new();
            for part in [config.to_string_lossy().as_bytes(), plugin_id.as_bytes()] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
            codex_home
                .join(".hook-trust")
                .join(format!("{:x}", hash.finalize()))
        })
        .collect()
}

fn remove_pins(codex_home: &Path, plugin_id: &str) -> anyhow::Result<()> {
    for pin in pin_files(codex_home, plugin_id) {
        match std::fs::remove_file(&pin) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error).with_context(|| format!("cannot remove {}", pin.display()));
            }
        }
    }
    Ok(())
}

/// Takes every record of the plugin out of config.toml, and what Codex pinned of its files.
pub fn forget_trust(codex_home: &Path, plugin: &Plugin) -> anyhow::Result<()> {
    remove_pins(codex_home, &plugin.id())?;
    let prefix = format!("{}:", plugin.id());
    edit_config(codex_home, |config| {
        let hooks = config.get_mut("hooks").and_then(Item::as_table_like_mut);
        let state = hooks.and_then(|hooks| hooks.get_mut("state")?.as_table_like_mut());
        if let Some(state) = state {
            let keys = state.iter().map(|(key, _)| key.to_owned());
            let keys: Vec<_> = keys.filter(|key| key.starts_with(&prefix)).collect();
            for key in keys {
                state.remove(&key);
            }
        }
        prune(config, &["hooks", "state"]);
        Ok(())
    })
}

fn hash(event: &str, group: &Value, handler: &Value, command: &str) -> String {
    let mut described = json!({
        "async": handler.get("async").and_then(Value::as_bool).unwrap_or(false),
        "command": command,
        "timeout": effective_timeout(event, handler.get("timeout").and_then(Value::as_u64)),
        "type": "command",
    });
    if let (Some(message), Value::Object(described)) =
        (handler.get("statusMessage"), &mut described)
    {
        described.insert("statusMessage".to_owned(), message.clone());
    }
    let mut identity = json!({"event_name": event, "hooks": [described]});
    if let (Some(matcher), Value::Object(identity)) = (group.get("matcher"), &mut identity) {
        identity.insert("matcher".to_owned(), matcher.clone());
    }
    let digest = Sha256::digest(sorted(&identity).to_string());
    format!("sha256:{digest:x}")
}

/// What Codex makes of a stated timeout, in seconds.
fn effective_timeout(event: &str, stated: Option<u64>) -> u64 {
    match event {
        "session_end" | "interrupt" => stated.unwrap_or(1).clamp(1, 3),
        _ => stated.unwrap_or(600).max(1),
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<_> = fields.keys().collect();
            names.sort();
            let fields: Map<_, _> = names
                .into_iter()
                .filter_map(|name| Some((name.clone(), sorted(fields.get(name)?))))
                .collect();
            Value::Object(fields)
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// `SessionStart` to `session_start`.
fn snake_case(event: &str) -> String {
    let mut out = String::new();
    for letter in event.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
