//! Installing without `codex plugin add`, which Codex has only since 0.132.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use toml_edit::{DocumentMut, Item, TableLike, value};

use super::{BACKUP, before, edit_config, prune, table};
use crate::{CodexVersion, Error, Plugin};

/// The features that plugin hooks need where they are not on by default.
const FLAGS: [&str; 3] = ["plugins", "hooks", PLUGIN_HOOKS];
const PLUGIN_HOOKS: &str = "plugin_hooks";

/// Copies the plugin into Codex's cache and switches it on in config.toml, with the feature flags
/// this version needs. Comments and order of the file are kept.
pub fn install_by_hand(
    plugin: &Plugin,
    codex_home: &Path,
    version: CodexVersion,
) -> Result<(), Error> {
    remove_copies(plugin, codex_home)?;
    let cache = plugin.cache(codex_home);
    copy(&plugin.folder, &cache).map_err(Error::write(&cache))?;
    edit_config(codex_home, |config| {
        if version < CodexVersion::FLAG_GONE {
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
pub fn uninstall_by_hand(plugin: &Plugin, codex_home: &Path) -> Result<(), Error> {
    remove_copies(plugin, codex_home)?;
    let before = before(codex_home);
    edit_config(codex_home, |config| {
        if let Some(plugins) = config.get_mut("plugins").and_then(Item::as_table_like_mut) {
            plugins.remove(&plugin.id());
        }
        prune(config, &["plugins"]);
        if !config.contains_key("plugins") {
            remove_flags(config, &before);
        }
        Ok(())
    })
}

/// Takes the flags of [`install_by_hand`] out after a later Codex, which does without them, has removed
/// the last plugin. That they are ours is told by the one that nobody sets any more.
pub fn forget_flags(codex_home: &Path) -> Result<(), Error> {
    if !codex_home.join(BACKUP).exists() {
        return Ok(());
    }
    let before = before(codex_home);
    edit_config(codex_home, |config| {
        let has = |config: &DocumentMut| {
            let features = config.get("features");
            features.is_some_and(|features| features.get(PLUGIN_HOOKS).is_some())
        };
        let plugins = config.get("plugins").and_then(Item::as_table_like);
        let is_last = plugins.is_none_or(TableLike::is_empty);
        if has(config) && !has(&before) && is_last {
            remove_flags(config, &before);
        }
        Ok(())
    })
}

fn remove_flags(config: &mut DocumentMut, before: &DocumentMut) {
    let stood = before.get("features");
    let features = config.get_mut("features").and_then(Item::as_table_like_mut);
    if let Some(features) = features {
        for flag in FLAGS {
            if stood.is_none_or(|stood| stood.get(flag).is_none()) {
                features.remove(flag);
            }
        }
    }
    if stood.is_none() {
        prune(config, &["features"]);
    }
}

fn remove_copies(plugin: &Plugin, codex_home: &Path) -> Result<(), Error> {
    let caches = plugin.caches(codex_home);
    if caches.exists() {
        fs::remove_dir_all(&caches).map_err(Error::write(&caches))?;
    }
    Ok(())
}

/// Copies a folder with its mode bits.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in walkdir::WalkDir::new(from).sort_by_file_name() {
        let entry = entry?;
        let below = entry.path().strip_prefix(from).unwrap_or(entry.path());
        let place = to.join(below);
        if entry.file_type().is_dir() {
            fs::create_dir_all(&place)?;
        } else if entry.file_type().is_file() {
            copy_file(entry.path(), &place)?;
        }
    }
    Ok(())
}

/// Copies a file with its mode. Executables are copied by another process: one that this process
/// has open for writing while another of its threads starts a program cannot be run for a moment.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let copied = Command::new("cp").arg("-p").arg(from).arg(to).status();
    if copied.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    fs::copy(from, to).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of config.toml once the last plugin is gone.
    fn left(before: Option<&str>, now: &str) -> String {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join("config.toml");
        if let Some(before) = before {
            fs::write(home.path().join(BACKUP), before).unwrap();
        }
        fs::write(&config, now).unwrap();
        forget_flags(home.path()).unwrap();
        fs::read_to_string(config).unwrap()
    }

    #[test]
    fn flags_of_an_older_codex_go_with_the_last_plugin_and_no_others() {
        let mine = "model = \"m\"\n";
        let flags = "[features]\nplugins = true\nhooks = true\nplugin_hooks = true\n";
        let with_flags = format!("{mine}\n{flags}");
        assert_eq!(left(Some(mine), &with_flags), mine);
        let hooks = "[features]\nhooks = true\n";
        assert_eq!(left(Some(hooks), flags), hooks);
        let unchanged = |before, now: &str| assert_eq!(left(before, now), now);
        let empty = format!("{with_flags}\n[plugins]\n");
        assert_eq!(left(Some(mine), &empty), format!("{mine}\n[plugins]\n"));
        unchanged(None, flags);
        unchanged(Some(&with_flags), &with_flags);
        unchanged(Some(mine), hooks);
        unchanged(
            Some(mine),
            &format!("{flags}[plugins.\"x@y\"]\nenabled = true\n"),
        );
    }
}
