//! Plugins as Codex sees them: registered, switched on, in the cache, ours or the original.

use std::path::{Path, PathBuf};

use codex_tracing_codex_home::{CodexConfig, plugin_cache};

use super::finding::Finding;
use crate::backends::{Registration, install_word};

/// Our binary within a plugin's folder; what tells our plugin from the original of the same name.
const BINARIES: [&str; 2] = ["bin/codex-tracing", "bin/codex-tracing.exe"];

/// Every id under which this backend may be installed here: ours and the originals'
/// ([`Registration::plugin_ids`]), and any plugin of the same name from a marketplace called otherwise
/// that speaks of the backend.
pub(crate) fn ids(
    registration: &Registration,
    codex_home: &Path,
    config: &CodexConfig,
) -> Vec<String> {
    let known = registration.plugin_ids();
    let others = config
        .plugin_ids()
        .into_iter()
        .filter(|id| known.iter().all(|known| known != id))
        .filter(|id| {
            let plugin = id.split_once('@').map(|(plugin, _)| plugin);
            plugin == Some(registration.plugin)
        })
        .filter(|id| {
            let found = look(codex_home, config, id);
            let folder = found.and_then(|found| found.folder);
            folder.is_some_and(|folder| speaks_of(&folder, registration.name()))
        })
        .map(str::to_owned);
    known.iter().cloned().chain(others).collect()
}

fn speaks_of(folder: &Path, backend: &str) -> bool {
    std::fs::read_to_string(folder.join(".codex-plugin").join("plugin.json"))
        .is_ok_and(|manifest| manifest.to_lowercase().contains(backend))
}

/// One plugin of config.toml with its folder in Codex's cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Installed {
    /// `plugin@marketplace`.
    pub(crate) id: String,
    /// `enabled` in config.toml, the user's or that of a trusted project.
    pub(crate) enabled: bool,
    /// The project's file that decided this.
    pub(crate) by_project: Option<PathBuf>,
    /// The cached folder of the newest version, if there is one.
    pub(crate) folder: Option<PathBuf>,
    /// Name of that folder: the version.
    pub(crate) version: Option<String>,
    /// Whether it holds our binary.
    pub(crate) ours: bool,
    /// Whether that binary may be executed.
    pub(crate) executable: bool,
}

/// What config.toml and the cache know of `id`; `None` if neither does.
pub(crate) fn look(codex_home: &Path, config: &CodexConfig, id: &str) -> Option<Installed> {
    let (plugin, marketplace) = id.split_once('@')?;
    let said = config.plugin(id);
    let folder = newest(&plugin_cache(codex_home, plugin, marketplace));
    if said.is_none() && folder.is_none() {
        return None;
    }
    let version = folder
        .as_deref()
        .and_then(Path::file_name)
        .map(|name| name.to_string_lossy().into_owned());
    let binary = folder.as_deref().and_then(|folder| {
        let mut places = BINARIES.iter().map(|binary| folder.join(binary));
        places.find(|place| place.is_file())
    });
    Some(Installed {
        id: id.to_owned(),
        enabled: said.is_some_and(|said| said.on),
        by_project: said.and_then(|said| said.project).map(Path::to_owned),
        folder,
        version,
        ours: binary.is_some(),
        executable: binary.as_deref().is_some_and(is_executable),
    })
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|meta| meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_file: &Path) -> bool {
    true
}

/// Codex keeps one version folder; should there be more, the last one written counts.
fn newest(cache: &Path) -> Option<PathBuf> {
    std::fs::read_dir(cache)
        .ok()?
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .max_by_key(|entry| entry.metadata().and_then(|meta| meta.modified()).ok())
        .map(|entry| entry.path())
}

/// Is a plugin of ours in place, and only one?
pub(crate) fn examine(
    registration: &Registration,
    installed: &[Installed],
    own_version: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let ours: Vec<_> = installed.iter().filter(|plugin| plugin.ours).collect();
    let originals: Vec<_> = installed
        .iter()
        .filter(|plugin| !plugin.ours && plugin.folder.is_some())
        .collect();
    if ours.is_empty() {
        findings.push(missing(registration, installed, !originals.is_empty()));
    }
    for plugin in &ours {
        findings.extend(examine_ours(plugin, own_version));
    }
    let tracing = |plugin: &&Installed| plugin.enabled && plugin.folder.is_some();
    for original in originals.into_iter().filter(tracing) {
        if ours.iter().any(&tracing) {
            findings.push(Finding::problem(
                "double-tracing",
                format!(
                    "the original plugin {} is enabled too: each turn arrives twice",
                    original.id
                ),
                format!("codex plugin remove {}", original.id),
            ));
        }
    }
    let live: Vec<_> = ours
        .iter()
        .filter(|plugin| tracing(plugin))
        .map(|p| p.id.as_str())
        .collect();
    if let [first, second, ..] = live.as_slice() {
        findings.push(Finding::problem(
            "double-tracing",
            format!("{first} and {second} are both enabled: each turn is traced twice"),
            format!("codex plugin remove {second}"),
        ));
    }
    findings
        .into_iter()
        .map(|finding| finding.about(registration.name()))
        .collect()
}

