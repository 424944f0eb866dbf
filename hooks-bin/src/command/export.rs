//! What would be sent, as JSON lines; no network.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Parser;
use codex_tracing_config::{Context, Environment};
use codex_tracing_delivery::{Destination, HookFacts, Item, LeftOut, Mode, read_session};
use codex_tracing_transcript::{Git, Scrub};

use super::locate;
use crate::backends::{self, Opened};

/// Arguments of `export`.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// A rollout file, a session's id or the beginning of one (8 characters or more)
    session: String,
    /// What to encode it for
    #[arg(long, value_name = "BACKEND", value_parser = backends::names())]
    backend: String,
    /// Take the settings from this file alone instead of this machine's files and environment
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Only this destination, counted from 1 (there are several with replicas)
    #[arg(long, value_name = "N")]
    destination: Option<usize>,
    /// As metadata-only mode would send it
    #[arg(long)]
    muted: bool,
    /// One JSON object per line: what is printed anyway
    #[arg(long)]
    json: bool,
}

/// Prints every item of a session and its subagents, one JSON object per line.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let context = Context::from_process(None);
    let rollout = locate::rollout(&context, &args.session)?;
    let settings = match &args.settings {
        Some(file) => only(file)?,
        None => context.clone(),
    };
    let registrations = backends::select(Some(&args.backend))?;
    let mut unread = Vec::new();
    for registration in registrations {
        let opened = registration.open(&settings, None);
        for warning in &opened.warnings {
            super::complain(&anyhow::anyhow!("{warning}"));
        }
        let (items, left_out) = items(&opened, &context.codex_home, &rollout, args)?;
        unread = left_out.unread;
        for item in items {
            let mut line = String::from_utf8_lossy(&item.body).into_owned();
            line.push('\n');
            super::print_json(&line)?;
        }
    }
    Ok(super::complete(&unread))
}

/// A context in which nothing but `file` says anything.
fn only(file: &Path) -> anyhow::Result<Context> {
    let file = std::path::absolute(file)?;
    if !file.is_file() {
        bail!("the settings file {} does not exist", file.display());
    }
    let text = file
        .to_str()
        .context("the settings file's path is not valid UTF-8")?;
    let nowhere = PathBuf::from("/nonexistent");
    let env = Environment::from_pairs([("CODEX_TRACING_TEAM_CONFIG", text)]);
    let mut context = Context::new(env, nowhere.clone());
    context.codex_home = nowhere;
    Ok(context)
}

/// The items in order of their first appearance, each as it was last; and what is not among them.
fn items(
    opened: &Opened,
    codex_home: &Path,
    rollout: &Path,
    args: &Args,
) -> anyhow::Result<(Vec<Item>, LeftOut)> {
    let scrub: Arc<dyn Scrub> = Arc::new(opened.redactor.clone());
    let hooks = HookFacts::default();
    let mode = if args.muted {
        Mode::Metadata
    } else {
        Mode::Full
    };
    let mut items: Vec<Item> = Vec::new();
    let mut places: HashMap<(usize, String), usize> = HashMap::new();
    let destinations = chosen(opened.backend.destinations(), args.destination)?;
    let left_out = read_session(codex_home, rollout, &scrub, &mut |turn| {
        for destination in &destinations {
            let mapped = turn.items(
                opened.backend.as_ref(),
                destination,
                &hooks,
                &Git::default(),
                mode,
            );
            for item in mapped {
                let next = items.len();
                let place = *places
                    .entry((destination.index, item.id.clone()))
                    .or_insert(next);
                match items.get_mut(place) {
                    Some(earlier) => *earlier = item,
                    None => items.push(item),
                }
            }
        }
    })?;
    Ok((items, left_out))
}

/// The destination called for by its number, or all; a number that none has is an error.
fn chosen(all: &[Destination], number: Option<usize>) -> anyhow::Result<Vec<&Destination>> {
    let wanted = |one: &&Destination| number.is_none_or(|number| number == one.index + 1);
    let chosen: Vec<&Destination> = all.iter().filter(wanted).collect();
    if let (true, Some(number)) = (chosen.is_empty(), number) {
        let known: Vec<String> = all
            .iter()
            .map(|one| format!("\n  {}: {}", one.index + 1, one.label))
            .collect();
        bail!(
            "there is no destination {number}; there are:{}",
            known.concat()
        );
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_that_does_not_exist_is_an_error_that_lists_those_that_do() {
        let one = |index, label: &str| Destination {
            id: label.to_owned(),
            index,
            label: label.to_owned(),
            has_key: true,
        };
        let all = [one(0, "first"), one(1, "second")];
        let labels = |number| -> anyhow::Result<Vec<&str>> {
            let chosen = chosen(&all, number)?;
            Ok(chosen.iter().map(|one| one.label.as_str()).collect())
        };
        assert_eq!(labels(None).unwrap(), ["first", "second"]);
        assert_eq!(labels(Some(2)).unwrap(), ["second"]);
        for number in [0, 3, 9] {
            let words = labels(Some(number)).unwrap_err().to_string();
            assert!(
                words.contains("1: first") && words.contains("2: second"),
                "{words}"
            );
        }
    }
}
