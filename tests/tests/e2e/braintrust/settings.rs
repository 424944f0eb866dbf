//! Settings that change where rows go and what hangs above them.

use codex_tracing_tests::{Content, Request, Stage};
use serde_json::json;

use super::{NEWEST, arrived, ended_turns, on, on_each, tree};

/// Runs the scenario with these variables over the usual ones.
fn run(stage: &Stage, env: &[(&str, &str)]) {
    let outputs = stage
        .home
        .run_scenario(&stage.scenario, &stage.model, env)
        .unwrap();
    assert_eq!(outputs[0].code, Some(0), "{}", outputs[0].stderr);
    stage.wait_for("a turn", |collector| ended_turns(collector) == 1);
}

fn requests(stage: &Stage, path: &str) -> Vec<Request> {
    let requests = stage.collector.requests();
    requests
        .into_iter()
        .filter(|request| request.path == path)
        .collect()
}

#[test]
fn a_session_hangs_under_the_span_that_its_caller_names() {
    on_each("exec-tool", |stage| {
        let env = [
            ("CODEX_PARENT_SPAN_ID", "span-of-the-caller"),
            ("CODEX_ROOT_SPAN_ID", "trace-of-the-caller"),
        ];
        run(stage, &env);
        stage.flush().unwrap();
        let rows = stage.collector.rows();
        let all = rows.all();
        assert!(
            all.iter()
                .all(|row| row.root_span_id() == "trace-of-the-caller"),
            "{all:?}"
        );
        let session = rows.named("codex: app");
        assert_eq!(session.len(), 1);
        assert_eq!(session[0].parents(), ["span-of-the-caller"]);
        // Nothing else is wrong with it: the caller's own row is not ours to send.
        let problems = rows.problems();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("span-of-the-caller"), "{problems:?}");
    });
}

#[test]
fn the_users_metadata_is_on_the_root_below_the_standard_keys() {
    on_each("exec-tool", |stage| {
        let own = r#"{"team": "blue", "session_id": "mine"}"#;
        run(stage, &[("BRAINTRUST_ADDITIONAL_METADATA", own)]);
        let rows = arrived(stage, 1);
        let root = rows.roots()[0];
        assert_eq!(root.metadata("team"), Some(&json!("blue")));
        let session = stage.home.first_session().unwrap();
        assert_eq!(root.metadata("session_id"), Some(&json!(session)));
    });
}

#[test]
fn a_data_plane_below_a_path_is_reached_without_a_login() {
    on(NEWEST, "exec-tool", |stage| {
        let url = format!("{}/data-plane/", stage.collector.url());
        run(stage, &[("BRAINTRUST_API_URL", &url)]);
        arrived(stage, 1);
        let outside: Vec<_> = stage
            .collector
            .requests()
            .into_iter()
            .map(|request| request.path)
            .filter(|path| !path.starts_with("/data-plane/"))
            .collect();
        assert!(outside.is_empty(), "{outside:?}");
    });
}

#[test]
fn an_organisation_by_name_is_looked_up_where_only_the_app_is_known() {
    on(NEWEST, "exec-tool", |stage| {
        let env = [
            ("BRAINTRUST_API_URL", ""),
            ("BRAINTRUST_ORG_NAME", "test-org"),
        ];
        run(stage, &env);
        assert_eq!(requests(stage, "/api/apikey/login").len(), 1);
        let project = requests(stage, "/v1/project").remove(0);
        let Content::Json(body) = project.content else {
            panic!("no JSON");
        };
        assert_eq!(body, json!({"name": "codex", "org_name": "test-org"}));
        for request in requests(stage, "/logs3") {
            assert_eq!(request.header("x-bt-org-name"), Some("test-org"));
        }
        // What was learned is kept: the next session asks for nothing but to take its rows.
        let before = stage.collector.requests().len();
        let output = stage.home.exec("Once more.", &env).unwrap();
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        stage.wait_for("another turn", |collector| ended_turns(collector) == 2);
        let later: Vec<_> = stage
            .collector
            .requests()
            .into_iter()
            .skip(before)
            .map(|request| request.path)
            .filter(|path| path != "/logs3")
            .collect();
        assert!(later.is_empty(), "{later:?}");
    });
}

#[test]
fn an_organisation_that_the_key_does_not_know_is_told_by_status() {
    on(NEWEST, "exec-tool", |stage| {
        let env = [
            ("BRAINTRUST_API_URL", ""),
            ("BRAINTRUST_ORG_NAME", "another-org"),
        ];
        stage
            .home
            .run_scenario(&stage.scenario, &stage.model, &env)
            .unwrap();
        let told = || stage.tool(&["status"]).unwrap().stdout;
        let there = stage
            .collector
            .wait_until(codex_tracing_tests::PATIENCE, |_| {
                told().contains("another-org")
            });
        assert!(there, "{}\n{}", told(), stage.logs());
        let rows = stage.collector.rows();
        assert!(rows.all().is_empty(), "{}", tree(&rows));
    });
}
