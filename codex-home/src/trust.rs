//! Which hooks Codex trusts. From 0.129 on it runs no other.
//!
//! A record is a table `[hooks.state."<plugin>@<marketplace>:hooks/hooks.json:<event>:<group>:<handler>"]`
//! in the user's config.toml with `trusted_hash`: the SHA-256 of the handler's description as compact
//! JSON with sorted keys, as measured on 0.140–0.169. Versions from 0.164 on also hash the plugin's
//! files, by a recipe of their own; given only `trusted_hash` they pin the files at first use, in
//! `.hook-trust/<hash of config.toml's path and the plugin's id>`. A plugin whose files differ from
//! its pin is silently not run; trusting it anew takes the pin away.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::Plugin;

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

/// What config.toml says of one hook.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HookState<'a> {
    /// The hash of the description that was trusted.
    pub trusted_hash: Option<&'a str>,
    /// Whether the user left it on.
    pub enabled: Option<bool>,
}

/// The records of every command hook of a plugin, in the order of its hooks.json.
pub fn trust_records(plugin: &Plugin) -> Vec<TrustRecord> {
    hook_records(&plugin.id(), &plugin.hooks)
}

/// The records of every command hook that `hooks_json` has for the plugin called `plugin_id`
/// (`<plugin>@<marketplace>`), in its order.
pub fn hook_records(plugin_id: &str, hooks_json: &Value) -> Vec<TrustRecord> {
    let events = hooks_json.get("hooks").and_then(Value::as_object);
    let mut records = Vec::new();
    for (event, groups) in events.into_iter().flatten() {
        let groups = groups.as_array().into_iter().flatten();
        for (group_at, group) in groups.enumerate() {
            let handlers = group.get("hooks").and_then(Value::as_array);
            for (handler_at, handler) in handlers.into_iter().flatten().enumerate() {
                let Some(command) = command_here(handler) else {
                    continue;
                };
                let name = snake_case(event);
                records.push(TrustRecord {
                    plugin: plugin_id.to_owned(),
                    key: format!("{plugin_id}:hooks/hooks.json:{name}:{group_at}:{handler_at}"),
                    event: event.clone(),
                    command: command.to_owned(),
                    trusted_hash: hash(&name, group.get("matcher"), handler, command),
                });
            }
        }
    }
    records
}

/// What `config` says of the hook with this [`TrustRecord::key`]; nothing, if it does not know it.
pub fn hook_state<'a>(config: &'a toml::Table, key: &str) -> HookState<'a> {
    let Some(entry) = states(config).and_then(|states| states.get(key)) else {
        return HookState::default();
    };
    HookState {
        trusted_hash: entry.get("trusted_hash").and_then(toml::Value::as_str),
        enabled: entry.get("enabled").and_then(toml::Value::as_bool),
    }
}

/// The hash of the content of a plugin's files that Codex 0.164 and later trusts: in `config` after a
/// review, else in a pin. The recipe of that hash is Codex's own; it can only be compared with itself.
pub fn trusted_content(codex_home: &Path, config: &toml::Table, plugin_id: &str) -> Option<String> {
    let prefix = format!("{plugin_id}:");
    let reviewed = states(config).and_then(|states| {
        states
            .iter()
            .filter(|(key, _)| key.starts_with(&prefix))
            .find_map(|(_, entry)| entry.get("trusted_content_hash")?.as_str())
    });
    match reviewed {
        Some(hash) => Some(hash.to_owned()),
        None => pin_files(codex_home, plugin_id)
            .iter()
            .find_map(|pin| std::fs::read_to_string(pin).ok())
            .map(|text| text.trim().to_owned()),
    }
}

/// The files that may pin a plugin's content. A pin's name is the SHA-256 of two texts, each after its
/// length as eight little-endian bytes (measured on 0.169). Codex resolves links in a `CODEX_HOME`
/// that the user has set, but not in `~/.codex`: two names are possible.
pub(crate) fn pin_files(codex_home: &Path, plugin_id: &str) -> Vec<PathBuf> {
    let real = codex_home.canonicalize().ok();
    let homes = real.as_deref().into_iter().chain([codex_home]);
    homes
        .map(|home| {
            let config = home.join("config.toml");
            let mut name = Sha256::new();
            for text in [config.to_string_lossy().as_bytes(), plugin_id.as_bytes()] {
                name.update((text.len() as u64).to_le_bytes());
                name.update(text);
            }
            let name = format!("{:x}", name.finalize());
            codex_home.join(".hook-trust").join(name)
        })
        .collect()
}

fn states(config: &toml::Table) -> Option<&toml::Table> {
    config.get("hooks")?.get("state")?.as_table()
}

/// The command that Codex runs on this system, and that is trusted here.
fn command_here(handler: &Value) -> Option<&str> {
    let of_windows = handler
        .get("commandWindows")
        .filter(|_| cfg!(windows))
        .and_then(Value::as_str);
    of_windows.or_else(|| handler.get("command")?.as_str())
}

