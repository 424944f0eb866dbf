//! Several destinations, a caller's run, and live turns.

use codex_tracing_config::{LangSmithSettings, ParentHeaders, Replica};
use codex_tracing_delivery::{Backend, Facts, Mode, Step, Verdict};
use codex_tracing_langsmith::replica_id;
use codex_tracing_transcript::TurnStatus;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::multipart::parts;
use crate::support::{Given, backend, metadata, named, text, turn};
use crate::tree::{check_tree, outline};

fn replica(url: &str, project: Option<&str>) -> Replica {
    let mut replica = Replica::new(url);
    replica.api_key = Some(SecretString::from("lsv2_pt_replica"));
    replica.project = project.map(str::to_owned);
    replica
}

fn given(replicas: Vec<Replica>) -> Given {
    let mut given = Given::new(turn());
    given.settings.api_key = Some(SecretString::from("lsv2_pt_primary"));
    given.settings.replicas = replicas;
    given
}

#[test]
fn replicas_replace_the_primary_and_have_an_id_each() {
    let with = |key: &str| {
        let mut settings = LangSmithSettings::default();
        settings.replicas = vec![
            replica("https://a.example.com/", Some("prod")),
            replica("https://a.example.com", Some("staging")),
            replica("https://b.example.com", Some("prod")),
            replica("https://b.example.com", Some("prod")),
        ];
        for replica in &mut settings.replicas {
            replica.api_key = Some(SecretString::from(key));
        }
        backend(&settings).destinations().to_vec()
    };
    let destinations = with("key-1");
    assert_eq!(destinations.len(), 4);
    assert_eq!(destinations[0].label, "a.example.com · prod");
    let mut ids: Vec<_> = destinations.iter().map(|it| it.id.clone()).collect();
    assert!(
        ids.iter()
            .flat_map(|id| id.chars())
            .all(|c| c.is_ascii_alphanumeric() || c == '-')
    );
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
    assert_eq!(with("key-2"), destinations, "a key changes no id");
}

#[test]
fn without_a_key_a_destination_says_so() {
    let backend = backend(&LangSmithSettings::default());
    assert!(!backend.destinations()[0].has_key);
    let destination = &backend.destinations()[0];
    let request = backend.handshake(destination, &Facts::default(), crate::support::at(0));
    assert!(request.unwrap().secret_headers.is_empty());
}

/// Whether the ids of the runs for a replica are those of the primary project.
fn keeps_ids(project: Option<&str>, primary: Option<bool>) -> bool {
    let mut replica = replica("https://elsewhere.example.com", project);
    replica.primary = primary;
    let runs = given(vec![replica]).runs();
    check_tree(&runs);
    let plain = Given::new(turn()).runs();
    let pairs: Vec<_> = runs.iter().zip(&plain).collect();
    assert!(
        pairs
            .iter()
            .all(|(run, _)| run["session_name"] == project.unwrap_or("codex"))
    );
    let kept = pairs
        .iter()
        .filter(|(run, plain)| run["id"] == plain["id"])
        .count();
    assert!(
        kept == 0 || kept == runs.len(),
        "some ids changed and some not"
    );
    kept > 0
}

#[test]
fn ids_change_exactly_where_the_official_sdk_changes_them() {
    let cases = [
        (None, None, true),
        (Some("codex"), None, true),
        (Some("staging"), None, false),
        (Some("staging"), Some(true), true),
        (Some("staging"), Some(false), false),
        (Some("codex"), Some(false), false),
        (None, Some(true), true),
    ];
    for (project, primary, kept) in cases {
        assert_eq!(keeps_ids(project, primary), kept, "{project:?} {primary:?}");
    }
}

#[test]
fn every_id_of_a_replicas_run_is_remapped() {
    let staging = given(vec![replica("https://a.example.com", Some("staging"))]).runs();
    for (run, plain) in staging.iter().zip(Given::new(turn()).runs()) {
        let remapped = |key: &str| {
            let id = plain[key].as_str()?.parse().unwrap();
            Some(replica_id(id, "staging").to_string())
        };
        for key in ["id", "trace_id", "parent_run_id"] {
            assert_eq!(run[key].as_str(), remapped(key).as_deref(), "{key}");
        }
        assert_eq!(run["start_time"], plain["start_time"]);
    }
}

#[test]
fn updates_are_merged_deeply_when_a_run_is_created() {
    let mut staging = replica("https://a.example.com", None);
    let updates = json!({
        "metadata": {"environment": "staging", "nested": {"b": 2}},
        "extra": {"runtime": {"host": "ci"}},
        "tags": ["replica"],
        "inputs": {"note": "x"},
        "reference_example_id": "e-1",
        "id": "not-yours", "trace_id": "x", "dotted_order": "x", "session_name": "x",
    });
    staging.updates = updates.as_object().unwrap().clone();
    let mut given = given(vec![staging]);
    given
        .settings
        .common
        .metadata
        .insert("nested".to_owned(), json!({"a": 1}));
    let runs = given.runs();
    check_tree(&runs);
    for run in &runs {
        assert_eq!(metadata(run)["environment"], "staging");
        assert_eq!(metadata(run)["nested"], json!({"a": 1, "b": 2}));
        assert_eq!(
            metadata(run)["ls_integration"],
            "openai-codex",
            "what was there stays"
        );
        assert_eq!(run["extra"]["runtime"]["host"], "ci");
        assert_eq!(run["extra"]["runtime"]["sdk"], "codex-tracing");
        assert_eq!(run["tags"], json!(["replica"]));
        assert_eq!(run["inputs"]["note"], "x");
        assert_eq!(run["reference_example_id"], "e-1");
        assert_eq!(run["session_name"], "codex");
        assert!(run.get("metadata").is_none());
    }
    assert!(named(&runs, "openai.codex")["inputs"]["messages"].is_array());
    given.mode = Mode::Metadata;
    assert!(
        given
            .runs()
            .iter()
            .all(|run| !metadata(run).contains_key("environment"))
    );
}

