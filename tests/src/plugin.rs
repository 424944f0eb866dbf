//! A plugin of a bundle, as Codex sees it, and the two things a bundle needs where Codex's own
//! commands do not do them: installing by hand, and the trust records of its hooks.

mod by_hand;
mod trust;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;

pub use by_hand::{BACKUP, edit_config, forget_backup, install_by_hand, uninstall_by_hand};
pub use trust::{TrustRecord, forget_trust, trust_records, write_trust};

/// A plugin inside a bundle.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// Its name.
    pub name: String,
    /// The marketplace it comes from.
    pub marketplace: String,
    /// Its version; names the cache folder.
    pub version: String,
    /// Its folder in the bundle.
    pub folder: PathBuf,
    /// `hooks/hooks.json`; null if it has none.
    pub hooks: Value,
}

impl Plugin {
    /// Reads the plugin `name` of the bundle (marketplace folder) at `bundle`.
    pub fn read(bundle: &Path, name: &str) -> anyhow::Result<Self> {
        let marketplace = json(&bundle.join(".agents/plugins/marketplace.json"))?;
        let folder = bundle.join("plugins").join(name);
        let manifest = json(&folder.join(".codex-plugin/plugin.json"))?;
        let hooks = folder.join("hooks/hooks.json");
        let hooks = if hooks.is_file() {
            json(&hooks)?
        } else {
            Value::Null
        };
        let text = |value: &Value, field: &str| value.get(field)?.as_str().map(str::to_owned);
        Ok(Self {
            name: name.to_owned(),
            marketplace: text(&marketplace, "name").context("the marketplace has no name")?,
            version: text(&manifest, "version").unwrap_or_else(|| "local".to_owned()),
            folder,
            hooks,
        })
    }

    /// The names of the plugins that the bundle lists.
    pub fn names(bundle: &Path) -> anyhow::Result<Vec<String>> {
        let marketplace = json(&bundle.join(".agents/plugins/marketplace.json"))?;
        let listed = marketplace.get("plugins").and_then(Value::as_array);
        let name = |plugin: &Value| plugin.get("name")?.as_str().map(str::to_owned);
        Ok(listed.into_iter().flatten().filter_map(name).collect())
    }

    /// `<plugin>@<marketplace>`, as Codex names it.
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.marketplace)
    }

    /// Where Codex keeps its copy.
    pub fn cache(&self, codex_home: &Path) -> PathBuf {
        let caches = codex_home.join("plugins").join("cache");
        caches
            .join(&self.marketplace)
            .join(&self.name)
            .join(&self.version)
    }

    /// What its hooks get as `PLUGIN_DATA`.
    pub fn data(&self, codex_home: &Path) -> PathBuf {
        let data = codex_home.join("plugins").join("data");
        data.join(format!("{}-{}", self.name, self.marketplace))
    }
}

fn json(file: &Path) -> anyhow::Result<Value> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is not JSON", file.display()))
}
