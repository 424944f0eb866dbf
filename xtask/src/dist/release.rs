//! `SHA256SUMS` and `release.json`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::binary::Binary;
use super::bundle::Bundle;

/// Writes both files for the archives in `out`.
pub(super) fn write(
    out: &Path,
    version: &str,
    binaries: &[Binary],
    written: &[(&Bundle, PathBuf)],
) -> anyhow::Result<()> {
    let mut sums = String::new();
    let mut bundles = Vec::new();
    for (bundle, archive) in written {
        let (size, hash) = measured(archive)?;
        let file = archive.file_name().unwrap_or_default().to_string_lossy();
        writeln!(sums, "{hash}  {file}")?;
        let plugins = bundle.plugins.iter().filter(|plugin| plugin.exists());
        let plugins: Vec<_> = plugins.map(super::bundle::Plugin::name).collect();
        bundles.push(json!({
            "name": bundle.name, "plugins": plugins, "file": file, "size": size, "sha256": hash,
        }));
    }
    let targets: Vec<Value> = binaries
        .iter()
        .map(|binary| {
            let (size, hash) = measured(&binary.path)?;
            Ok(json!({"target": binary.target, "size": size, "sha256": hash}))
        })
        .collect::<anyhow::Result<_>>()?;
    let release = json!({"version": version, "targets": targets, "bundles": bundles});
    let mut text = serde_json::to_string_pretty(&release)?;
    text.push('\n');
    fs::write(out.join("SHA256SUMS"), sums)?;
    fs::write(out.join("release.json"), text)?;
    Ok(())
}

/// The archives named in `SHA256SUMS` of `out`.
pub(super) fn archives(out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let sums = fs::read_to_string(out.join("SHA256SUMS"))?;
    let names = sums.lines().filter_map(|line| line.split_once("  "));
    Ok(names.map(|(_, name)| out.join(name)).collect())
}

/// Size in bytes and SHA-256.
fn measured(file: &Path) -> anyhow::Result<(usize, String)> {
    let bytes = fs::read(file)?;
    Ok((bytes.len(), format!("{:x}", Sha256::digest(&bytes))))
}
