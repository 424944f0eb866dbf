//! Changing config.toml, keeping what stands beside the change: comments, order, and the old file.

mod by_hand;
mod trust;

use std::fs;
use std::io::Write as _;
use std::path::Path;

use toml_edit::{DocumentMut, Item, Table, TableLike};

use crate::Error;

pub use by_hand::{forget_flags, install_by_hand, uninstall_by_hand};
pub use trust::{forget_trust, write_trust};

/// The copy of config.toml from before anything of ours changed it.
pub const BACKUP: &str = "config.toml.before-codex-tracing";

/// Changes `config.toml`, keeping what stands beside it: comments, order, and the old file as
/// [`BACKUP`] (the first one is never overwritten). Nothing is written if nothing changed.
pub fn edit_config(
    codex_home: &Path,
    edit: impl FnOnce(&mut DocumentMut) -> Result<(), Error>,
) -> Result<(), Error> {
    let file = codex_home.join("config.toml");
    let before = if file.exists() {
        fs::read_to_string(&file).map_err(Error::read(&file))?
    } else {
        String::new()
    };
    let mut config = parse(&file, &before)?;
    edit(&mut config)?;
    let after = config.to_string();
    if after == before {
        return Ok(());
    }
    fs::create_dir_all(codex_home).map_err(Error::write(codex_home))?;
    let backup = codex_home.join(BACKUP);
    if file.exists() && !backup.exists() {
        fs::copy(&file, &backup).map_err(Error::write(&backup))?;
    }
    replace(codex_home, &file, &after).map_err(Error::write(&file))
}

fn parse(file: &Path, text: &str) -> Result<DocumentMut, Error> {
    text.parse().map_err(|error: toml_edit::TomlError| {
        Error::not_toml(file, text, error.span().map(|span| span.start))
    })
}

/// Writes the file at once, with the mode it had.
fn replace(codex_home: &Path, file: &Path, text: &str) -> std::io::Result<()> {
    let mut fresh = tempfile::NamedTempFile::new_in(codex_home)?;
    fresh.write_all(text.as_bytes())?;
    if let Ok(metadata) = fs::metadata(file) {
        fresh.as_file().set_permissions(metadata.permissions())?;
    }
    // A symbolic link stays one: dotfiles are often kept elsewhere.
    let target = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    match fresh.persist(&target) {
        Ok(_) => Ok(()),
        Err(_) => fs::write(&target, text),
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
pub fn forget_backup(codex_home: &Path) -> Result<bool, Error> {
    let backup = codex_home.join(BACKUP);
    if !backup.exists() {
        return Ok(true);
    }
    let now = fs::read_to_string(codex_home.join("config.toml")).unwrap_or_default();
    let same = || -> Option<bool> {
        let then: toml::Table = fs::read_to_string(&backup).ok()?.parse().ok()?;
        Some(then == now.parse::<toml::Table>().ok()?)
    };
    let same = same().unwrap_or(false);
    if same {
        fs::remove_file(&backup).map_err(Error::write(&backup))?;
    }
    Ok(same)
}

/// Removes the table at `path` if nothing is in it, and then those above it alike.
fn prune(config: &mut DocumentMut, path: &[&str]) {
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

/// The table at `path`, made where missing; intermediate tables stay implicit. An error if something
/// else stands there or on the way.
fn table<'a>(config: &'a mut DocumentMut, path: &[&str]) -> Result<&'a mut Item, Error> {
    let mut item = config.as_item_mut();
    for (depth, name) in path.iter().enumerate() {
        let misplaced = || Error::NotATable {
            name: (*name).to_owned(),
        };
        let here = item.as_table_like_mut().ok_or_else(misplaced)?;
        if !here.contains_key(name) {
            let mut fresh = Table::new();
            fresh.set_implicit(depth + 1 < path.len());
            here.insert(name, Item::Table(fresh));
        }
        item = here
            .get_mut(name)
            .filter(|item| item.is_table_like())
            .ok_or_else(misplaced)?;
    }
    Ok(item)
}
