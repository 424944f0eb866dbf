use serde_json::{Value, json};

use super::{KEY, post, send, with};
use crate::collector::Collector;

fn row(id: &str, parent: Option<&str>, start: f64, end: f64) -> Value {
    let mut row = json!({
        "id": id, "span_id": format!("span-{id}"), "root_span_id": "span-root", "project_id": "p",
        "log_id": "g", "span_attributes": {"name": id, "type": "task"},
        "metrics": {"start": start, "end": end},
    });
    if let Some(parent) = parent {
        row["span_parents"] = json!([format!("span-{parent}")]);
    }
    row
}

fn logs3(collector: &Collector, rows: &[Value]) -> (u16, String) {
    post(
        collector,
        "/logs3",
        &json!({"rows": rows, "api_version": 2}),
    )
}

#[test]
fn login_registration_and_insert_work_as_the_sdks_expect() {
    let collector = Collector::start().unwrap();
    let bearer = "authorization: Bearer sk-x\r\n";
    let (status, answer) = send(&collector, "POST", "/api/apikey/login", bearer, b"").unwrap();
    assert_eq!(status, 200);
    assert!(answer.contains(&format!("\"api_url\":\"{}\"", collector.url())));
    assert_eq!(collector.requests()[0].key.as_deref(), Some("sk-x"));
    let (_, old) = post(
        &collector,
        "/api/project/register",
        &json!({"project_name": "codex"}),
    );
    let (_, new) = post(&collector, "/v1/project", &json!({"name": "codex"}));
    let id = new
        .split("\"id\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert!(old.contains(id), "both ways name the same project");
    let path = format!("/v1/project_logs/{id}/insert");
    let (status, answer) = post(
        &collector,
        &path,
        &json!({"events": [row("root", None, 1.0, 2.0)]}),
    );
    assert_eq!(status, 200);
    assert!(answer.contains("\"row_ids\":[\"root\"]"), "{answer}");
    let rows = collector.rows().of_project("codex");
    rows.assert_sound();
    assert_eq!(rows.roots()[0].name(), "root");
}

#[test]
fn rows_that_the_service_refuses_are_refused() {
    let collector = Collector::start().unwrap();
    for changes in [
        json!({"id": null}),
        json!({"log_id": null}),
        json!({"project_id": null}),
        json!({"span_id": null}),
        json!({"metrics": {"start": "soon"}}),
        json!({"span_parents": "root"}),
        json!({"metadata": []}),
        json!({"tags": [1]}),
    ] {
        let (status, _) = logs3(
            &collector,
            &[with(row("a", None, 1.0, 2.0), changes.clone())],
        );
        assert_eq!(status, 400, "{changes}");
    }
    assert!(collector.rows().all().is_empty());
}

#[test]
fn large_bodies_go_through_the_overflow_path() {
    let collector = Collector::start().unwrap();
    collector.set_payload_limit(Some(300));
    let (_, version) = send(&collector, "GET", "/version", "", b"").unwrap();
    assert!(version.contains("\"logs3_payload_max_bytes\":300"));
    let rows = [
        row("root", None, 1.0, 4.0),
        row("child", Some("root"), 2.0, 3.0),
    ];
    assert_eq!(logs3(&collector, &rows).0, 413);
    let told = json!({"content_type": "application/json", "size_bytes": 500, "rows": []});
    let (_, answer) = post(&collector, "/logs3/overflow", &told);
    let url = answer
        .split("\"signedUrl\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let path = url.strip_prefix(&collector.url()).unwrap();
    let body = json!({"rows": rows, "api_version": 2}).to_string();
    assert_eq!(
        send(&collector, "PUT", path, "", body.as_bytes())
            .unwrap()
            .0,
        200
    );
    let key = path.rsplit('/').next().unwrap();
    let reference = json!({"rows": {"type": "logs3_overflow", "key": key}, "api_version": 2});
    assert_eq!(post(&collector, "/logs3", &reference).0, 200);
    collector.rows().assert_sound();
    assert_eq!(collector.rows().children("span-root").len(), 1);
}

#[test]
fn a_key_is_needed() {
    let collector = Collector::start().unwrap();
    let (status, _) = send(&collector, "POST", "/logs3", "", b"{\"rows\":[]}").unwrap();
    assert_eq!(status, 401);
    let blank = KEY.replace("secret", " ");
    let (status, _) = send(&collector, "POST", "/logs3", &blank, b"{\"rows\":[]}").unwrap();
    assert_eq!(status, 401);
}

#[test]
fn merging_writes_fold_into_one_row() {
    let collector = Collector::start().unwrap();
    let first = with(
        row("root", None, 1.0, 4.0),
        json!({"input": {"cwd": "/x"}, "tags": ["a"], "created": "1"}),
    );
    assert_eq!(logs3(&collector, &[first]).0, 200);
    let second = json!({
        "id": "root", "project_id": "p", "log_id": "g", "_is_merge": true, "span_id": "other",
        "created": "2", "input": {"model": "m"}, "metrics": {"end": 9.5}, "tags": ["a", "b"],
        "output": null,
    });
    assert_eq!(logs3(&collector, &[second]).0, 200);
    let rows = collector.rows();
    let row = rows.get("root").unwrap();
    assert_eq!(row.fields["input"], json!({"cwd": "/x", "model": "m"}));
    assert_eq!(row.fields["tags"], json!(["a", "b"]));
    assert_eq!(
        (row.span_id(), &row.fields["created"]),
        ("span-root", &json!("1"))
    );
    assert_eq!(
        (row.metric("start"), row.metric("end")),
        (Some(1.0), Some(9.5))
    );
    assert!(row.fields.contains_key("output") && !row.fields.contains_key("_is_merge"));
    assert_eq!(row.writes, 2);

    let kept = json!({
        "id": "root", "project_id": "p", "log_id": "g", "_is_merge": true,
        "_merge_paths": [["input"]], "input": {"only": 1},
    });
    assert_eq!(logs3(&collector, &[kept]).0, 200);
    assert_eq!(
        collector.rows().get("root").unwrap().fields["input"],
        json!({"only": 1})
    );
    let gone = json!({"id": "root", "project_id": "p", "log_id": "g", "_object_delete": true,
        "span_id": "s", "root_span_id": "s"});
    assert_eq!(logs3(&collector, &[gone]).0, 200);
    assert!(collector.rows().all().is_empty());
}

#[test]
fn unsound_rows_are_named() {
    let collector = Collector::start().unwrap();
    let rows = [
        row("root", None, 1.0, 4.0),
        row("late", Some("root"), 3.0, 5.0),
        row("backwards", Some("root"), 3.0, 2.0),
        row("orphan", Some("nobody"), 1.0, 2.0),
        with(
            row("twin", Some("root"), 2.0, 3.0),
            json!({"span_id": "span-late"}),
        ),
        row("twice", Some("root"), 2.0, 3.0),
        row("twice", Some("root"), 2.0, 3.0),
    ];
    assert_eq!(logs3(&collector, &rows).0, 200);
    let problems = collector.rows().problems().join("\n");
    for expected in [
        "row late (late): 1970-01-01T00:00:03Z..1970-01-01T00:00:05Z is not inside its parent",
        "row backwards (backwards): ends",
        "row orphan (orphan): its parent span-nobody never came",
        "row twin (twin): its span is also row late",
        "row twice: twice in one request",
    ] {
        assert!(problems.contains(expected), "{expected}\n{problems}");
    }
}

#[test]
fn an_agents_span_may_go_on_after_the_turn_that_spawned_it() {
    let collector = Collector::start().unwrap();
    let late = json!({"span_attributes": {"name": "subagent: late", "type": "task"}});
    let late = with(row("late", Some("root"), 3.0, 5.0), late);
    logs3(&collector, &[row("root", None, 1.0, 4.0), late]);
    collector.rows().assert_sound();
}
