//! Will Codex run our hooks? What `[hooks.state]` of config.toml says about each of them.

use codex_tracing_codex_home::{CodexVersion, TrustRecord, hook_state};

use super::finding::Finding;
use crate::backends::install_word;

/// Which of `hooks` will run?
pub(crate) fn examine(
    version: CodexVersion,
    config: &toml::Table,
    plugin_id: &str,
    hooks: &[TrustRecord],
) -> Vec<Finding> {
    if version < CodexVersion::HOOK_TRUST || hooks.is_empty() {
        return Vec::new();
    }
    let named = |wanted: &dyn Fn(&TrustRecord) -> bool| -> Vec<&str> {
        hooks
            .iter()
            .filter(|hook| wanted(hook))
            .map(|hook| hook.event.as_str())
            .collect()
    };
    let trusted = |hook: &TrustRecord| hook_state(config, &hook.key).trusted_hash;
    let unknown = named(&|hook| trusted(hook).is_none());
    let changed = named(&|hook| trusted(hook).is_some_and(|hash| hash != hook.trusted_hash));
    let off = named(&|hook| hook_state(config, &hook.key).enabled == Some(false));
    let mut findings = Vec::new();
    let mut tell = |id, events: &[&str], what: &str, cure: String| {
        if !events.is_empty() {
            let events = events.join(", ");
            let cause = format!("hooks of {plugin_id} {what}, so Codex skips them: {events}");
            findings.push(Finding::problem(id, cause, cure));
        }
    };
    let review = format!(
        "start `codex` and trust the hooks when it says \"Hooks need review\"; in CI pass \
         --dangerously-bypass-hook-trust (0.142 and later); from a clone also \
         `cargo xtask install {} --trust`",
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
        // How Codex hashes files is its own business: what was noted of them is compared elsewhere.
        let scope = if version >= CodexVersion::CONTENT_TRUST {
            ", as long as no file of the plugin changes"
        } else {
            ""
        };
        findings.push(Finding::ok(
            "trust",
            format!("the commands of all hooks of {plugin_id} are trusted{scope}"),
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use codex_tracing_codex_home::hook_records;
    use serde_json::{Value, json};

    use super::*;

    /// Recorded from Codex 0.169: this definition under this key was accepted as trusted.
    const STOP_HASH: &str =
        "sha256:39ae58463ff476f2c302414b60d123d4263ce41659f061eea50a24606f93dba2";

    fn stop_hook() -> Value {
        json!({"hooks": {"Stop": [{"hooks": [
            {"type": "command", "command": "sh \"${PLUGIN_ROOT}/bin/x.sh\"", "timeout": 10},
        ]}]}})
    }

    fn check(version: CodexVersion, state: &str, expected: &[&str]) {
        let config: toml::Table = state.parse().unwrap();
        let hooks = hook_records("pl@mk", &stop_hook());
        let ids: Vec<_> = examine(version, &config, "pl@mk", &hooks)
            .iter()
            .map(|f| f.id)
            .collect();
        assert_eq!(ids, expected, "{state}");
    }

    #[test]
    fn every_state_of_trust_has_its_finding() {
        let now = CodexVersion::minor(169);
        let key = "[hooks.state.\"pl@mk:hooks/hooks.json:stop:0:0\"]\n";
        check(CodexVersion::minor(128), "", &[]);
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
