//! Metadata only: no canary planted in content survives, every mark planted elsewhere does.
#![expect(clippy::unwrap_used, reason = "a test")]

mod planter;

use std::sync::Arc;

use codex_tracing_redact::{NOTICE, project_history, project_session, project_turn};
use codex_tracing_transcript::{Content, Git, Origin, Session, ToolStatus};

use planter::{Planter, at};

#[test]
fn no_canary_survives_and_every_mark_does() {
    let mut planter = Planter::default();
    let turn = planter.turn();
    let before = serde_json::to_string(&turn).unwrap();
    for number in 1..=planter.planted {
        let canary = format!("canary {number} of");
        assert!(before.contains(&canary), "not planted: {canary}");
    }
    let projected = project_turn(&turn);
    let after = serde_json::to_string(&projected).unwrap();
    assert!(!after.contains("canary"), "{after}");
    assert!(!after.contains("7777777"), "{after}");
    for mark in &planter.kept {
        assert!(after.contains(mark.as_str()), "{mark} is gone:\n{after}");
    }
}

#[test]
fn a_turn_that_repeats_hidden_items_keeps_its_own_content_alone() {
    let turn = Planter::default().turn();
    let hidden = project_history(&turn, &|_, _| true);
    let muted = project_turn(&turn);
    assert_eq!(hidden.conversations, muted.conversations);
    assert_eq!(hidden.compactions[0].after, muted.compactions[0].after);
    let repeated = (&hidden.conversations, &hidden.compactions[0].after);
    let repeated = serde_json::to_string(&repeated).unwrap();
    assert!(!repeated.contains("canary"), "{repeated}");
    let summary = &turn.compactions[0].summary;
    assert_eq!(&hidden.compactions[0].summary, summary);
    assert_eq!((&hidden.prompt, &hidden.calls), (&turn.prompt, &turn.calls));
    assert_eq!(project_history(&turn, &|_, _| false), turn);
}

#[test]
fn topology_times_status_and_usage_stay() {
    let turn = Planter::default().turn();
    let after = project_turn(&turn);
    assert_eq!(
        (after.number, after.kind, after.status),
        (7, turn.kind, turn.status)
    );
    assert_eq!((after.window, after.usage), (turn.window, turn.usage));
    assert_eq!(after.time_to_first_token_ms, Some(1234));
    let code = after.error.unwrap().code;
    assert_eq!(code.as_deref(), Some("internal_server_error"));
    assert_eq!(after.answer.unwrap().text, NOTICE);
    assert_eq!(after.prompt, [Content::Text(NOTICE.into())]);
    let call = &after.calls[0];
    let before = &turn.calls[0];
    assert_eq!((call.input, call.usage), (before.input, before.usage));
    assert_eq!((call.retries, call.completed), (3, true));
    assert!(call.announced);
    let tool = &after.tools[0];
    assert_eq!(
        (tool.outcome.status, tool.outcome.exit_code),
        (ToolStatus::Failed, Some(42))
    );
    let error = tool.outcome.error.as_deref();
    assert_eq!(error, Some(NOTICE), "a failure still says that it failed");
    assert_eq!(
        (tool.window, tool.model_call),
        (turn.tools[0].window, Some(0))
    );
    assert_eq!(after.conversations[0].len(), turn.conversations[0].len());
    assert!(
        Arc::ptr_eq(&after.conversations[0][3], &after.calls[0].output[0]),
        "what was shared still is"
    );
}

#[test]
fn projecting_twice_changes_nothing() {
    let once = project_turn(&Planter::default().turn());
    assert_eq!(project_turn(&once), once);
}

#[test]
fn nothing_where_nothing_was() {
    let mut turn = Planter::default().turn();
    turn.prompt.clear();
    turn.answer = None;
    turn.error = None;
    turn.tools.clear();
    turn.calls.clear();
    let after = project_turn(&turn);
    assert!(after.prompt.is_empty() && after.answer.is_none() && after.error.is_none());
}

#[test]
fn a_session_keeps_its_ids_and_loses_paths_git_and_instructions() {
    let mut planter = Planter::default();
    let mut some = || Some(planter.keep());
    let mut session = Session {
        thread_id: "thread".into(),
        session_id: some(),
        parent_thread_id: some(),
        forked_from_id: some(),
        started_at: at(0),
        cwd: Some("canary".into()),
        git: Some(Git {
            commit: Some("canary".into()),
            branch: Some("canary".into()),
            repository_url: Some("canary".into()),
        }),
        cli_version: some(),
        originator: some(),
        origin: Origin::Review,
        model_provider: some(),
        base_instructions: Some("canary".into()),
    };
    let after = serde_json::to_string(&project_session(&session)).unwrap();
    assert!(!after.contains("canary"), "{after}");
    for mark in &planter.kept {
        assert!(after.contains(mark.as_str()), "{after}");
    }
    let spawned = |name: Option<&str>| Origin::Spawned {
        depth: Some(2),
        path: name.map(str::to_owned),
        nickname: name.map(str::to_owned),
        role: Some("explorer".into()),
    };
    session.origin = spawned(Some("canary"));
    assert_eq!(project_session(&session).origin, spawned(None));
    session.origin = Origin::Other("a canary with spaces".into());
    let after = format!("{:?}", project_session(&session));
    assert!(!after.contains("canary"), "{after}");
}
