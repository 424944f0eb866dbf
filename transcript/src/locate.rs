//! Finding a thread's rollout: live, moved to the archive, or compressed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

const LIVE: &str = "sessions";
const ARCHIVE: &str = "archived_sessions";
const KINDS: [&str; 2] = [".jsonl", ".jsonl.zst"];

/// The rollout of `thread_id` below `codex_home`: `sessions/**` first, then `archived_sessions/`;
/// `.jsonl` before `.jsonl.zst`. Ids that are not plain UUID-like words find nothing.
pub fn locate(codex_home: &Path, thread_id: &str) -> Option<PathBuf> {
    locate_all(codex_home, &BTreeSet::from([thread_id.to_owned()])).remove(thread_id)
}

/// The same for many threads in one walk through the folders: the rollouts found, by thread.
pub fn locate_all(codex_home: &Path, threads: &BTreeSet<String>) -> BTreeMap<String, PathBuf> {
    let ids = threads.iter().map(String::as_str);
    let mut missing: BTreeSet<&str> = ids.filter(|id| is_id(id)).collect();
    let mut found = BTreeMap::new();
    let mut places = places(codex_home);
    while !missing.is_empty()
        && let Some(folder) = places.next()
    {
        let names = rollouts_in(&folder);
        missing.retain(|id| match rollout_of(&names, id) {
            Some(name) => {
                found.insert((*id).to_owned(), folder.join(name));
                false
            }
            None => true,
        });
    }
    found
}

/// The rollout of `thread_id` in one folder: Codex puts those of children beside their parent's.
pub fn locate_in(folder: &Path, thread_id: &str) -> Option<PathBuf> {
    if !is_id(thread_id) {
        return None;
    }
    let names = rollouts_in(folder);
    rollout_of(&names, thread_id).map(|name| folder.join(name))
}

fn is_id(thread_id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (8..=64).contains(&thread_id.len()) && thread_id.bytes().all(is_plain)
}

/// The rollouts below `codex_home` of all threads whose id begins with `beginning`, by thread; where
/// a thread has several, the one that [`locate`] gives.
pub fn locate_beginning(codex_home: &Path, beginning: &str) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    for folder in places(codex_home) {
        let names = rollouts_in(&folder);
        for kind in KINDS {
            for name in &names {
                let id = name.strip_suffix(kind).and_then(thread_of);
                if let Some(id) = id.filter(|id| id.starts_with(beginning)) {
                    let path = || folder.join(name);
                    found.entry(id.to_owned()).or_insert_with(path);
                }
            }
        }
    }
    found
}

/// The thread in a rollout's name, behind the time it began.
fn thread_of(stem: &str) -> Option<&str> {
    let id = stem.get("rollout-2026-11-20T10-34-12".len()..)?;
    id.strip_prefix('-').filter(|id| !id.is_empty())
}

/// Where rollouts lie: sessions/YYYY/MM/DD/, newest day first, since most look-ups are for a session
/// of today; then the archive.
fn places(codex_home: &Path) -> impl Iterator<Item = PathBuf> {
    let live = codex_home.join(LIVE);
    let days = folders(&live)
        .into_iter()
        .flat_map(|year| folders(&year))
        .flat_map(|month| folders(&month));
    std::iter::once(live)
        .chain(days)
        .chain(std::iter::once(codex_home.join(ARCHIVE)))
}

/// Sub-folders by name, the last one first. Links are not followed.
fn folders(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else {
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    folders.reverse();
    folders
}

fn rollouts_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with("rollout-"))
        .collect()
}

fn rollout_of<'a>(names: &'a [String], thread_id: &str) -> Option<&'a String> {
    KINDS.iter().find_map(|kind| {
        let end = format!("-{thread_id}{kind}");
        names.iter().find(|name| name.ends_with(&end))
    })
}

/// Whether `path` lies inside one of Codex's session folders (no `..`, no symlink out of them).
pub fn is_session_file(codex_home: &Path, path: &Path) -> bool {
    let climbs = |part: Component<'_>| part == Component::ParentDir;
    if path.components().any(climbs) {
        return false;
    }
    let Ok(real) = fs::canonicalize(path) else {
        return false;
    };
    [LIVE, ARCHIVE].iter().any(|name| {
        fs::canonicalize(codex_home.join(name)).is_ok_and(|folder| real.starts_with(folder))
    })
}
