//! Finding a thread's rollout: live, moved to the archive, or compressed.

use std::fs;
use std::path::{Component, Path, PathBuf};

const LIVE: &str = "sessions";
const ARCHIVE: &str = "archived_sessions";
const KINDS: [&str; 2] = [".jsonl", ".jsonl.zst"];

/// The rollout of `thread_id` below `codex_home`: `sessions/**` first, then `archived_sessions/`;
/// `.jsonl` before `.jsonl.zst`. Ids that are not plain UUID-like words find nothing.
pub fn locate(codex_home: &Path, thread_id: &str) -> Option<PathBuf> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !(8..=64).contains(&thread_id.len()) || !thread_id.bytes().all(is_plain) {
        return None;
    }
    let live = codex_home.join(LIVE);
    // sessions/YYYY/MM/DD/, newest day first: most look-ups are for a session of today.
    let days = folders(&live)
        .into_iter()
        .flat_map(|year| folders(&year))
        .flat_map(|month| folders(&month));
    let mut places = std::iter::once(live.clone())
        .chain(days)
        .chain(std::iter::once(codex_home.join(ARCHIVE)));
    places.find_map(|folder| rollout_in(&folder, thread_id))
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

fn rollout_in(folder: &Path, thread_id: &str) -> Option<PathBuf> {
    let names: Vec<String> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with("rollout-"))
        .collect();
    KINDS.iter().find_map(|kind| {
        let end = format!("-{thread_id}{kind}");
        let name = names.iter().find(|name| name.ends_with(&end))?;
        Some(folder.join(name))
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
