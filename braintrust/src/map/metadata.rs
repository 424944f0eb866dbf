//! Metadata of sessions and turns.

use codex_tracing_delivery::View;
use codex_tracing_transcript::{Scrub, TurnKind, TurnStatus};
use serde_json::{Map, Value};
use std::borrow::Cow;

use super::Trace;

/// Metadata of the root span: the user's keys, and over them the standard ones. A standard key
/// without a value leaves the user's alone.
pub(super) fn session(trace: &Trace<'_>) -> Map<String, Value> {
    let view = trace.view;
    let mut metadata = Map::new();
    if trace.is_full() {
        metadata.clone_from(&trace.target.custom);
        // The first turn writes it, and may have come before.
        if model(trace).is_some() {
            metadata.shift_remove("model");
        }
    }
    metadata.extend(collect([
        ("session_id", Some(view.root.thread_id.as_str())),
        ("model", session_model(trace)),
        ("source", view.hooks.source.as_deref()),
        ("permission_mode", view.hooks.permission_mode.as_deref()),
        ("cli_version", view.root.cli_version.as_deref()),
        ("originator", view.root.originator.as_deref()),
        ("forked_from_id", view.root.forked_from_id.as_deref()),
        ("project", Some(trace.target.project.as_str())),
    ]));
    if trace.is_full() {
        metadata.extend(collect([
            ("cwd", view.root.cwd.as_deref()),
            ("transcript_path", view.hooks.transcript_path.as_deref()),
        ]));
        metadata.extend(git(trace));
    }
    metadata
}

/// The repository; that of a subagent is not the session's.
fn git(trace: &Trace<'_>) -> Map<String, Value> {
    let view = trace.view;
    if !view.lineage.is_empty() {
        return Map::new();
    }
    let url = view.git.repository_url.as_deref();
    let url = url.map(|url| {
        let url = Cow::Owned(without_credentials(url));
        trace.target.redactor.text(url)
    });
    collect([
        ("git_origin_url", url.as_deref()),
        ("git_branch", view.git.branch.as_deref()),
        ("git_commit_sha", view.git.commit.as_deref()),
    ])
}

/// The session's model: that of its first turn, told by that turn alone. Where hooks come in with a
/// resumed session, an earlier turn may have told it already.
pub(super) fn session_model<'a>(trace: &Trace<'a>) -> Option<&'a str> {
    let view = trace.view;
    let is_resumed = view.turn.number > 1 && view.hooks.source.as_deref() == Some("resume");
    (is_first(view) && !is_resumed)
        .then(|| model(trace))
        .flatten()
}

/// Those pairs that have a value.
pub(super) fn collect<const N: usize>(pairs: [(&str, Option<&str>); N]) -> Map<String, Value> {
    pairs
        .into_iter()
        .filter_map(|(key, value)| {
            let value = value.filter(|value| !value.is_empty())?;
            Some((key.to_owned(), Value::from(value)))
        })
        .collect()
}

/// Metadata of a turn's span. What may still change while the turn runs is left out until it ends.
pub(super) fn turn(trace: &Trace<'_>) -> Map<String, Value> {
    let turn = trace.view.turn;
    let mut metadata = collect([
        ("turn_id", Some(turn.id.as_str())),
        ("model", model(trace)),
        (
            "turn_kind",
            (turn.kind == TurnKind::Review).then_some("review"),
        ),
    ]);
    metadata.insert("turn_number".to_owned(), Value::from(turn.number));
    if trace.is_over() {
        let code = turn.error.as_ref().and_then(|error| error.code.as_deref());
        metadata.extend(collect([
            ("status", Some(status(turn.status))),
            ("effort", turn.context.effort.as_deref()),
            ("approval_policy", turn.context.approval_policy.as_deref()),
            ("sandbox_policy", turn.context.sandbox_policy.as_deref()),
            ("error_code", code.filter(|_| trace.is_full())),
        ]));
    }
    metadata
}

/// Whether this is the first turn of the root thread that is delivered: one before it may have been
/// nothing but a command to us, or have run while tracing was off.
pub(super) fn is_first(view: &View<'_>) -> bool {
    let is_first_of_hooks = || view.hooks.first_turn_id.as_deref() == Some(&view.turn.id);
    view.lineage.is_empty() && (view.turn.number == 1 || is_first_of_hooks())
}

/// The turn's model: that of its first call, which never changes, or the configured one.
pub(super) fn model<'a>(trace: &Trace<'a>) -> Option<&'a str> {
    let turn = trace.view.turn;
    turn.calls
        .iter()
        .find_map(|call| call.model.as_deref())
        .or(turn.context.model.as_deref())
}

fn status(status: TurnStatus) -> &'static str {
    match status {
        TurnStatus::Running => "running",
        TurnStatus::Completed => "completed",
        TurnStatus::Interrupted => "interrupted",
        TurnStatus::Failed => "failed",
        TurnStatus::CutOff => "cut_off",
    }
}

/// A remote without user and password. `scp`-like remotes (`git@host:path`) hold none.
fn without_credentials(remote: &str) -> String {
    let Ok(mut url) = url::Url::parse(remote) else {
        return remote.to_owned();
    };
    if url.username().is_empty() && url.password().is_none() {
        return remote.to_owned();
    }
    // Both calls fail only for URLs that cannot have credentials, and those have none.
    if url.set_password(None).is_err() || url.set_username("").is_err() {
        return String::new();
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(remote: &str, expected: &str) {
        assert_eq!(without_credentials(remote), expected);
    }

    #[test]
    fn remotes_lose_their_credentials() {
        check("https://github.com/o/r.git", "https://github.com/o/r.git");
        check(
            "https://me:pw@github.com/o/r.git",
            "https://github.com/o/r.git",
        );
        check(
            "https://token@github.com/o/r.git",
            "https://github.com/o/r.git",
        );
        check("git@github.com:o/r.git", "git@github.com:o/r.git");
        check("ssh://git@host:22/o/r", "ssh://host:22/o/r");
        check("/srv/git/r.git", "/srv/git/r.git");
    }
}
