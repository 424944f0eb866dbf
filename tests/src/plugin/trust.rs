//! The trust records that Codex 0.129 and later want before they run a hook.
//!
//! A record is a table `[hooks.state."<plugin>@<marketplace>:hooks/hooks.json:<event>:<group>:<handler>"]`
//! in config.toml with `trusted_hash`: the SHA-256 of the handler's description as compact JSON with
//! sorted keys. Versions from 0.164 on also hash the plugin's files; given only `trusted_hash` they
//! pin the files at first use, in `.hook-trust/<hash of config.toml's path and the plugin's id>`.
//! A plugin whose files differ from its pin is silently not run; trusting it anew takes the pin away.

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
    /// `<plugin>@<marketplace>`.
    pub plugin: String,
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
                let Some(command) = command_here(handler) else {
                    continue;
                };
                let event_name = snake_case(event);
                records.push(TrustRecord {
                    plugin: plugin.id(),
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

/// The command that Codex runs on this system.
fn command_here(handler: &Value) -> Option<&str> {
    let of_windows = handler
        .get("commandWindows")
        .filter(|_| cfg!(windows))
        .and_then(Value::as_str);
    of_windows.or_else(|| handler.get("command")?.as_str())
}

/// Writes the records into config.toml. What the plugin was trusted with before is replaced; whether
/// the user had switched a hook off stays.
pub fn write_trust(codex_home: &Path, records: &[TrustRecord]) -> anyhow::Result<()> {
    edit_config(codex_home, |config| {
        for record in records {
            let state = table(config, &["hooks", "state", &record.key])?;
            state["trusted_hash"] = value(&record.trusted_hash);
            if let Some(state) = state.as_table_like_mut() {
                state.remove("trusted_content_hash");
            }
        }
        Ok(())
    })?;
    let plugins: BTreeSet<_> = records.iter().map(|record| &record.plugin).collect();
    plugins
        .into_iter()
        .try_for_each(|plugin| unpin(codex_home, plugin))
}

/// Takes every record of the plugin out of config.toml.
pub fn forget_trust(codex_home: &Path, plugin: &Plugin) -> anyhow::Result<()> {
    let prefix = format!("{}:", plugin.id());
    unpin(codex_home, &plugin.id())?;
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

/// Forgets which files of the plugin were trusted.
fn unpin(codex_home: &Path, plugin: &str) -> anyhow::Result<()> {
    // Codex resolves links in a `CODEX_HOME` that the user has set, but not in `~/.codex`.
    let resolved = codex_home
        .canonicalize()
        .unwrap_or_else(|_| codex_home.to_owned());
    for home in [codex_home, &resolved] {
        let pin = pin(home, plugin);
        match std::fs::remove_file(&pin) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", pin.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The file that pins a plugin's content; its name is the SHA-256 of two texts, each after its
/// length as eight little-endian bytes.
fn pin(codex_home: &Path, plugin: &str) -> PathBuf {
    let config = codex_home.join("config.toml").display().to_string();
    let mut name = Sha256::new();
    for text in [config.as_str(), plugin] {
        name.update((text.len() as u64).to_le_bytes());
        name.update(text);
    }
    codex_home
        .join(".hook-trust")
        .join(format!("{:x}", name.finalize()))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin(hooks: Value) -> Plugin {
        Plugin {
            name: "p".to_owned(),
            marketplace: "m".to_owned(),
            version: "1".to_owned(),
            folder: PathBuf::new(),
            hooks,
        }
    }

    /// Hashes that Codex 0.140 to 0.169 accept.
    #[test]
    fn a_record_is_the_one_that_codex_would_write() {
        let handler =
            json!({"type": "command", "command": "sh \"${PLUGIN_ROOT}/note\"", "timeout": 10});
        let records = trust_records(&plugin(json!({"hooks": {
            "Stop": [{"hooks": [handler]}],
            "UserPromptSubmit": [{"hooks": [handler]}],
        }})));
        let found: Vec<_> = records
            .iter()
            .map(|record| (record.key.as_str(), record.trusted_hash.as_str()))
            .collect();
        let expected = [
            (
                "p@m:hooks/hooks.json:stop:0:0",
                "sha256:d79c9f293e104f1ee525dbc4578a006fa427f23fb6df949f9876463841fc3f53",
            ),
            (
                "p@m:hooks/hooks.json:user_prompt_submit:0:0",
                "sha256:684512b0188f3a8febca357afc0dc07bfd732c205ad0d5f24285b5d7f968acb1",
            ),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn timeouts_are_those_that_codex_makes_of_them() {
        let check = |event: &str, stated: Option<u64>, expected: u64| {
            assert_eq!(
                effective_timeout(event, stated),
                expected,
                "{event} {stated:?}"
            );
        };
        check("stop", None, 600);
        check("stop", Some(0), 1);
        check("stop", Some(60), 60);
        check("session_end", None, 1);
        check("session_end", Some(3), 3);
        check("interrupt", Some(60), 3);
    }

    #[test]
    fn a_pin_has_the_name_that_codex_gives_it() {
        let pin = pin(Path::new("/tmp/htest/home"), "p@m");
        let name = "a288bc13c3fb5a2add2a1124e256a23d1085ce80661553df77260c80f11297cb";
        assert!(pin.ends_with(name), "{}", pin.display());
    }

    #[test]
    fn trusting_and_forgetting_leave_the_rest_of_the_file_alone() {
        let home = tempfile::TempDir::new().unwrap();
        let config = home.path().join("config.toml");
        let before = "# mine\nmodel = \"x\" # this one\n\n[hooks.state.\"o@m:x:stop:0:0\"]\nenabled = false\n";
        std::fs::write(&config, before).unwrap();
        let plugin = plugin(json!({"hooks": {"Stop": [{"hooks": [{"command": "c"}]}]}}));
        let records = trust_records(&plugin);
        write_trust(home.path(), &records).unwrap();
        let trusted = std::fs::read_to_string(&config).unwrap();
        assert!(trusted.starts_with(before), "{trusted}");
        assert!(trusted.contains(&records[0].trusted_hash));
        write_trust(home.path(), &records).unwrap();
        assert_eq!(std::fs::read_to_string(&config).unwrap(), trusted);
        let kept = home.path().join("config.toml.before-codex-tracing");
        assert_eq!(std::fs::read_to_string(kept).unwrap(), before);
        forget_trust(home.path(), &plugin).unwrap();
        let after = std::fs::read_to_string(&config).unwrap();
        assert_eq!(after.trim_end(), before.trim_end());
    }
}
