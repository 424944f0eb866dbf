//! What a bundle holds.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::binary::Binary;
use super::{put, set_mode};
use crate::build;
use crate::command;

/// A marketplace: a name and its plugins.
#[derive(Debug)]
pub(super) struct Bundle {
    pub(super) name: &'static str,
    /// What installs it: `cargo xtask install <word>`.
    pub(super) word: &'static str,
    pub(super) plugins: &'static [Plugin],
    display_name: &'static str,
    readme: &'static str,
}

/// A plugin of ours.
#[derive(Debug)]
pub(super) enum Plugin {
    /// Hooks that run the binary for a backend.
    Tracing {
        name: &'static str,
        backend: &'static str,
        manifest: &'static str,
        readme: &'static str,
        extra: &'static [(&'static str, &'static str)],
    },
    /// Files as they lie in the repository, the version stamped into the manifest.
    Static {
        name: &'static str,
        folder: &'static str,
        category: &'static str,
    },
}

const HOOKS: &str = include_str!("templates/hooks.json");
const LAUNCHER: &str = include_str!("templates/launcher.sh");

const LANGSMITH: Plugin = Plugin::Tracing {
    name: "tracing",
    backend: "langsmith",
    manifest: include_str!("templates/tracing/plugin.json"),
    readme: include_str!("templates/tracing/README.md"),
    extra: &[],
};

const BRAINTRUST: Plugin = Plugin::Tracing {
    name: "trace-codex",
    backend: "braintrust",
    manifest: include_str!("templates/trace-codex/plugin.json"),
    readme: include_str!("templates/trace-codex/README.md"),
    extra: &[(
        "config.json.example",
        include_str!("templates/trace-codex/config.json.example"),
    )],
};

const BRAINTRUST_DATA: Plugin = Plugin::Static {
    name: "braintrust",
    folder: "braintrust/plugin",
    category: "Developer tools",
};

/// Every bundle.
pub(super) fn all() -> [&'static Bundle; 3] {
    [
        &Bundle {
            name: "langsmith-codex-plugins",
            word: "langsmith",
            display_name: "LangSmith plugins for Codex",
            plugins: &[LANGSMITH],
            readme: include_str!("templates/langsmith-codex-plugins.md"),
        },
        &Bundle {
            name: "braintrust-codex-plugins",
            word: "braintrust",
            display_name: "Braintrust plugins for Codex",
            plugins: &[BRAINTRUST, BRAINTRUST_DATA],
            readme: include_str!("templates/braintrust-codex-plugins.md"),
        },
        &Bundle {
            name: "codex-tracing",
            word: "all",
            display_name: "Tracing for Codex",
            plugins: &[LANGSMITH, BRAINTRUST, BRAINTRUST_DATA],
            readme: include_str!("templates/codex-tracing.md"),
        },
    ]
}

impl Bundle {
    /// The ids of its plugins, for people.
    pub(super) fn ids(&self) -> String {
        let ids = self.plugins.iter();
        let ids: Vec<_> = ids
            .map(|plugin| format!("{}@{}", plugin.name(), self.name))
            .collect();
        ids.join(", ")
    }

    /// Writes the marketplace's folder.
    pub(super) fn write(
        &self,
        folder: &Path,
        version: &str,
        binaries: &[Binary],
    ) -> anyhow::Result<()> {
        let mut listed = Vec::new();
        for plugin in self.plugins {
            if !plugin.exists() {
                eprintln!("note: {} has no `{}` yet", self.name, plugin.name());
                continue;
            }
            let place = folder.join("plugins").join(plugin.name());
            plugin.write(&place, self.name, version, binaries)?;
            listed.push(json!({
                "name": plugin.name(),
                "source": {"source": "local", "path": format!("./plugins/{}", plugin.name())},
                "policy": {"installation": "AVAILABLE", "authentication": "ON_INSTALL"},
                "category": plugin.category(),
            }));
        }
        let marketplace = json!({
            "name": self.name,
            "interface": {"displayName": self.display_name},
            "plugins": listed,
        });
        let file = folder.join(".agents/plugins/marketplace.json");
        put(&file, &pretty(&marketplace)?)?;
        put(&folder.join("README.md"), self.readme.as_bytes())?;
        put(&folder.join("LICENSE"), &licence()?)
    }
}

