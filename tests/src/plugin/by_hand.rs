//! Installing without `codex plugin add`, which Codex has only since 0.132.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use super::Plugin;
use crate::codex::CodexVersion;

/// The copy of config.toml from before anything of ours changed it.
pub const BACKUP: &str = "config.toml.before-codex-tracing";
/// The features that plugin hooks need where they are not on by default.
const FLAGS: [&str; 3] = ["plugins", "hooks", "plugin_hooks"];

/// Copies the plugin into Codex's cache and switches it on in config.toml, with the feature flags
/// this version needs. Comments and order of the file are kept.
pub fn install_by_hand(
    plugin: &Plugin,
    codex_home: &Path,
    version: CodexVersion,
) -> anyhow::Result<()> {
    let cache = plugin.cache(codex_home);
    if let Some(versions) = cache.parent()
        && versions.exists()
    {
        fs::remove_dir_all(versions)?;
    }
    copy(&plugin.folder, &cache)?;
    edit_config(codex_home, |config| {
        if version < CodexVersion::minor(134) {
            for flag in FLAGS {
                table(config, &["features"])?[flag] = value(true);
            }
        }
        table(config, &["plugins", &plugin.id()])?["enabled"] = value(true);
        Ok(())
    })
}

/// Takes the plugin out again. The flags go with the last plugin, unless they stood in config.toml
/// before the first installation (see [`edit_config`] for the copy of it).
pub fn uninstall_by_hand(plugin: &Plugin, codex_home: &Path) -> anyhow::Result<()> {
    if let Some(versions) = plugin.cache(codex_home).parent()
        && versions.exists()
    {
        fs::remove_dir_all(versions)?;
    }
    let before = before(codex_home);
    edit_config(codex_home, |config| {
        if let Some(plugins) = config.get_mut("plugins").and_then(Item::as_table_like_mut) {
            plugins.remove(&plugin.id());
        }
        prune(config, &["plugins"]);
        if !config.contains_key("plugins") {
            for flag in FLAGS {
                let stood = before
                    .get("features")
                    .is_some_and(|t| t.get(flag).is_some());
                let features = config.get_mut("features").and_then(Item::as_table_like_mut);
                if let Some(features) = features.filter(|_| !stood) {
                    features.remove(flag);
                }
            }
            if before.get("features").is_none() {
                prune(config, &["features"]);
            }
        }
        Ok(())
    })
}

/// Removes the table at `path` if nothing is in it, and then those above it alike.
pub(super) fn prune(config: &mut DocumentMut, path: &[&str]) {
    for depth in (1..=path.len()).rev() {
        let (Some(above), Some(name)) = (path.get(..depth - 1), path.get(depth - 1)) else {
            return;
        };
        let mut here = Some(config.as_item_mut());
        for step in above {
            here = here.and_then(|item| item.get_mut(step));
        }
        let Some(here) = here.and_then(Item::as_table_like_mut) else {
            return;
        };
        let empty = here.get(name).and_then(Item::as_table_like);
        if !empty.is_some_and(TableLike::is_empty) {
            return;
        }
        here.remove(name);
    }
}

/// config.toml as it was before the first installation; empty if there was none.
fn before(codex_home: &Path) -> DocumentMut {
    fs::read_to_string(codex_home.join(BACKUP))
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

/// Deletes the copy of config.toml if config.toml says the same again, comments and blank lines
/// aside. Whether it is gone.
pub fn forget_backup(codex_home: &Path) -> anyhow::Result<bool> {
    let backup = codex_home.join(BACKUP);
    if !backup.exists() {
        return Ok(true);
    }
    let now = fs::read_to_string(codex_home.join("config.toml")).unwrap_or_default();
    let same = |now: &str| -> anyhow::Result<bool> {
        let then: toml::Table = fs::read_to_string(&backup)?.parse()?;
        Ok(then == now.parse::<toml::Table>()?)
    };
    let same = same(&now).unwrap_or(false);
    if same {
        fs::remove_file(&backup).with_context(|| format!("cannot remove {}", backup.display()))?;
    }
    Ok(same)
}

/// Changes `config.toml`, keeping what stands beside it: comments, order, and the old file as
/// `config.toml.before-codex-tracing` (the first one is never overwritten). Nothing is written if
/// nothing changed.
pub fn edit_config(
    codex_home: &Path,
    edit: impl FnOnce(&mut DocumentMut) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let file = codex_home.join("config.toml");
    let before = if file.exists() {
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?
    } else {
        String::new()
    };
    let mut config: DocumentMut = before
        .parse()
        .with_context(|| format!("{} is not TOML; correct it first", file.display()))?;
    edit(&mut config)?;
    let after = config.to_string();
    if after == before {
        return Ok(());
    }
    fs::create_dir_all(codex_home)?;
    let backup = codex_home.join(BACKUP);
    if file.exists() && !backup.exists() {
        fs::copy(&file, &backup)?;
    }
    let mut fresh = tempfile::NamedTempFile::new_in(codex_home)?;
    std::io::Write::write_all(&mut fresh, after.as_bytes())?;
    if let Ok(metadata) = fs::metadata(&file) {
        fresh.as_file().set_permissions(metadata.permissions())?;
    }
    // A symbolic link stays one: dotfiles are often kept elsewhere.
    let target = file.canonicalize().unwrap_or(file);
    match fresh.persist(&target) {
        Ok(_) => Ok(()),
        Err(_) => {
            fs::write(&target, after).with_context(|| format!("cannot write {}", target.display()))
        }
    }
}

/// The table at `path`, made where missing; intermediate tables stay implicit.
pub(super) fn table<'a>(
    config: &'a mut DocumentMut,
    path: &[&str],
) -> anyhow::Result<&'a mut Item> {
    let mut item = config.as_item_mut();
    for (depth, name) in path.iter().enumerate() {
        let here = item
            .as_table_like_mut()
            .with_context(|| format!("`{name}` of config.toml stands in something not a table"))?;
        if !here.contains_key(name) {
            let mut fresh = Table::new();
            fresh.set_implicit(depth + 1 < path.len());
            here.insert(name, Item::Table(fresh));
        }
        item = here.get_mut(name).context("the table just made")?;
    }
    Ok(item)
}

/// Copies a folder with its mode bits.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in walkdir::WalkDir::new(from).sort_by_file_name() {
        let entry = entry?;
        let place: PathBuf = to.join(entry.path().strip_prefix(from)?);
        if entry.file_type().is_dir() {
            fs::create_dir_all(&place)?;
        } else if entry.file_type().is_file() {
            copy_file(entry.path(), &place)
                .with_context(|| format!("cannot copy to {}", place.display()))?;
        }
    }
    Ok(())
}

/// Copies a file with its mode. Executables are copied by another process: one that this process
/// has open for writing while another of its threads starts a program cannot be run for a moment.
fn copy_file(from: &Path, to: &Path) -> std::io::Result<()> {
    let copied = Command::new("cp").arg("-p").arg(from).arg(to).status();
    if copied.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    fs::copy(from, to).map(drop)
}
