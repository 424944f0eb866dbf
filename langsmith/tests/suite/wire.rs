//! Requests, byte by byte, and what responses mean.

use codex_tracing_config::LangSmithSettings;
use codex_tracing_delivery::{
    Backend, Facts, Item, Limits, Method, Request, Response, Step, Verdict,
};
use codex_tracing_langsmith::LangSmith;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::multipart::{Part, parts};
use crate::support::{Given, at, backend, turn};

fn settings() -> LangSmithSettings {
    let mut settings = LangSmithSettings::default();
    settings.api_url = String::from("https://ls.example.com:8443/api/v1/");
    settings.api_key = Some(SecretString::from("lsv2_pt_fake"));
    settings.workspace_id = Some("workspace-1".to_owned());
    settings
}

/// What a server told in `/info`.
fn told(info: &Value) -> Facts {
    let mut facts = Facts::default();
    let backend = backend(&settings());
    let response = answer(200, &info.to_string());
    let verdict = backend.learn(&backend.destinations()[0], &mut facts, &response, at(0));
    assert_eq!(verdict, Verdict::Acknowledged);
    facts
}

fn answer(status: u16, body: &str) -> Response {
    Response {
        status,
        retry_after: None,
        content_type: None,
        body: body.as_bytes().to_vec(),
    }
}

fn items() -> Vec<Item> {
    Given::new(turn()).items(0)
}

fn request(facts: &Facts, items: &[Item]) -> Request {
    let backend = backend(&settings());
    backend.request(
        &backend.destinations()[0],
        facts,
        &items.iter().collect::<Vec<_>>(),
    )
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let mut found = request.headers.iter().filter(|(header, _)| *header == name);
    let value = found.next().map(|(_, value)| value.as_str());
    assert!(found.next().is_none(), "{name} stands twice");
    value
}

fn post_names(parts: &[Part]) -> Vec<&str> {
    parts.iter().map(|part| part.name.as_str()).collect()
}

#[test]
fn every_request_carries_key_workspace_and_version() {
    let backend = backend(&settings());
    let destination = &backend.destinations()[0];
    let info = backend
        .handshake(destination, &Facts::default(), at(0))
        .unwrap();
    assert_eq!(
        (info.method, info.url.as_str()),
        (Method::Get, "https://ls.example.com:8443/api/v1/info")
    );
    let runs = request(&Facts::default(), &items());
    assert_eq!(
        (runs.method, runs.url.as_str()),
        (
            Method::Post,
            "https://ls.example.com:8443/api/v1/runs/multipart"
        )
    );
    for request in [info, runs] {
        assert_eq!(header(&request, "user-agent"), Some("codex-tracing/1.2.3"));
        assert_eq!(header(&request, "x-tenant-id"), Some("workspace-1"));
        let [(name, key)] = &request.secret_headers[..] else {
            panic!("one secret header");
        };
        assert_eq!((*name, key.expose_secret()), ("x-api-key", "lsv2_pt_fake"));
        assert!(!format!("{request:?}").contains("lsv2"));
    }
}

#[test]
fn regional_and_self_hosted_addresses_keep_their_prefix() {
    let check = |address: &str, expected: &str| {
        let mut given = settings();
        address.clone_into(&mut given.api_url);
        let backend = backend(&given);
        let destination = &backend.destinations()[0];
        let items = items();
        let items: Vec<_> = items.iter().collect();
        let runs = backend.request(destination, &Facts::default(), &items);
        assert_eq!(runs.url, format!("{expected}/runs/multipart"), "{address}");
    };
    let eu = "https://eu.api.smith.langchain.com";
    check(eu, eu);
    check(&format!("{eu}/"), eu);
    check(
        "https://aws.api.smith.langchain.com",
        "https://aws.api.smith.langchain.com",
    );
    check("https://host/api", "https://host/api");
    check(
        "http://10.0.0.1:1984/tools/ls/api/v1/",
        "http://10.0.0.1:1984/tools/ls/api/v1",
    );
}

#[test]
fn a_multipart_body_holds_each_run_in_the_documented_parts() {
    let items = items();
    let request = request(&Facts::default(), &items);
    assert_eq!(header(&request, "content-encoding"), None);
    let parts = parts(header(&request, "content-type").unwrap(), &request.body);
    let mut expected = Vec::new();
    for item in &items {
        let id = &item.id;
        expected.extend([
            format!("post.{id}"),
            format!("post.{id}.inputs"),
            format!("post.{id}.outputs"),
        ]);
        expected.push(format!("post.{id}.extra"));
    }
    assert_eq!(post_names(&parts), expected);
    for part in &parts {
        let length = part.body.len();
        assert_eq!(
            part.headers["content-type"],
            format!("application/json; length={length}")
        );
        assert_eq!(part.headers["content-length"], length.to_string());
    }
    let run: Value = serde_json::from_slice(&items[0].body).unwrap();
    let main: Value = serde_json::from_slice(&parts[0].body).unwrap();
    let mut whole = main.as_object().unwrap().clone();
    for (field, part) in [("inputs", 1), ("outputs", 2), ("extra", 3)] {
        assert!(
            !whole.contains_key(field),
            "{field} is in the main part too"
        );
        whole.insert(
            field.to_owned(),
            serde_json::from_slice(&parts[part].body).unwrap(),
        );
    }
    assert_eq!(Value::Object(whole), run);
}

