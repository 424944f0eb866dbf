//! `cargo xtask dist`: the bundles.
//!
//! For each marketplace a folder that `codex plugin marketplace add` takes, a reproducible archive
//! of it, `SHA256SUMS` and `release.json`. The same sources and the same binaries give the same
//! bytes. Hook commands, timeouts and positions are the same from release to release: Codex asks
//! for trust again when one of them changes.

mod archive;
mod binary;
mod bundle;
mod release;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::command;

/// Builds the bundles into `dist/`.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Dist {
    /// Build for this target triple; may be repeated. By default for this machine.
    #[arg(long = "target", value_name = "TRIPLE")]
    pub(crate) targets: Vec<String>,
    /// Write to this folder.
    #[arg(long, value_name = "DIR", default_value = "dist")]
    pub(crate) out: PathBuf,
    /// Take the binaries as they are in the build folder.
    #[arg(long)]
    pub(crate) skip_build: bool,
    /// Bundle this executable instead of a built one; with several targets `<triple>=<path>`, repeated.
    #[arg(long = "bin", value_name = "[TRIPLE=]PATH")]
    pub(crate) binaries: Vec<String>,
    /// Leave out archives, sums and `release.json`: enough to install from.
    #[arg(long)]
    pub(crate) folders_only: bool,
}

impl Dist {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let out = self.write()?;
        if self.folders_only {
            say!("{}", out.display());
            return Ok(());
        }
        for file in release::archives(&out)? {
            say!("{}", file.display());
        }
        Ok(())
    }

    /// Writes everything; the folder it is in.
    pub(crate) fn write(&self) -> anyhow::Result<PathBuf> {
        let out = command::repository().join(&self.out);
        let version = version()?;
        let binaries = binary::collect(&self.targets, &self.binaries, self.skip_build)?;
        fs::create_dir_all(&out).with_context(|| format!("cannot write to {}", out.display()))?;
        let mut written = Vec::new();
        for bundle in bundle::all() {
            let folder = out.join(bundle.name);
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            bundle.write(&folder, &version, &binaries)?;
            if self.folders_only {
                continue;
            }
            let archive = out.join(format!("{}.tar.gz", bundle.name));
            archive::write(&folder, bundle.name, &archive)?;
            written.push((bundle, archive));
        }
        if !self.folders_only {
            release::write(&out, &version, &binaries, &written)?;
        }
        Ok(out)
    }
}

/// The words by which bundles are installed, as an argument that gives the marketplace's name.
pub(crate) fn bundle_words() -> impl TypedValueParser<Value = &'static str> {
    let words = bundle::all().map(|bundle| PossibleValue::new(bundle.word).help(bundle.ids()));
    PossibleValuesParser::new(words).try_map(|word| {
        let bundle = bundle::all().into_iter().find(|bundle| bundle.word == word);
        bundle
            .map(|bundle| bundle.name)
            .ok_or("there is no such bundle")
    })
}

/// The marketplaces of all bundles.
pub(crate) fn marketplaces() -> impl Iterator<Item = &'static str> {
    bundle::all().into_iter().map(|bundle| bundle.name)
}

/// A plugin that another bundle has too, there.
pub(crate) struct Rival {
    pub(crate) plugin: &'static str,
    pub(crate) marketplace: &'static str,
    /// The word that installs that bundle.
    pub(crate) word: &'static str,
}

/// The plugins of this bundle with hooks, wherever other bundles have them.
pub(crate) fn rivals(marketplace: &str) -> Vec<Rival> {
    let all = bundle::all();
    let own = all.iter().filter(|bundle| bundle.name == marketplace);
    let own = own.flat_map(|bundle| bundle.plugins);
    own.filter(|plugin| plugin.has_hooks())
        .flat_map(|plugin| {
            let others = all.iter().filter(|bundle| {
                let mut theirs = bundle.plugins.iter();
                bundle.name != marketplace && theirs.any(|their| their.name() == plugin.name())
            });
            others.map(|bundle| Rival {
                plugin: plugin.name(),
                marketplace: bundle.name,
                word: bundle.word,
            })
        })
        .collect()
}

/// The one version, from the workspace's Cargo.toml.
pub(crate) fn version() -> anyhow::Result<String> {
    let manifest = command::repository().join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    let manifest: toml::Table = text.parse()?;
    let workspace = manifest
        .get("workspace")
        .and_then(|table| table.get("package"));
    let version = workspace.and_then(|package| package.get("version")?.as_str());
    Ok(version.context("the workspace has no version")?.to_owned())
}

/// Writes a file and the folders above it.
fn put(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
    set_mode(file, false)
}

/// 0755 or 0644, whatever the umask: mode bits go into the archive and into Codex's cache.
fn set_mode(file: &Path, executable: bool) -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = if executable { 0o755 } else { 0o644 };
        fs::set_permissions(file, fs::Permissions::from_mode(mode))?;
    }
    #[cfg(not(unix))]
    let _ = (file, executable);
    Ok(())
}

#[cfg(test)]
mod tests;
