//! A session as a tree in the terminal.

use std::collections::HashSet;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Parser;
use codex_tracing_config::Context;
use codex_tracing_redact::{Images, Redactor};
use codex_tracing_transcript::{Rollout, Scrub, locate, locate_in, read_rollout};
use serde_json::json;

use super::locate as find;
use super::muted::backends_of;
use crate::view::{Look, render};

/// Columns where the output is no terminal.
const DEFAULT_WIDTH: usize = 100;

/// Arguments of `view`.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// A rollout file, a session's id or the beginning of one (8 characters or more); left out: the
    /// session written last
    session: Option<String>,
    /// The session written last, as without a session
    #[arg(long, conflicts_with = "session")]
    last: bool,
    /// The session model as JSON
    #[arg(long)]
    json: bool,
}

/// Prints a session with its subagents.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let context = Context::from_process(None);
    let rollout = match &args.session {
        Some(what) => find::rollout(&context, what)?,
        None => find::latest(&context)?,
    };
    let (threads, unread) = threads(&context.codex_home, &rollout)?;
    if threads
        .iter()
        .all(|thread| thread.session.is_none() && thread.turns.is_empty())
    {
        bail!("{} holds no Codex session", rollout.display());
    }
    let muted = backends_of(&context, &threads);
    let text = if args.json {
        let threads: Vec<_> = threads
            .iter()
            .zip(&muted)
            .map(|(thread, muted)| {
                json!({
                    "session": thread.session,
                    "turns": thread.turns,
                    "totals": thread.totals,
                    "skipped": thread.skipped,
                    "unread": thread.unread,
                    "muted": muted,
                })
            })
            .collect();
        format!("{:#}\n", json!(threads))
    } else {
        render(&threads, &muted, look(&context))
    };
    if args.json {
        super::print_json(&text)?;
    } else {
        super::print_painted(&text)?;
    }
    Ok(super::complete(&unread))
}

/// Colours on a terminal only, and not where `NO_COLOR` is set.
fn look(context: &Context) -> Look {
    let width = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    Look {
        width: width.unwrap_or(DEFAULT_WIDTH),
        color: std::io::stdout().is_terminal() && context.env.get("NO_COLOR").is_none(),
    }
}

/// The rollout and those of all threads it spawned, beside it or below Codex's home, and what is said
/// of those that cannot be read to their end. An error only if the first cannot be read at all.
fn threads(codex_home: &Path, rollout: &Path) -> anyhow::Result<(Vec<Rollout>, Vec<String>)> {
    // As in what is sent, no secret gets into the model.
    let (redactor, _) = Redactor::new(true, &[], None, Images::Keep);
    let scrub: Arc<dyn Scrub> = Arc::new(redactor);
    let read = |path: &Path| read_rollout(path, Arc::clone(&scrub));
    let root = read(rollout).with_context(|| format!("cannot read {}", rollout.display()))?;
    let words =
        |path: &Path, why: &str| format!("cannot read {} to its end: {why}", path.display());
    let mut unread: Vec<String> = root.unread.iter().map(|why| words(rollout, why)).collect();
    let mut threads = vec![root];
    // By the names asked for: a file may lie about its own.
    let mut known: HashSet<String> = HashSet::new();
    let mut next = 0;
    while let Some(thread) = threads.get(next) {
        known.extend(thread_id(thread).map(str::to_owned));
        let children: Vec<String> = thread
            .turns
            .iter()
            .flat_map(|turn| &turn.subagents)
            .map(|child| child.thread_id.clone())
            .filter(|id| known.insert(id.clone()))
            .collect();
        for child in children {
            // It lies where its parent's does, unless midnight fell between them.
            let beside = rollout.parent().and_then(|day| locate_in(day, &child));
            if let Some(path) = beside.or_else(|| locate(codex_home, &child)) {
                match read(&path) {
                    Ok(child) => {
                        unread.extend(child.unread.as_ref().map(|why| words(&path, why)));
                        threads.push(child);
                    }
                    Err(error) => unread.push(words(&path, &error.to_string())),
                }
            }
        }
        next += 1;
    }
    Ok((threads, unread))
}

fn thread_id(thread: &Rollout) -> Option<&str> {
    thread
        .session
        .as_ref()
        .map(|session| session.thread_id.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_cannot_be_read_takes_nobody_else_with_it_and_is_told() {
        let corpus =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/0.169.0/subagents");
        let home = tempfile::tempdir().unwrap();
        let mut rollouts = Vec::new();
        for file in std::fs::read_dir(corpus).unwrap() {
            let file = file.unwrap();
            if file.file_name().to_string_lossy().starts_with("rollout-") {
                let path = home.path().join(file.file_name());
                std::fs::copy(file.path(), &path).unwrap();
                rollouts.push(path);
            }
        }
        let spawned = |path: &Path| {
            let (threads, unread) = threads(home.path(), path).unwrap();
            assert!(unread.is_empty());
            threads.len()
        };
        rollouts.sort_by_key(|path| spawned(path));
        let (child, root) = (&rollouts[0], &rollouts[rollouts.len() - 1]);
        let all = spawned(root);
        let broken = child.with_extension("jsonl.zst");
        std::fs::write(&broken, "no frame").unwrap();
        std::fs::remove_file(child).unwrap();
        let (threads, unread) = threads(home.path(), root).unwrap();
        assert_eq!((threads.len(), unread.len()), (all - 1, 1));
        let name = broken.to_string_lossy();
        assert!(unread[0].contains(name.as_ref()), "{}", unread[0]);
    }
}