fn missing(registration: &Registration, installed: &[Installed], original: bool) -> Finding {
    let [id, _] = registration.plugin_ids();
    let marketplace = id
        .split_once('@')
        .map_or("", |(_, marketplace)| marketplace);
    let install = format!(
        "`codex plugin marketplace add <folder of the bundle>` and `codex plugin add {id}`; from a \
         clone: `cargo xtask install {}`",
        registration.name()
    );
    if original {
        return Finding::problem(
            "plugin-not-ours",
            format!("the plugin installed as {id} is the original, not codex-tracing"),
            format!("`codex plugin marketplace remove {marketplace}`, then {install}"),
        );
    }
    if let Some(plugin) = installed.first() {
        return Finding::problem(
            "plugin-not-cached",
            format!(
                "config.toml names {}, but Codex's cache has no copy of it",
                plugin.id
            ),
            format!("codex plugin add {}", plugin.id),
        );
    }
    Finding::problem(
        "plugin-missing",
        format!("the plugin {id} is not installed"),
        install,
    )
}

fn examine_ours(plugin: &Installed, own_version: &str) -> Vec<Finding> {
    let id = &plugin.id;
    let version = plugin.version.as_deref().unwrap_or("?");
    let mut findings = Vec::new();
    if !plugin.enabled {
        findings.push(disabled(plugin));
    }
    if version != own_version {
        findings.push(Finding::warning(
            "plugin-version",
            format!("Codex's cache has {id} {version}; this program is {own_version}"),
            format!("codex plugin add {id}, then review its hooks again"),
        ));
    }
    if !plugin.executable {
        findings.push(Finding::problem(
            "plugin-not-executable",
            format!("the program within {id} in Codex's cache may not be executed"),
            format!(
                "unpack the bundle on this machine and run `codex plugin add {id}` (copies made by way \
                 of other systems lose that permission); from a clone: `cargo xtask install {}`",
                install_word(id)
            ),
        ));
    }
    if findings.is_empty() {
        let here = match &plugin.by_project {
            Some(file) => format!(", in this project, by {}", file.display()),
            None => String::new(),
        };
        findings.push(Finding::ok(
            "plugin",
            format!("{id} {version} is installed and enabled{here}"),
        ));
    }
    findings
}

fn disabled(plugin: &Installed) -> Finding {
    let id = &plugin.id;
    let (cause, file) = match &plugin.by_project {
        Some(file) => {
            let file = file.display().to_string();
            let cause = format!("{id} is installed but switched off in this project, by {file}");
            (cause, file)
        }
        None => (
            format!("{id} is installed but not enabled"),
            "config.toml".to_owned(),
        ),
    };
    let cure = format!("set `enabled = true` under [plugins.\"{id}\"] in {file}");
    Finding::problem("plugin-disabled", cause, cure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn langsmith() -> &'static Registration {
        crate::backends::find("langsmith").unwrap()
    }

    fn plugin(id: &str, enabled: bool, ours: bool) -> Installed {
        Installed {
            id: id.to_owned(),
            enabled,
            by_project: None,
            folder: Some("/cache".into()),
            version: Some("0.1.0".to_owned()),
            ours,
            executable: true,
        }
    }

    fn check(installed: &[Installed], expected: &[&str]) {
        let ids: Vec<_> = examine(langsmith(), installed, "0.1.0")
            .iter()
            .map(|f| f.id)
            .collect();
        assert_eq!(ids, expected, "{installed:?}");
    }

    #[test]
    fn every_way_to_be_installed_has_its_finding() {
        let [id, other] = &langsmith().plugin_ids();
        let uncached = Installed {
            folder: None,
            version: None,
            ..plugin(id, true, false)
        };
        let old = Installed {
            version: Some("0.0.9".to_owned()),
            ..plugin(id, true, true)
        };
        check(&[], &["plugin-missing"]);
        check(&[plugin(id, true, true)], &["plugin"]);
        check(&[plugin(id, false, true)], &["plugin-disabled"]);
        check(&[plugin(id, true, false)], &["plugin-not-ours"]);
        check(&[uncached], &["plugin-not-cached"]);
        check(&[old], &["plugin-version"]);
        let limp = Installed {
            executable: false,
            ..plugin(id, true, true)
        };
        check(&[limp], &["plugin-not-executable"]);
        check(
            &[plugin(id, true, true), plugin(other, true, true)],
            &["plugin", "plugin", "double-tracing"],
        );
        check(
            &[plugin(id, true, false), plugin(other, true, true)],
            &["plugin", "double-tracing"],
        );
        check(
            &[plugin(id, false, false), plugin(other, true, true)],
            &["plugin"],
        );
    }
}
