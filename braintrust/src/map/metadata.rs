//! Metadata of sessions and turns.

use codex_tracing_delivery::View;
use codex_tracing_transcript::{Scrub, TurnKind, TurnStatus};
use serde_json::{Map, Value};
use std::borrow::Cow;

use super::Trace;

/// Metadata of the root span: the user's keys, then the standard ones over them. A standard key
/// without a value leaves the user's alone.
pub(super) fn session(trace: &Trace<'_>) -> Map<String, Value> {
    let view = trace.view;
    let mut metadata = Map::new();
    if trace.is_full() {
        metadata.clone_from(&trace.target.custom);
    }
    let mut put = |key: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            metadata.insert(key.to_owned(), Value::from(value));
        }
    };
    put("session_id", Some(&view.root.thread_id));
    if is_first(view) {
        put("model", model(trace));
    }
    put("source", view.hooks.source.as_deref());
    put("permission_mode", view.hooks.permission_mode.as_deref());
    put("cli_version", view.root.cli_version.as_deref());
    put("originator", view.root.originator.as_deref());
    put("project", Some(&trace.target.project));
    if trace.is_full() {
        put("cwd", view.root.cwd.as_deref());
        put("transcript_path", view.hooks.transcript_path.as_deref());
        let url = view.git.repository_url.as_deref();
        let url = url.map(|url| {
            trace
                .target
                .redactor
                .text(Cow::Owned(without_credentials(url)))
        });
        put("git_origin_url", url.as_deref());
        put("git_branch", view.git.branch.as_deref());
        put("git_commit_sha", view.git.commit.as_deref());
    }
    metadata
}

/// Metadata of a turn's span. What may still change while the turn runs is left out until it ends.
pub(super) fn turn(trace: &Trace<'_>) -> Map<String, Value> {
    let turn = trace.view.turn;
    let mut metadata = Map::new();
    let mut put = |key: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            metadata.insert(key.to_owned(), Value::from(value));
        }
    };
    put("turn_id", Some(&turn.id));
    put("model", model(trace));
    if turn.kind == TurnKind::Review {
        put("turn_kind", Some("review"));
    }
    if trace.is_over() {
        put("status", Some(status(turn.status)));
        put("effort", turn.context.effort.as_deref());
        put("approval_policy", turn.context.approval_policy.as_deref());
        put("sandbox_policy", turn.context.sandbox_policy.as_deref());
        let code = turn.error.as_ref().and_then(|error| error.code.as_deref());
        put("error_code", code.filter(|_| trace.is_full()));
    }
    metadata.insert("turn_number".to_owned(), Value::from(turn.number));
    metadata
}

/// Whether this is the first turn of the root thread.
pub(super) fn is_first(view: &View<'_>) -> bool {
    view.lineage.is_empty() && view.turn.number == 1
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