#[test]
fn an_error_is_a_part_of_its_own_and_a_json_string() {
    let mut turn = turn();
    turn.error = Some(codex_tracing_transcript::TurnError {
        message: "stream \"closed\"".to_owned(),
        code: Some("internal_server_error".to_owned()),
    });
    turn.status = codex_tracing_transcript::TurnStatus::Failed;
    let items = Given::new(turn).items(0);
    let request = request(&Facts::default(), &items);
    let parts = parts(header(&request, "content-type").unwrap(), &request.body);
    let name = format!("post.{}.error", items[0].id);
    let part = parts.iter().find(|part| part.name == name).unwrap();
    assert_eq!(
        part.body,
        r#""stream \"closed\" — internal_server_error""#.as_bytes()
    );
}

#[test]
fn the_same_items_give_the_same_request() {
    let facts = told(&json!({"instance_flags": {"zstd_compression_enabled": true}}));
    for facts in [Facts::default(), facts] {
        let (first, second) = (request(&facts, &items()), request(&facts, &items()));
        assert_eq!(first.body, second.body);
        assert_eq!(first.headers, second.headers);
    }
}

#[test]
fn zstd_is_used_where_the_server_offers_it() {
    let facts = told(&json!({"instance_flags": {"zstd_compression_enabled": true}}));
    let (plain, packed) = (
        request(&Facts::default(), &items()),
        request(&facts, &items()),
    );
    assert_eq!(header(&packed, "content-encoding"), Some("zstd"));
    assert_eq!(
        zstd::stream::decode_all(&packed.body[..]).unwrap(),
        plain.body
    );
    assert_eq!(
        header(&packed, "x-post-compressed-size"),
        Some(packed.body.len().to_string().as_str())
    );
    let data: usize = parts(header(&plain, "content-type").unwrap(), &plain.body)
        .iter()
        .map(|part| part.body.len())
        .sum();
    assert_eq!(
        header(&packed, "x-pre-compressed-size"),
        Some(data.to_string().as_str())
    );
}

/// RFC 9659: who decodes HTTP need not hold more than 8 MiB of what went before.
#[test]
fn a_long_request_is_packed_with_no_larger_window_than_http_allows() {
    let facts = told(&json!({"instance_flags": {"zstd_compression_enabled": true}}));
    let id = "00000000-0000-7000-8000-000000000001".to_owned();
    let long = "0123456789abcdef".repeat(640 * 1024);
    let body = json!({"id": id, "inputs": {"prompt": long}});
    let item = Item {
        id,
        body: body.to_string().into_bytes(),
        known: false,
    };
    let packed = request(&facts, std::slice::from_ref(&item));
    let mut decoder = zstd::stream::Decoder::new(&packed.body[..]).unwrap();
    decoder.window_log_max(23).unwrap();
    let length = std::io::copy(&mut decoder, &mut std::io::sink()).unwrap();
    assert!(length > 10 * 1024 * 1024);
}

#[test]
fn a_server_without_multipart_gets_json_batches() {
    let facts = told(&json!({
        "batch_ingest_config": {"use_multipart_endpoint": false},
        "instance_flags": {"zstd_compression_enabled": true},
    }));
    let request = request(&facts, &items());
    assert!(request.url.ends_with("/api/v1/runs/batch"));
    assert_eq!(header(&request, "content-type"), Some("application/json"));
    assert_eq!(header(&request, "content-encoding"), None);
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        body,
        json!({"post": Given::new(turn()).runs(), "patch": []})
    );
}

#[test]
fn info_is_asked_once_a_day_and_soon_again_after_a_failure() {
    let backend = backend(&settings());
    let destination = &backend.destinations()[0];
    let asks = |facts: &Facts, after: SignedDuration| {
        backend
            .handshake(destination, facts, at(0) + after)
            .is_some()
    };
    let good = told(&json!({}));
    assert!(!asks(&good, SignedDuration::from_hours(23)));
    assert!(asks(&good, SignedDuration::from_hours(24)));
    assert!(
        asks(&good, SignedDuration::from_hours(-1)),
        "the clock was set back"
    );
    let mut bad = Facts::default();
    for response in [answer(401, ""), answer(500, "{}"), answer(200, "<html>")] {
        let verdict = backend.learn(destination, &mut bad, &response, at(0));
        assert_eq!(verdict, Verdict::Acknowledged, "a failure is harmless");
        assert!(!asks(&bad, SignedDuration::from_mins(14)));
        assert!(asks(&bad, SignedDuration::from_mins(15)));
        let request = request(&bad, &items());
        assert!(
            request.url.ends_with("/multipart") && header(&request, "content-encoding").is_none()
        );
    }
}

