//! A plugin of a bundle.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{Error, plugin_cache, plugin_data};

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
    pub fn read(bundle: &Path, name: &str) -> Result<Self, Error> {
        let description = description(bundle);
        let marketplace = json(&description)?;
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
            marketplace: text(&marketplace, "name").ok_or(Error::Nameless { path: description })?,
            version: text(&manifest, "version").unwrap_or_else(|| "local".to_owned()),
            folder,
            hooks,
        })
    }

    /// The names of the plugins that the bundle lists.
    pub fn names(bundle: &Path) -> Result<Vec<String>, Error> {
        let marketplace = json(&description(bundle))?;
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
        self.caches(codex_home).join(&self.version)
    }

    /// Where Codex keeps its copies, one folder for each version.
    pub(crate) fn caches(&self, codex_home: &Path) -> PathBuf {
        plugin_cache(codex_home, &self.name, &self.marketplace)
    }

    /// What its hooks get as `PLUGIN_DATA`.
    pub fn data(&self, codex_home: &Path) -> PathBuf {
        plugin_data(codex_home, &self.id())
    }
}

fn description(bundle: &Path) -> PathBuf {
    bundle.join(".agents/plugins/marketplace.json")
}

fn json(file: &Path) -> Result<Value, Error> {
    let bytes = std::fs::read(file).map_err(Error::read(file))?;
    serde_json::from_slice(&bytes).map_err(|cause| Error::NotJson {
        path: file.to_owned(),
        cause,
    })
}
