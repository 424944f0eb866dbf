//! Where Codex keeps what belongs to a plugin.

use std::path::{Path, PathBuf};

/// The folder with Codex's copies of a plugin, one folder for each version; it keeps the newest only.
pub fn plugin_cache(codex_home: &Path, plugin: &str, marketplace: &str) -> PathBuf {
    let caches = codex_home.join("plugins").join("cache");
    caches.join(marketplace).join(plugin)
}

/// What a plugin's hooks get as `PLUGIN_DATA`; `id` is `<plugin>@<marketplace>`.
pub fn plugin_data(codex_home: &Path, id: &str) -> PathBuf {
    let data = codex_home.join("plugins").join("data");
    data.join(id.replace('@', "-"))
}
