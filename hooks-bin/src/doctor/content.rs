//! Has Codex 0.164 or later disabled our hooks without a word?
//!
//! From there on trust covers every file below the plugin's folder, by a hash whose recipe is
//! Codex's own. So we do not recompute it: whenever a worker starts, the hooks evidently run, and
//! [`Witness`] notes our own hash of the folder together with Codex's trust mark. If later the
//! folder differs while the mark is the same, Codex refuses the hooks.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use codex_tracing_codex_home::trusted_content;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::finding::Finding;
use crate::backends::install_word;

/// What was true when the hooks last ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Witness {
    /// Format version.
    pub(crate) version: u32,
    /// Our hash over the plugin's files.
    pub(crate) files: String,
    /// Codex's trust mark at that time, if any.
    pub(crate) mark: Option<String>,
}

impl Witness {
    /// Looks at the plugin's folder and Codex's trust mark now.
    pub(crate) fn take(
        codex_home: &Path,
        config: &toml::Table,
        plugin_id: &str,
        folder: &Path,
    ) -> io::Result<Self> {
        let mark = trusted_content(codex_home, config, plugin_id);
        Ok(Self {
            version: 1,
            files: hash_folder(folder)?,
            mark,
        })
    }
}

/// What to keep of two looks. A trust mark belongs to the files it was first seen with: hooks also
/// run where Codex is told not to check trust, and that must not make changed files look trusted.
pub(crate) fn kept(then: Option<Witness>, now: Witness) -> Witness {
    match then {
        Some(then) if then.mark.is_some() && then.mark == now.mark => then,
        _ => now,
    }
}

/// A hash over names and contents of all files below `folder`; symlinks are not followed.
fn hash_folder(folder: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort();
    let mut hasher = Sha256::new();
    for path in files {
        let name = path
            .strip_prefix(folder)
            .unwrap_or(&path)
            .to_string_lossy()
            .into_owned();
        // Piece by piece: one of them is this program, which every worker would hold in memory.
        let mut content = Sha256::new();
        io::copy(&mut File::open(&path)?, &mut content)?;
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(content.finalize());
    }
    Ok(format!("{:x}", hasher.finalize()))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() && entry.file_name() != "__pycache__" {
            collect(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// Compares what was with what is.
pub(crate) fn examine(plugin_id: &str, then: &Witness, now: &Witness) -> Option<Finding> {
    if then.files == now.files || then.mark.is_none() || then.mark != now.mark {
        return None;
    }
    Some(Finding::problem(
        "hooks-content-changed",
        format!(
            "files of {plugin_id} in Codex's cache changed since its hooks last ran, and Codex \
             still trusts the old content only: it disables them without a word"
        ),
        format!(
            "start `codex` and trust the hooks again when it says \"Hooks need review\"; from a clone \
             also `cargo xtask install {} --trust`",
            install_word(plugin_id)
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn witness(files: &str, mark: Option<&str>) -> Witness {
        Witness {
            version: 1,
            files: files.to_owned(),
            mark: mark.map(str::to_owned),
        }
    }

    #[test]
    fn changed_files_under_the_same_mark_are_found_and_a_new_mark_silences_it() {
        let then = witness("a", Some("m"));
        assert!(examine("p", &then, &witness("b", Some("m"))).is_some());
        assert!(examine("p", &then, &witness("a", Some("m"))).is_none());
        assert!(examine("p", &then, &witness("b", Some("n"))).is_none());
        assert!(examine("p", &witness("a", None), &witness("b", None)).is_none());
    }

    #[test]
    fn hooks_that_ran_unchecked_do_not_make_changed_files_look_trusted() {
        let then = witness("a", Some("m"));
        let unchecked = witness("b", Some("m"));
        assert_eq!(kept(Some(then.clone()), unchecked.clone()), then);
        let reviewed = witness("b", Some("n"));
        assert_eq!(kept(Some(then), reviewed.clone()), reviewed);
        let unpinned = witness("a", None);
        assert_eq!(kept(Some(unpinned), unchecked.clone()), unchecked);
    }

    #[test]
    fn the_hash_sees_names_and_contents_but_no_symlinks() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a"), "1").unwrap();
        let first = hash_folder(dir.path()).unwrap();
        std::fs::rename(dir.path().join("a"), dir.path().join("b")).unwrap();
        let renamed = hash_folder(dir.path()).unwrap();
        assert_ne!(first, renamed);
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        assert_eq!(hash_folder(dir.path()).unwrap(), renamed);
        std::fs::write(dir.path().join("sub/c"), "").unwrap();
        assert_ne!(hash_folder(dir.path()).unwrap(), renamed);
    }
}