const CALLER: &str = "20261120T103411000000Z01a1f880-0000-7000-8000-000000000001.\
                      20261120T103411500000Z01a1f880-0000-7000-8000-000000000002";

fn nested(trace: &str) -> Given {
    let mut given = Given::new(turn());
    given.settings.parent_headers = Some(ParentHeaders::new(
        trace,
        Some("langsmith-project=callers,langsmith-metadata=%7B%22team%22%3A%22x%22%7D".to_owned()),
    ));
    given
}

#[test]
fn a_turn_hangs_below_a_callers_run_in_the_callers_project() {
    let runs = nested(CALLER).runs();
    check_tree(&runs);
    let root = named(&runs, "openai.codex");
    assert!(text(root, "dotted_order").starts_with(&format!("{CALLER}.")));
    assert_eq!(
        root["parent_run_id"],
        "01a1f880-0000-7000-8000-000000000002"
    );
    assert_eq!(root["trace_id"], "01a1f880-0000-7000-8000-000000000001");
    assert_eq!(metadata(root)["ls_agent_type"], "root");
    assert!(
        runs.iter()
            .all(|run| run["session_name"] == "callers" && metadata(run)["team"] == "x")
    );
}

#[test]
fn a_caller_whose_clock_is_ahead_does_not_break_the_trace() {
    let runs = nested("20261120T113411000000Z01a1f880-0000-7000-8000-000000000001").runs();
    check_tree(&runs);
    assert_eq!(runs[0]["start_time"], "2026-11-20T11:34:11.000000Z");
}

#[test]
fn unreadable_parent_headers_leave_turns_as_they_are() {
    let given = nested("nonsense");
    assert_eq!(given.runs(), Given::new(turn()).runs());
}

fn live(status: TurnStatus) -> Given {
    let mut given = Given::new(turn());
    given.settings.common.live = true;
    given.turn.status = status;
    if status == TurnStatus::Running {
        given.turn.window.ended_at = None;
        given.turn.calls[1].completed = false;
        given.turn.calls[1].window.ended_at = None;
        given.turn.calls[1].usage = None;
    }
    given
}

#[test]
fn a_live_turn_is_opened_then_filled_then_closed() {
    let running = live(TurnStatus::Running);
    let runs = running.runs();
    check_tree(&runs);
    assert_eq!(
        outline(&runs),
        "openai.codex (chain)\n  openai.codex.turn (llm)\n  exec_command (tool)\n"
    );
    assert!(runs[0].get("end_time").is_none() && runs[0].get("outputs").is_none());
    let over = live(TurnStatus::Completed).items(0);
    for item in running.items(0) {
        assert!(
            over.contains(&item),
            "{} changed while the turn went on",
            item.id
        );
    }
    let ids: Vec<_> = over
        .iter()
        .take(2)
        .map(|item| item.id.split_once('#').unwrap())
        .collect();
    assert_eq!(ids[0].0, ids[1].0);
    assert_eq!((ids[0].1, ids[1].1), ("open", "close"));
}

#[test]
fn a_turn_without_content_is_not_opened_yet() {
    let mut given = live(TurnStatus::Running);
    given.turn.prompt.clear();
    given.turn.calls.clear();
    given.turn.tools.clear();
    assert!(given.items(0).is_empty());
}

#[test]
fn opening_and_closing_are_a_post_and_a_patch() {
    let given = live(TurnStatus::Completed);
    let items = given.items(0);
    let refs: Vec<_> = items.iter().collect();
    let backend = given.backend();
    let destination = &backend.destinations()[0];
    let request = backend.request(destination, &Facts::default(), &refs);
    let kind = request
        .headers
        .iter()
        .find(|(name, _)| *name == "content-type")
        .unwrap();
    let id = items[0].id.split('#').next().unwrap();
    let names: Vec<_> = parts(&kind.1, &request.body)
        .into_iter()
        .map(|part| part.name)
        .collect();
    assert!(names.contains(&format!("post.{id}")) && names.contains(&format!("patch.{id}")));
    assert!(names.contains(&format!("patch.{id}.outputs")));

    let mut facts = Facts::default();
    facts
        .values
        .insert("multipart".to_owned(), "false".to_owned());
    let batch = backend.request(destination, &facts, &refs);
    let batch: Value = serde_json::from_slice(&batch.body).unwrap();
    assert_eq!(batch["patch"].as_array().unwrap().len(), 1);
    assert_eq!(batch["patch"][0]["id"], batch["post"][0]["id"]);

    let conflict = codex_tracing_delivery::Response {
        status: 409,
        retry_after: None,
        content_type: None,
        body: Vec::new(),
    };
    for item in &refs[..2] {
        let step = backend.settle(destination, &mut facts, &[item], 0, &conflict);
        assert!(
            matches!(step, Step::Done(Verdict::Acknowledged)),
            "{}: {step:?}",
            item.id
        );
    }
}
