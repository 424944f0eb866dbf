//! `session_meta`.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::Value;

use crate::wire::{SessionMeta, raw_value};
use crate::{Git, Origin, Scrub, Session};

pub(super) fn session(meta: SessionMeta<'_>, at: Timestamp, scrub: &dyn Scrub) -> Session {
    let source = raw_value(meta.source).unwrap_or_default();
    Session {
        thread_id: meta.id.0.into_owned(),
        session_id: meta.session_id.owned(),
        parent_thread_id: meta
            .parent_thread_id
            .owned()
            .or_else(|| text(&source, "/subagent/thread_spawn/parent_thread_id")),
        forked_from_id: meta.forked_from_id.owned(),
        started_at: meta.timestamp.as_str().parse().unwrap_or(at),
        cwd: meta.cwd.owned().map(|cwd| scrub.text(Cow::Owned(cwd))),
        git: raw_value(meta.git).and_then(|git| self::git(&git, scrub)),
        cli_version: meta.cli_version.owned(),
        originator: meta.originator.owned(),
        origin: origin(
            &source,
            meta.agent_path.owned(),
            meta.agent_nickname.owned(),
            meta.agent_role.owned(),
        ),
        model_provider: meta.model_provider.owned(),
        base_instructions: raw_value(meta.base_instructions)
            .and_then(|value| {
                text(&value, "/text").or_else(|| value.as_str().map(ToOwned::to_owned))
            })
            .map(|instructions| scrub.text(Cow::Owned(instructions))),
    }
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    let text = value.pointer(pointer)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

fn git(value: &Value, scrub: &dyn Scrub) -> Option<Git> {
    let git = Git {
        commit: text(value, "/commit_hash"),
        branch: text(value, "/branch").map(|branch| scrub.text(Cow::Owned(branch))),
        repository_url: text(value, "/repository_url").map(|url| scrub.text(Cow::Owned(url))),
    };
    (git != Git::default()).then_some(git)
}

/// `source`: a word, or `{"subagent": …}` with the word `review` or a `thread_spawn` object.
fn origin(
    source: &Value,
    path: Option<String>,
    nickname: Option<String>,
    role: Option<String>,
) -> Origin {
    match source {
        Value::String(word) => Origin::User(word.clone()),
        Value::Object(map) => match map.get("subagent") {
            Some(Value::String(word)) if word == "review" => Origin::Review,
            Some(spawn) if spawn.get("thread_spawn").is_some() => Origin::Spawned {
                depth: spawn
                    .pointer("/thread_spawn/depth")
                    .and_then(Value::as_u64)
                    .and_then(|depth| u32::try_from(depth).ok()),
                path: path.or_else(|| text(spawn, "/thread_spawn/agent_path")),
                nickname: nickname.or_else(|| text(spawn, "/thread_spawn/agent_nickname")),
                role: role.or_else(|| text(spawn, "/thread_spawn/agent_role")),
            },
            Some(Value::String(word)) => Origin::Other(word.clone()),
            _ => Origin::Other(map.keys().next().cloned().unwrap_or_default()),
        },
        _ => Origin::Other(String::new()),
    }
}
