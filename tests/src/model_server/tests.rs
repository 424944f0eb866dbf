use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::ModelServer;

/// Posts `body` and gives the status line and everything after the headers.
fn post(server: &ModelServer, path: &str, body: &Value) -> (u16, String) {
    let body = body.to_string();
    let address = server.server.url().replace("http://", "");
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

fn ask(server: &ModelServer, input: &str) -> String {
    let input = json!([{"role": "user", "content": input}]);
    let (status, answer) = post(server, "/v1/responses", &json!({ "input": input }));
    assert_eq!(status, 200);
    answer
}

fn server(script: &Value) -> ModelServer {
    ModelServer::start(script).unwrap()
}

#[test]
fn plain_entries_answer_in_order_and_then_the_default_does() {
    let server = server(&json!([
        [{"type": "message", "text": "one"}],
        {"repeat": 2, "items": [{"type": "message", "text": "round {i}"}]},
    ]));
    for expected in [
        "one",
        "round 0",
        "round 1",
        "done (default)",
        "done (default)",
    ] {
        let answer = ask(&server, "hi");
        assert!(
            answer.contains(&format!("\"text\":\"{expected}\"")),
            "{answer}"
        );
        assert!(answer.contains("event: response.completed"));
    }
    assert_eq!(server.responses_asked(), 5);
    assert_eq!(server.requests()[4].index, 4);
}

#[test]
fn a_conditional_entry_answers_only_what_it_matches_and_as_often_as_told() {
    let server = server(&json!([
        {"match": ["alpha", "beta"], "not": "gamma", "items": [{"type": "message", "text": "both"}]},
        {"match": "say \"it\"", "any": true, "items": [{"type": "message", "text": "quoted"}]},
        [{"type": "message", "text": "plain"}],
    ]));
    for (input, expected) in [
        ("alpha", "plain"),
        ("alpha beta gamma", "done (default)"),
        ("beta alpha", "both"),
        ("beta alpha", "done (default)"),
        ("say \"it\"", "quoted"),
        ("say \"it\"", "quoted"),
    ] {
        assert!(ask(&server, input).contains(expected), "{input}");
    }
}

#[test]
fn variables_take_the_last_match_or_a_numbered_one() {
    let server = server(&json!({
        "vars": {"id": "agent_id[\\\\\": ]+([a-z]+)"},
        "model": [[{"type": "function_call", "name": "wait", "args": {"first": "${id[0]}", "last": "${id}"}}]],
    }));
    let answer = ask(
        &server,
        r#"{"agent_id":"one"} {"agent_id":"two"} {"agent_id":"two"}"#,
    );
    assert!(
        answer.contains(r#"{\"first\":\"one\",\"last\":\"two\"}"#),
        "{answer}"
    );
}

#[test]
fn failures_are_told_as_the_api_tells_them() {
    let server = server(&json!([
        [{"error": 503, "message": "later"}],
        [{"type": "message", "text": "cut"}, {"drop": true}],
        [{"failed": {"code": "rate_limit_exceeded", "message": "slow down"}}],
        [{"usage": {"input_tokens": 7}}, {"sleep": 0.01}, {"type": "message", "text": "ok"}],
    ]));
    let (status, answer) = post(&server, "/v1/responses", &json!({"input": []}));
    assert_eq!(status, 503);
    assert!(answer.contains("later"));
    let cut = ask(&server, "x");
    assert!(cut.contains("cut") && !cut.contains("response.completed"));
    let failed = ask(&server, "x");
    assert!(failed.contains("response.failed") && failed.contains("slow down"));
    assert!(ask(&server, "x").contains(r#""usage":{"input_tokens":7}"#));
}

#[test]
fn an_optional_namespace_is_left_out_where_the_tool_is_offered_flat() {
    let call = json!([{"type": "function_call", "name": "spawn", "args": {}, "namespace": "?ns"}]);
    let server = server(&json!([call, call]));
    let request = |tools: Value| json!({"input": [], "tools": tools});
    let (_, flat) = post(
        &server,
        "/v1/responses",
        &request(json!([{"name": "spawn"}])),
    );
    assert!(!flat.contains("namespace"));
    let (_, nested) = post(&server, "/v1/responses", &request(json!([{"name": "ns"}])));
    assert!(nested.contains(r#""namespace":"ns""#));
}

#[test]
fn compactions_and_unknown_paths_have_their_own_answers() {
    let server = server(&json!([]));
    let (status, answer) = post(&server, "/v1/responses/compact", &json!({}));
    assert_eq!(status, 200);
    assert!(answer.contains(r#""type":"compaction""#));
    assert_eq!(post(&server, "/v1/other", &json!({})).0, 404);
}

#[test]
fn a_script_outside_the_language_is_refused_with_its_place() {
    let error = ModelServer::start(&json!([[], "text"])).unwrap_err();
    assert!(format!("{error:#}").contains("entry 1"), "{error:#}");
}

#[test]
fn an_answer_waits_at_its_gate_until_another_opens_it() {
    let server = server(&json!([
        {"match": "late", "items": [{"gate": "after"}, {"type": "message", "text": "Late."}]},
        {"match": "early", "items": [{"type": "message", "text": "Early."}, {"open": "after"}]},
    ]));
    std::thread::scope(|scope| {
        let late = scope.spawn(|| ask(&server, "late"));
        assert!(server.wait_for_responses(1, crate::PATIENCE));
        assert!(ask(&server, "something else").contains("done (default)"));
        assert!(!late.is_finished());
        assert!(ask(&server, "early").contains("Early."));
        assert!(late.join().unwrap().contains("Late."));
    });
}
