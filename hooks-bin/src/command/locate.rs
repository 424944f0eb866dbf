//! From what people type to a rollout.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use codex_tracing_config::Context;

/// The rollout that `what` names: a file, or a session's id.
pub(crate) fn rollout(context: &Context, what: &str) -> anyhow::Result<PathBuf> {
    let path = Path::new(what);
    if path.is_file() {
        return Ok(path.to_owned());
    }
    codex_tracing_transcript::locate(&context.codex_home, what).ok_or_else(|| {
        anyhow!(
            "`{what}` is neither a file nor a session below {}; `codex-tracing status` lists \
             traced sessions",
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
