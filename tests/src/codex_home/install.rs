//! Installing a bundle into the sandbox, with Codex's own commands where they exist.

use std::path::Path;

use anyhow::bail;
use codex_tracing_codex_home::{CodexVersion, Plugin, install_by_hand, trust_records, write_trust};

use super::CodexHome;

impl CodexHome {
    /// Adds the bundle at `bundle` as a marketplace and installs its plugin `name`, by hand where
    /// this Codex has no `plugin add`. Where `codex exec` needs trust records and the bypass flag
    /// does not work (0.129–0.141) they are written; [`CodexHome::trust_hooks`] does so anywhere.
    pub fn install_bundle(&self, bundle: &Path, name: &str) -> anyhow::Result<Plugin> {
        let plugin = Plugin::read(bundle, name)?;
        let version = self.cli().version();
        let folder = bundle.display().to_string();
        self.must(&["plugin", "marketplace", "add", &folder])?;
        if version >= CodexVersion::PLUGIN_ADD {
            self.must(&["plugin", "add", &plugin.id()])?;
        } else {
            install_by_hand(&plugin, &self.codex_home(), version)?;
        }
        if version >= CodexVersion::HOOK_TRUST && version < CodexVersion::minor(142) {
            self.trust_hooks(&plugin)?;
        }
        Ok(plugin)
    }

    /// Trusts the plugin's hooks as the user would in the terminal interface.
    pub fn trust_hooks(&self, plugin: &Plugin) -> anyhow::Result<()> {
        Ok(write_trust(&self.codex_home(), &trust_records(plugin))?)
    }

    fn must(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let output = self.codex(arguments, &[])?;
        if output.code != Some(0) {
            bail!(
                "codex {arguments:?} failed: {}\n{}",
                output.stdout.trim(),
                output.stderr.trim()
            );
        }
        Ok(())
    }
}
