//! What must not be installed beside each other.

use std::path::Path;

use anyhow::bail;

use super::{installed, read_config};
use crate::dist;

fn is_enabled(config: &toml::Table, id: &str) -> bool {
    let plugin = config.get("plugins").and_then(|plugins| plugins.get(id));
    let enabled = plugin.and_then(|plugin| plugin.get("enabled"));
    enabled.and_then(toml::Value::as_bool).unwrap_or(true)
}

/// Stops an installation of `bundle` where one of its plugins is installed from another bundle: each
/// turn would be traced twice.
pub(super) fn refuse(home: &Path, bundle: &str) -> anyhow::Result<()> {
    let config = read_config(home)?;
    for rival in dist::rivals(bundle) {
        let id = format!("{}@{}", rival.plugin, rival.marketplace);
        let is_there = installed(home, rival.marketplace)?
            .iter()
            .any(|plugin| plugin == rival.plugin);
        if is_there && is_enabled(&config, &id) {
            bail!(
                "{id} is installed already, and beside it each turn would be traced twice; nothing was \
                 changed. Run `cargo xtask uninstall {}` first",
                rival.word
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_not_installed_beside_one_nor_one_beside_all() {
        let check = |present: &str, bundle: &str, expected: Option<&str>| {
            let home = tempfile::tempdir().unwrap();
            let config = format!("[plugins.\"{present}\"]\nenabled = true\n");
            std::fs::write(home.path().join("config.toml"), config).unwrap();
            let refused = refuse(home.path(), bundle).err();
            let words = refused.map(|error| error.to_string());
            match (&words, expected) {
                (Some(words), Some(cure)) => assert!(words.contains(cure), "{words}"),
                (None, None) => {}
                _ => panic!("{bundle} beside {present}: {words:?}"),
            }
        };
        let (langsmith, braintrust) = ("langsmith-codex-plugins", "braintrust-codex-plugins");
        let of_langsmith = "tracing@langsmith-codex-plugins";
        let cure = "`cargo xtask uninstall langsmith`";
        check(of_langsmith, "codex-tracing", Some(cure));
        check(of_langsmith, langsmith, None);
        check(of_langsmith, braintrust, None);
        let cure = "`cargo xtask uninstall all`";
        check("tracing@codex-tracing", langsmith, Some(cure));
        check("tracing@codex-tracing", "codex-tracing", None);
        check("other@somewhere", "codex-tracing", None);
        // Braintrust's tools trace nothing, and one backend's plugin does not trace for the other.
        check("braintrust@codex-tracing", langsmith, None);
        check("braintrust@codex-tracing", braintrust, None);
        check("trace-codex@codex-tracing", langsmith, None);
        check("trace-codex@codex-tracing", braintrust, Some(cure));
        let home = tempfile::tempdir().unwrap();
        let off = format!("[plugins.\"{of_langsmith}\"]\nenabled = false\n");
        std::fs::write(home.path().join("config.toml"), off).unwrap();
        assert!(refuse(home.path(), "codex-tracing").is_ok());
    }
}