/// The members of both objects are put in by the order of their names: that is the order hashed.
fn hash(event: &str, matcher: Option<&Value>, handler: &Value, command: &str) -> String {
    let mut described = Map::new();
    let mut describe = |name: &str, value: Value| described.insert(name.to_owned(), value);
    let is_async = handler.get("async").and_then(Value::as_bool);
    describe("async", json!(is_async.unwrap_or(false)));
    describe("command", json!(command));
    if let Some(message) = handler.get("statusMessage").filter(|text| text.is_string()) {
        describe("statusMessage", message.clone());
    }
    let stated = handler.get("timeout").and_then(Value::as_u64);
    describe("timeout", json!(effective_timeout(event, stated)));
    describe("type", json!("command"));

    let mut whole = Map::new();
    whole.insert("event_name".to_owned(), json!(event));
    whole.insert("hooks".to_owned(), json!([described]));
    if let Some(matcher) = matcher.filter(|text| text.is_string()) {
        whole.insert("matcher".to_owned(), matcher.clone());
    }
    let digest = Sha256::digest(Value::Object(whole).to_string());
    format!("sha256:{digest:x}")
}

/// What Codex makes of a stated timeout, in seconds.
fn effective_timeout(event: &str, stated: Option<u64>) -> u64 {
    match event {
        "session_end" | "interrupt" => stated.unwrap_or(1).clamp(1, 3),
        _ => stated.unwrap_or(600).max(1),
    }
}

/// `SessionStart` to `session_start`.
fn snake_case(event: &str) -> String {
    let mut snake = String::with_capacity(event.len() + 4);
    for letter in event.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noting(command: &str) -> Value {
        json!({"type": "command", "command": command, "timeout": 10})
    }

    /// Hashes that Codex 0.140 to 0.169 accept.
    #[test]
    fn a_record_is_the_one_that_codex_would_write() {
        let (note, other) = (
            noting("sh \"${PLUGIN_ROOT}/note\""),
            noting("sh \"${PLUGIN_ROOT}/bin/x.sh\""),
        );
        let records = hook_records(
            "p@m",
            &json!({"hooks": {
                "Stop": [{"hooks": [note, other]}],
                "UserPromptSubmit": [{"hooks": [note]}],
            }}),
        );
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
                "p@m:hooks/hooks.json:stop:0:1",
                "sha256:39ae58463ff476f2c302414b60d123d4263ce41659f061eea50a24606f93dba2",
            ),
            (
                "p@m:hooks/hooks.json:user_prompt_submit:0:0",
                "sha256:684512b0188f3a8febca357afc0dc07bfd732c205ad0d5f24285b5d7f968acb1",
            ),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_hashed_has_its_members_in_order() {
        let handler = json!({
            "type": "command", "timeout": 5, "statusMessage": "noting", "command": "c", "async": true,
        });
        let text = concat!(
            r#"{"event_name":"stop","hooks":[{"async":true,"command":"c","statusMessage":"noting","#,
            r#""timeout":5,"type":"command"}],"matcher":"x"}"#
        );
        let expected = format!("sha256:{:x}", Sha256::digest(text));
        assert_eq!(hash("stop", Some(&json!("x")), &handler, "c"), expected);
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
        for (home, plugin, name) in [
            (
                "/tmp/htest/home",
                "p@m",
                "a288bc13c3fb5a2add2a1124e256a23d1085ce80661553df77260c80f11297cb",
            ),
            (
                "/tmp/trust/h/.codex",
                "pl@mk",
                "e7f44720bf25ac82690997f4a65409941b34f9b418995dbf963afb5da70de43a",
            ),
        ] {
            let pins = pin_files(Path::new(home), plugin);
            let named = pins.iter().any(|pin| pin.ends_with(name));
            assert!(named, "{pins:?}");
        }
    }

    #[test]
    fn a_reviewed_content_counts_before_a_pinned_one() {
        let home = tempfile::tempdir().unwrap();
        let reviewed: toml::Table = concat!(
            "[hooks.state.\"o@m:x:stop:0:0\"]\ntrusted_content_hash = \"another's\"\n",
            "[hooks.state.\"p@m:x:stop:0:0\"]\ntrusted_content_hash = \"reviewed\"\n",
        )
        .parse()
        .unwrap();
        let none = toml::Table::new();
        assert_eq!(trusted_content(home.path(), &none, "p@m"), None);
        let pin = pin_files(home.path(), "p@m").remove(0);
        std::fs::create_dir_all(pin.parent().unwrap()).unwrap();
        std::fs::write(pin, "pinned\n").unwrap();
        let found = |config| trusted_content(home.path(), config, "p@m");
        assert_eq!(found(&none).as_deref(), Some("pinned"));
        assert_eq!(found(&reviewed).as_deref(), Some("reviewed"));
    }
}
