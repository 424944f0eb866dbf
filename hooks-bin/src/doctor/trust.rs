//! Will Codex run our hooks? What `[hooks.state]` of config.toml says about each of them.
//!
//! Codex 0.129 and later runs a hook only if config.toml holds the hash of its definition; 0.164
//! and later also pins the content of the plugin's folder. The recipe of the first hash is
//! `sha256` over compact JSON with sorted keys of event, matcher and handler, as measured on
//! 0.140–0.169.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::codex::{CONTENT_TRUST_FROM, TRUST_FROM, Version};
use super::finding::Finding;
use super::plugin::install_word;

/// Default timeout of a hook in seconds, and the bounds for the two that end a session.
const DEFAULT_TIMEOUT: u64 = 600;
const ENDING_TIMEOUT: (u64, u64) = (1, 3);

/// One hook of a plugin: its key in `[hooks.state]` and its expected hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hook {
    pub(crate) key: String,
    pub(crate) event: String,
    pub(crate) command: String,
    pub(crate) hash: String,
}

/// Every command hook of a `hooks.json`.
pub(crate) fn hooks_of(plugin_id: &str, hooks_json: &Value) -> Vec<Hook> {
    let mut hooks = Vec::new();
    let events = hooks_json.get("hooks").and_then(Value::as_object);
    for (event, groups) in events.into_iter().flatten() {
        let groups = groups.as_array().map(Vec::as_slice).unwrap_or_default();
        for (group_index, group) in groups.iter().enumerate() {
            let handlers = group.get("hooks").and_then(Value::as_array);
            for (index, handler) in handlers.into_iter().flatten().enumerate() {
                let snake = snake_case(event);
                let Some(command) = command_here(handler) else {
                    continue;
                };
                hooks.push(Hook {
                    key: format!("{plugin_id}:hooks/hooks.json:{snake}:{group_index}:{index}"),
                    event: event.clone(),
                    command: command.to_owned(),
                    hash: definition_hash(&snake, group.get("matcher"), handler, command),
                });
            }
        }
    }
    hooks
}

/// The command that Codex runs on this system, and that is trusted here.
fn command_here(handler: &Value) -> Option<&str> {
    let of_windows = handler
        .get("commandWindows")
        .filter(|_| cfg!(windows))
        .and_then(Value::as_str);
    of_windows.or_else(|| handler.get("command")?.as_str())
}

fn definition_hash(event: &str, matcher: Option<&Value>, handler: &Value, command: &str) -> String {
    let given = handler.get("timeout").and_then(Value::as_u64);
    let timeout = if matches!(event, "session_end" | "interrupt") {
        given
            .unwrap_or(ENDING_TIMEOUT.0)
            .clamp(ENDING_TIMEOUT.0, ENDING_TIMEOUT.1)
    } else {
        given.unwrap_or(DEFAULT_TIMEOUT).max(1)
    };
    let mut definition: BTreeMap<&str, Value> = BTreeMap::from([
        (
            "async",
            json!(
                handler
                    .get("async")
                    .and_then(Value::as_bool)
                    .unwrap_or(false)
            ),
        ),
        ("command", json!(command)),
        ("timeout", json!(timeout)),
        ("type", json!("command")),
    ]);
    if let Some(message) = handler
        .get("statusMessage")
        .filter(|value| value.is_string())
    {
        definition.insert("statusMessage", message.clone());
    }
    let handler: Map<String, Value> = definition
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let mut whole = Map::new();
    whole.insert("event_name".to_owned(), json!(event));
    whole.insert("hooks".to_owned(), json!([handler]));
    if let Some(matcher) = matcher.filter(|value| value.is_string()) {
        whole.insert("matcher".to_owned(), matcher.clone());
    }
    format!(
        "sha256:{:x}",
        Sha256::digest(Value::Object(whole).to_string())
    )
}

/// Where Codex 0.164 and later pins the content of a plugin that only has definition hashes: one
/// file per plugin and config.toml, named by a hash over both, each behind its length as a
/// little-endian 64-bit number (measured on 0.169). Codex resolves links in a `CODEX_HOME` that the
/// user has set, but not in `~/.codex`: two names are possible.
pub(crate) fn pin_files(codex_home: &Path, plugin_id: &str) -> Vec<PathBuf> {
    let real = codex_home.canonicalize().ok();
    let homes = real.as_deref().into_iter().chain([codex_home]);
    homes
        .map(|home| {
            let config = home.join("config.toml");
            let mut hasher = Sha256::new();
            for part in [config.to_string_lossy().as_bytes(), plugin_id.as_bytes()] {
                hasher.update((part.len() as u64).to_le_bytes());
                hasher.update(part);
            }
            let name = format!("{:x}", hasher.finalize());
            codex_home.join(".hook-trust").join(name)
        })
        .collect()
}

