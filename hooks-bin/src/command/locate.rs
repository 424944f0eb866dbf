//! From what people type to a rollout.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use codex_tracing_config::Context;
use codex_tracing_transcript::{locate, locate_beginning};

/// Characters of an id that name a session, if no other begins with them: fewer would be the same
/// for all sessions of a day.
const SHORTEST: usize = 8;
/// Sessions that are listed where several begin alike.
const LISTED: usize = 20;

/// The rollout that `what` names: a file, a session's id, or the beginning of just one id.
pub(crate) fn rollout(context: &Context, what: &str) -> anyhow::Result<PathBuf> {
    let path = Path::new(what);
    if path.is_file() {
        return Ok(path.to_owned());
    }
    if let Some(path) = locate(&context.codex_home, what) {
        return Ok(path);
    }
    let mut found = match what.len() {
        SHORTEST.. => locate_beginning(&context.codex_home, what),
        _ => BTreeMap::new(),
    };
    if found.len() > 1 {
        let ids: Vec<String> = found.keys().map(|id| format!("\n  {id}")).collect();
        let shown = ids.get(..LISTED).unwrap_or(&ids).concat();
        let more = match ids.len().saturating_sub(LISTED) {
            0 => String::new(),
            more => format!("\n  and {more} more"),
        };
        bail!("`{what}` is the beginning of several sessions:{shown}{more}");
    }
    found.pop_first().map(|(_, path)| path).ok_or_else(|| {
        anyhow!(
            "`{what}` is neither a file nor a session below {}, nor the beginning of one \
             ({SHORTEST} characters or more); `codex-tracing status` lists traced sessions",
            context.codex_home.display()
        )
    })
}

/// The rollout written last.
pub(crate) fn latest(context: &Context) -> anyhow::Result<PathBuf> {
    let sessions = context.codex_home.join("sessions");
    let mut newest = None;
    let mut folders = vec![sessions.clone()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() {
                folders.push(entry.path());
            } else if entry.file_name().to_string_lossy().starts_with("rollout-") {
                let changed = entry.metadata().and_then(|meta| meta.modified()).ok();
                newest = newest.max(Some((changed, entry.path())));
            }
        }
    }
    match newest {
        Some((_, path)) => Ok(path),
        None => bail!("there is no session below {}", sessions.display()),
    }
}

#[cfg(test)]
mod tests {
    use codex_tracing_config::Environment;

    use super::*;

    #[test]
    fn a_session_is_named_by_its_id_or_the_beginning_of_just_one() {
        let home = tempfile::tempdir().unwrap();
        let day = home.path().join(".codex/sessions/2026/11/20");
        std::fs::create_dir_all(&day).unwrap();
        for id in ["01a1f886-9af4-7002", "01a1f886-9af4-7003", "01a1f887-0000"] {
            let name = format!("rollout-2026-11-20T10-34-12-{id}.jsonl");
            std::fs::write(day.join(name), "").unwrap();
        }
        let context = Context::new(
            Environment::from_pairs([("HOME", home.path().to_str().unwrap())]),
            home.path().to_owned(),
        );
        let name = |what: &str| {
            let found = rollout(&context, what).map_err(|error| error.to_string())?;
            Ok(found.file_name().unwrap().to_string_lossy().into_owned())
        };
        let check = |what: &str, expected: Result<&str, &[&str]>| match (name(what), expected) {
            (Ok(name), Ok(id)) => assert!(name.ends_with(&format!("-{id}.jsonl")), "{name}"),
            (Err::<_, String>(words), Err(parts)) => {
                assert!(parts.iter().all(|part| words.contains(part)), "{words}");
            }
            (got, expected) => panic!("{what}: {got:?} instead of {expected:?}"),
        };
        check("01a1f886-9af4-7003", Ok("01a1f886-9af4-7003"));
        check("01a1f887", Ok("01a1f887-0000"));
        check("01a1f887-00", Ok("01a1f887-0000"));
        let both = [
            "several sessions",
            "01a1f886-9af4-7002",
            "01a1f886-9af4-7003",
        ];
        check("01a1f886", Err(&both));
        check("01a1f88", Err(&["neither", "8 characters or more"]));
        check("01a1f999", Err(&["neither a file nor a session"]));
    }
}