#[test]
fn limits_come_from_the_server_and_leave_room_for_the_frame() {
    let check = |info: &Value, expected: (usize, usize)| {
        let backend = backend(&settings());
        let limits = backend.limits(&backend.destinations()[0], &told(info));
        let (items, bytes) = expected;
        assert_eq!(limits, Limits { items, bytes }, "{info}");
    };
    let frame = |runs: usize| runs * 1536;
    check(&json!({}), (100, 20_971_520 - frame(100)));
    let limits = |runs: i64, bytes: i64| json!({"batch_ingest_config": {"size_limit": runs, "size_limit_bytes": bytes}});
    check(&limits(10, 1_000_000), (10, 1_000_000 - frame(10)));
    check(&limits(100, 100_000_000), (100, 20_971_520 - frame(100)));
    check(&limits(0, -5), (100, 20_971_520 - frame(100)));
    check(&limits(1000, 10_000), (1000, 5_000));
}

fn settle(facts: &mut Facts, items: &[Item], step: usize, response: &Response) -> Step {
    let backend: LangSmith = backend(&settings());
    let items: Vec<_> = items.iter().collect();
    backend.settle(&backend.destinations()[0], facts, &items, step, response)
}

#[test]
fn responses_mean_what_the_status_table_says() {
    let check = |status: u16, expected: Verdict| {
        let step = settle(&mut Facts::default(), &items(), 0, &answer(status, "no"));
        let Step::Done(verdict) = step else {
            panic!("{status}: a further request");
        };
        assert_eq!(verdict, expected, "{status}");
    };
    check(200, Verdict::Acknowledged);
    check(202, Verdict::Acknowledged);
    for status in [408, 425, 429, 500, 502, 503, 504] {
        check(status, Verdict::Retry(None));
    }
    check(413, Verdict::Split);
    let known = "HTTP 409: some of these runs were received before";
    check(409, Verdict::Reject(known.to_owned()));
    for status in [401, 403] {
        check(status, Verdict::Stop(format!("HTTP {status}: no")));
    }
    for status in [400, 422] {
        check(status, Verdict::Reject(format!("HTTP {status}: no")));
    }
}

#[test]
fn a_key_of_an_organisation_without_workspace_is_told_what_to_do() {
    let body = r#"{"error":"org_scoped_key_requires_workspace"}"#;
    let step = settle(&mut Facts::default(), &items(), 0, &answer(403, body));
    assert!(
        matches!(step, Step::Done(Verdict::Stop(text)) if text.contains("LANGSMITH_WORKSPACE_ID"))
    );
}

#[test]
fn a_server_that_knows_no_multipart_gets_the_same_runs_as_a_batch_and_is_remembered() {
    let mut facts = told(&json!({}));
    let Step::Next(next) = settle(&mut facts, &items(), 0, &answer(404, "")) else {
        panic!("the batch is settled");
    };
    assert!(next.url.ends_with("/runs/batch"));
    assert!(request(&facts, &items()).url.ends_with("/runs/batch"));
    let step = settle(&mut facts, &items(), 1, &answer(404, "gone"));
    assert!(
        matches!(&step, Step::Done(Verdict::Stop(text)) if text.contains("api_url")),
        "no endless loop: {step:?}"
    );
}

#[test]
fn a_run_that_is_known_is_updated_once_and_then_settled() {
    let items = items();
    let mut facts = Facts::default();
    let Step::Next(next) = settle(&mut facts, &items[..1], 0, &answer(409, "")) else {
        panic!("settled without the update");
    };
    let parts = parts(header(&next, "content-type").unwrap(), &next.body);
    assert!(
        parts
            .iter()
            .all(|part| part.name.starts_with(&format!("patch.{}", items[0].id)))
    );
    for response in [answer(202, ""), answer(409, "")] {
        let step = settle(&mut facts, &items[..1], 1, &response);
        assert!(
            matches!(step, Step::Done(Verdict::Acknowledged)),
            "{step:?}"
        );
    }
}

#[test]
fn facts_hold_no_secret() {
    let facts = told(&json!({"version": "0.10"}));
    assert!(!serde_json::to_string(&facts).unwrap().contains("lsv2"));
    assert!(
        facts
            .learned_at
            .is_some_and(|at| at > Timestamp::UNIX_EPOCH)
    );
}
