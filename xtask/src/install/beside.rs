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

/// Stops an installation of `bundle` where another bundle with one of its plugins is installed: each
/// turn would be traced twice.
pub(super) fn refuse(home: &Path, bundle: &str) -> anyhow::Result<()> {
    for (other, word) in dist::rivals(bundle) {
        let config = read_config(home)?;
        let runs = |plugin: &&String| is_enabled(&config, &format!("{plugin}@{other}"));
        let plugins = installed(home, other)?;
        if let Some(plugin) = plugins.iter().find(runs) {
            bail!(
                "{plugin}@{other} is installed already, and beside it each turn would be traced twice; \
                 nothing was changed. Run `cargo xtask uninstall {word}` first"
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
        let home = tempfile::tempdir().unwrap();
        let off = format!("[plugins.\"{of_langsmith}\"]\nenabled = false\n");
        std::fs::write(home.path().join("config.toml"), off).unwrap();
        assert!(refuse(home.path(), "codex-tracing").is_ok());
    }
}
