//! What went out that should have stayed.

use codex_tracing_config::Replica;
use codex_tracing_delivery::{Backend, Mode};
use codex_tracing_transcript::{ToolStatus, TurnStatus};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::{Given, metadata, turn};
use crate::tree::check_tree;

/// 7: replica keys stood in the metadata of every run.
#[test]
fn no_key_is_in_any_run() {
    let mut given = Given::new(turn());
    given.settings.api_key = Some(SecretString::from("lsv2_pt_primary"));
    let mut replica = Replica::new("https://a.example.com");
    replica.api_key = Some(SecretString::from("lsv2_pt_replica"));
    given.settings.replicas = vec![replica];
    for item in given.items(0) {
        assert!(!String::from_utf8(item.body).unwrap().contains("lsv2"));
    }
    assert!(!format!("{:?}", given.backend().destinations()).contains("lsv2"));
}

/// 8: a password in the address of a git remote went out in clear.
#[test]
fn the_password_of_a_remote_stays_here() {
    for run in Given::new(turn()).runs() {
        assert_eq!(
            metadata(&run)["repository_url"],
            "https://github.com/org/app"
        );
    }
}

/// 8: nor did anybody look for secrets in custom metadata and what is merged into it.
#[test]
fn secrets_in_what_is_added_to_a_turn_are_redacted() {
    let secret = format!("ghp_{}", "Fake".repeat(9));
    let mut given = Given::new(turn());
    given
        .settings
        .common
        .metadata
        .insert("note".to_owned(), json!({"deep": [secret]}));
    let mut replica = Replica::new("https://a.example.com");
    replica
        .updates
        .insert("metadata".to_owned(), json!({"token": secret}));
    given.settings.replicas = vec![replica];
    given.settings.parent_headers = Some(codex_tracing_config::ParentHeaders::new(
        "20261120T103411000000Z01a1f880-0000-7000-8000-000000000001",
        Some(format!(
            "langsmith-metadata=%7B%22key%22%3A%22{secret}%22%7D,langsmith-tags={secret}"
        )),
    ));
    let runs = given.runs();
    assert!(
        runs.iter()
            .all(|run| metadata(run)["key"] == "[SECRET_DETECTED]")
    );
    assert!(
        runs.iter()
            .all(|run| metadata(run)["token"] == "[SECRET_DETECTED]")
    );
    assert!(!Value::Array(runs).to_string().contains("ghp_"));
}

/// Not in the list, but next to it: a muted turn keeps its shape and loses what is private.
#[test]
fn a_muted_turn_has_neither_custom_metadata_nor_paths_nor_errors() {
    let mut given = Given::new(turn());
    given.mode = Mode::Metadata;
    given
        .settings
        .common
        .metadata
        .insert("team".to_owned(), json!("agents"));
    given.turn.status = TurnStatus::Failed;
    given.turn.tools[0].outcome.status = ToolStatus::Failed;
    let runs = given.runs();
    check_tree(&runs);
    for run in &runs {
        let gone = [
            "team",
            "cwd",
            "repository_url",
            "git_branch",
            "approval_policy",
            "sandbox_type",
            "ls_invocation_params",
            "effort",
        ];
        assert!(
            gone.iter().all(|key| !metadata(run).contains_key(*key)),
            "{run}"
        );
        assert!(run.get("error").is_none() && run["extra"].get("runtime").is_none());
        assert_eq!(metadata(run)["ls_tracing_mode"], "metadata");
    }
    assert_eq!(metadata(&runs[0])["status"], "failed");
    assert!(metadata(&runs[1]).contains_key("usage_metadata"));
}