/// Which of `hooks` will run?
pub(crate) fn examine(
    version: Version,
    config: &toml::Table,
    plugin_id: &str,
    hooks: &[Hook],
) -> Vec<Finding> {
    if version < TRUST_FROM || hooks.is_empty() {
        return Vec::new();
    }
    let state = config.get("hooks").and_then(|table| table.get("state"));
    let entry = |hook: &Hook| state.and_then(|table| table.get(&hook.key));
    let text = |hook: &Hook, name: &str| {
        entry(hook)
            .and_then(|entry| entry.get(name))
            .and_then(toml::Value::as_str)
    };
    let named = |wanted: &dyn Fn(&Hook) -> bool| -> Vec<&str> {
        hooks
            .iter()
            .filter(|hook| wanted(hook))
            .map(|hook| hook.event.as_str())
            .collect()
    };
    let unknown = named(&|hook| text(hook, "trusted_hash").is_none());
    let changed = named(&|hook| text(hook, "trusted_hash").is_some_and(|hash| hash != hook.hash));
    let off = named(&|hook| {
        entry(hook)
            .and_then(|entry| entry.get("enabled"))
            .and_then(toml::Value::as_bool)
            == Some(false)
    });
    let mut findings = Vec::new();
    let mut tell = |id, events: &[&str], what: &str, cure: String| {
        if !events.is_empty() {
            let events = events.join(", ");
            let cause = format!("hooks of {plugin_id} {what}, so Codex skips them: {events}");
            findings.push(Finding::problem(id, cause, cure));
        }
    };
    let review = format!(
        "start `codex`, choose to review hooks and trust them, or run `cargo xtask install {} \
         --trust`; in CI pass --dangerously-bypass-hook-trust (0.142 and later)",
        install_word(plugin_id)
    );
    tell(
        "hooks-untrusted",
        &unknown,
        "were never trusted",
        review.clone(),
    );
    let what = "changed since they were trusted";
    tell("hooks-changed", &changed, what, review);
    let cure = "switch them on in /hooks of the TUI".to_owned();
    tell("hooks-switched-off", &off, "are switched off", cure);
    if findings.is_empty() {
        let scope = if version >= CONTENT_TRUST_FROM {
            " (definitions)"
        } else {
            ""
        };
        findings.push(Finding::ok(
            "trust",
            format!("all hooks of {plugin_id} are trusted{scope}"),
        ));
    }
    findings
}

fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from Codex 0.169: this definition under this key was accepted as trusted.
    const STOP_HASH: &str =
        "sha256:39ae58463ff476f2c302414b60d123d4263ce41659f061eea50a24606f93dba2";

    fn stop_hook() -> Value {
        json!({"hooks": {"Stop": [{"hooks": [
            {"type": "command", "command": "sh \"${PLUGIN_ROOT}/bin/x.sh\"", "timeout": 10},
        ]}]}})
    }

    #[test]
    fn the_definition_hash_is_the_one_codex_accepts() {
        let hooks = hooks_of("pl@mk", &stop_hook());
        assert_eq!(hooks.len(), 1);
        assert_eq!(hooks[0].key, "pl@mk:hooks/hooks.json:stop:0:0");
        assert_eq!(hooks[0].hash, STOP_HASH);
    }

    #[test]
    fn the_pin_file_is_the_one_codex_writes() {
        let pins = pin_files(Path::new("/tmp/trust/h/.codex"), "pl@mk");
        let name = "e7f44720bf25ac82690997f4a65409941b34f9b418995dbf963afb5da70de43a";
        assert!(pins.iter().any(|pin| pin.file_name().unwrap() == name));
    }

    fn check(version: Version, state: &str, expected: &[&str]) {
        let config: toml::Table = state.parse().unwrap();
        let hooks = hooks_of("pl@mk", &stop_hook());
        let ids: Vec<_> = examine(version, &config, "pl@mk", &hooks)
            .iter()
            .map(|f| f.id)
            .collect();
        assert_eq!(ids, expected, "{state}");
    }

    #[test]
    fn every_state_of_trust_has_its_finding() {
        let now = Version(0, 169, 0);
        let key = "[hooks.state.\"pl@mk:hooks/hooks.json:stop:0:0\"]\n";
        check(Version(0, 128, 0), "", &[]);
        check(now, "", &["hooks-untrusted"]);
        check(
            now,
            &format!("{key}trusted_hash = \"sha256:00\""),
            &["hooks-changed"],
        );
        check(
            now,
            &format!("{key}trusted_hash = \"{STOP_HASH}\""),
            &["trust"],
        );
        check(
            now,
            &format!("{key}trusted_hash = \"{STOP_HASH}\"\nenabled = false"),
            &["hooks-switched-off"],
        );
    }
}
