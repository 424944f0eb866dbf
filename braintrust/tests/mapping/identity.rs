//! One row for one span, for ever.

use crate::fold::{assert_sound, fold, span};
use crate::support::{Scene, backend, tool_turn, turn};
use codex_tracing_delivery::{Backend, View};

fn ids(scene: &Scene) -> Vec<String> {
    scene.rows().into_iter().map(|row| row.id).collect()
}

#[test]
fn a_resumed_session_writes_no_second_rows() {
    let first = Scene::new(tool_turn("t1"));
    let mut resumed = first.clone();
    resumed.hooks.source = Some("resume".to_owned());
    assert_eq!(ids(&first), ids(&resumed));
    let rows = [first.rows(), resumed.rows()].concat();
    assert_eq!(fold(&rows).len(), first.trace().len());
}

#[test]
fn an_upgrade_or_other_settings_make_no_duplicates() {
    let scene = Scene::new(tool_turn("t1"));
    let mut other = scene.clone();
    other.settings.project = "another".to_owned();
    other
        .settings
        .common
        .metadata
        .insert("team".to_owned(), "a".into());
    assert_eq!(ids(&scene), ids(&other));
}

#[test]
fn the_same_view_gives_the_same_bytes() {
    let scene = Scene::new(tool_turn("t1"));
    assert_eq!(scene.rows(), scene.rows());
}

#[test]
fn id_and_span_id_are_the_same() {
    for row in Scene::new(tool_turn("t1")).trace().values() {
        assert_eq!(row["id"], row["span_id"]);
    }
}

#[test]
fn two_calls_of_one_id_stay_two_spans() {
    let mut scene = Scene::new(tool_turn("t1"));
    let twin = scene.turn.tools[0].clone();
    scene.turn.tools.push(twin);
    let trace = scene.trace();
    assert_eq!(crate::fold::spans(&trace, "exec_command").len(), 2);
}

#[test]
fn a_callers_trace_is_joined() {
    let check = |parent: Option<&str>, root: Option<&str>, expected: Option<(&str, &str)>| {
        let mut scene = Scene::new(tool_turn("t1"));
        scene.settings.parent_span_id = parent.map(str::to_owned);
        scene.settings.root_span_id = root.map(str::to_owned);
        let trace = scene.trace();
        let row = span(&trace, "codex: app");
        match expected {
            Some((parent, root)) => {
                assert_eq!(row["span_parents"], serde_json::json!([parent]));
                for row in trace.values() {
                    assert_eq!(row["root_span_id"], root);
                }
            }
            None => assert!(row.get("span_parents").is_none()),
        }
    };
    check(Some("p"), Some("r"), Some(("p", "r")));
    check(Some(" p "), None, Some(("p", "p")));
    check(None, Some("r"), Some(("r", "r")));
    check(Some(" "), Some(""), None);
}

#[test]
fn rows_wait_for_their_project_until_they_are_sent() {
    let scene = Scene::new(turn("t1"));
    assert_sound(&scene.trace());
    let backend = backend(&scene.settings);
    let view = View {
        root: &scene.root,
        session: &scene.session,
        turn: &scene.turn,
        lineage: &scene.lineage,
        hooks: &scene.hooks,
        git: &scene.git,
        mode: scene.mode,
        session_ended_at: None,
        was_cut_off: false,
    };
    for item in backend.map(&backend.destinations()[0], &view) {
        let text = String::from_utf8(item.body).expect("text");
        assert!(!text.contains("project_id"), "{text}");
        assert!(!text.contains("log_id"), "{text}");
    }
}