impl Plugin {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Tracing { name, .. } | Self::Static { name, .. } => name,
        }
    }

    fn category(&self) -> &'static str {
        match self {
            Self::Tracing { .. } => "Observability",
            Self::Static { category, .. } => category,
        }
    }

    /// Whether Codex runs the binary for it.
    pub(super) fn has_hooks(&self) -> bool {
        matches!(self, Self::Tracing { .. })
    }

    pub(super) fn exists(&self) -> bool {
        match self {
            Self::Tracing { .. } => true,
            Self::Static { folder, .. } => command::repository().join(folder).is_dir(),
        }
    }

    fn write(
        &self,
        folder: &Path,
        marketplace: &str,
        version: &str,
        binaries: &[Binary],
    ) -> anyhow::Result<()> {
        match self {
            Self::Tracing {
                backend,
                manifest,
                readme,
                extra,
                ..
            } => {
                let manifest = stamped(manifest, version)?;
                put(&folder.join(".codex-plugin/plugin.json"), &manifest)?;
                let hooks = HOOKS.replace("{backend}", backend);
                put(&folder.join("hooks/hooks.json"), hooks.as_bytes())?;
                let readme = readme.replace("{marketplace}", marketplace);
                put(&folder.join("README.md"), readme.as_bytes())?;
                for (name, text) in *extra {
                    put(&folder.join(name), text.as_bytes())?;
                }
                executables(&folder.join("bin"), binaries)?;
            }
            Self::Static { folder: from, .. } => {
                copy(&command::repository().join(from), folder)?;
                let manifest = folder.join(".codex-plugin/plugin.json");
                let text = fs::read_to_string(&manifest)
                    .with_context(|| format!("{from} has no .codex-plugin/plugin.json"))?;
                put(&manifest, &stamped(&text, version)?)?;
                let readme = folder.join("README.md");
                let text = fs::read_to_string(&readme)
                    .with_context(|| format!("{from} has no README.md"))?;
                put(
                    &readme,
                    text.replace("{marketplace}", marketplace).as_bytes(),
                )?;
            }
        }
        put(&folder.join("LICENSE"), &licence()?)
    }
}

/// One executable lies at `bin/codex-tracing` itself. Of several, those for Unix lie below their
/// triple with a launcher in front; the one for Windows lies beside it, where the hooks look.
fn executables(folder: &Path, binaries: &[Binary]) -> anyhow::Result<()> {
    let (windows, unix): (Vec<_>, Vec<_>) = binaries.iter().partition(|binary| binary.is_windows());
    if windows.len() > 1 {
        bail!("one bundle can hold one executable for Windows");
    }
    let several = unix.len() > 1;
    for binary in binaries {
        let name = build::file_name(&binary.target);
        let file = if several && !binary.is_windows() {
            folder.join(&binary.target).join(name)
        } else {
            folder.join(name)
        };
        let bytes = fs::read(&binary.path)
            .with_context(|| format!("cannot read {}", binary.path.display()))?;
        put(&file, &bytes)?;
        set_mode(&file, true)?;
    }
    if several {
        for binary in &unix {
            // A target that the launcher cannot find would be dead weight.
            if !LAUNCHER.contains(binary.target.as_str()) {
                bail!("the launcher does not know the target {}", binary.target);
            }
        }
        let launcher = folder.join("codex-tracing");
        put(&launcher, LAUNCHER.as_bytes())?;
        set_mode(&launcher, true)?;
    }
    Ok(())
}

/// A manifest with the workspace's version.
fn stamped(manifest: &str, version: &str) -> anyhow::Result<Vec<u8>> {
    let mut manifest: Value = serde_json::from_str(manifest)?;
    let place = manifest
        .get_mut("version")
        .context("a plugin.json without a version to stamp")?;
    *place = version.into();
    pretty(&manifest)
}

fn pretty(value: &Value) -> anyhow::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn licence() -> anyhow::Result<Vec<u8>> {
    Ok(fs::read(command::repository().join("LICENSE"))?)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in walkdir::WalkDir::new(from).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() {
            let file = to.join(entry.path().strip_prefix(from)?);
            put(&file, &fs::read(entry.path())?)?;
        }
    }
    Ok(())
}
