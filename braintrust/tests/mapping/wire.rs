//! Requests and what becomes of their responses, as a delivery engine sees them.

use codex_tracing_config::BraintrustSettings;
use codex_tracing_delivery::{Backend, Facts, Item, Method, Request, Response, Step, Verdict};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::support::backend;

const SELF_HOSTED: &str = "https://bt.example.com";

fn settings(api_url: Option<&str>) -> BraintrustSettings {
    let mut settings = BraintrustSettings::default();
    settings.api_key = Some(SecretString::from(" sk-1\n"));
    settings.api_url = api_url.map(str::to_owned);
    settings
}

fn answer(status: u16, body: &Value) -> Response {
    Response {
        status,
        retry_after: None,
        content_type: None,
        body: body.to_string().into_bytes(),
    }
}

fn json_of(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap_or(Value::Null)
}

fn row(id: &str, more: &Value) -> Item {
    let mut body = json!({ "id": id, "_is_merge": true });
    for (key, value) in more.as_object().expect("object") {
        body[key] = value.clone();
    }
    Item {
        id: id.to_owned(),
        body: body.to_string().into_bytes(),
        known: false,
    }
}

/// Shakes hands with scripted answers; gives the URLs asked.
fn shake(settings: &BraintrustSettings, facts: &mut Facts, answers: &[Response]) -> Vec<String> {
    let backend = backend(settings);
    let destination = &backend.destinations()[0];
    let mut urls = Vec::new();
    let mut answers = answers.iter();
    while let Some(request) = backend.handshake(destination, facts, Timestamp::UNIX_EPOCH) {
        urls.push(format!("{} {}", request.url, json_of(&request)));
        let Some(answer) = answers.next() else { break };
        let verdict = backend.learn(destination, facts, answer, Timestamp::UNIX_EPOCH);
        if verdict != Verdict::Acknowledged {
            urls.push(format!("{verdict:?}"));
            break;
        }
    }
    urls
}

fn login() -> Response {
    answer(
        200,
        &json!({ "org_info": [
            { "id": "o1", "name": "first", "api_url": "https://api.braintrust.dev" },
            { "id": "o2", "name": "europe", "api_url": "https://api-eu.braintrust.dev/" },
        ]}),
    )
}

fn project() -> Response {
    answer(200, &json!({ "id": "p1", "name": "codex" }))
}

#[test]
fn a_known_api_url_needs_no_login() {
    let mut facts = Facts::default();
    let urls = shake(&settings(Some(SELF_HOSTED)), &mut facts, &[project()]);
    assert_eq!(
        urls,
        ["https://bt.example.com/v1/project {\"name\":\"codex\"}"]
    );
    let again = shake(&settings(Some(SELF_HOSTED)), &mut facts, &[]);
    assert!(again.is_empty(), "what was learned is kept: {again:?}");
}

#[test]
fn whether_a_key_is_taken_is_asked_without_creating_a_project() {
    let asked = |settings: &BraintrustSettings| {
        let backend = backend(settings);
        let request = backend.probe(&backend.destinations()[0]).unwrap();
        (request.method, request.url)
    };
    let (method, url) = asked(&settings(Some(SELF_HOSTED)));
    assert_eq!(method, Method::Get);
    assert_eq!(url, "https://bt.example.com/v1/project?limit=1");
    let (_, url) = asked(&settings(None));
    assert_eq!(url, "https://www.braintrust.dev/api/apikey/login");
}

#[test]
fn a_login_finds_the_organisation_and_its_data_plane() {
    let mut facts = Facts::default();
    let urls = shake(&settings(None), &mut facts, &[login(), project()]);
    let first = [
        "https://www.braintrust.dev/api/apikey/login null",
        "https://api.braintrust.dev/v1/project {\"name\":\"codex\",\"org_name\":\"first\"}",
    ];
    assert_eq!(urls, first);
    let mut europe = settings(None);
    europe.org_name = Some("europe".to_owned());
    let mut facts = Facts::default();
    let urls = shake(&europe, &mut facts, &[login(), project()]);
    assert!(urls[1].starts_with("https://api-eu.braintrust.dev/v1/project"));
    let mut nowhere = settings(None);
    nowhere.org_name = Some("nowhere".to_owned());
    let urls = shake(&nowhere, &mut Facts::default(), &[login()]);
    assert!(
        urls[1].contains("Stop") && urls[1].contains("europe"),
        "{urls:?}"
    );
}

#[test]
fn a_wrong_key_stops_and_a_dead_server_is_asked_again() {
    let check = |status: u16, word: &str| {
        let mut facts = Facts::default();
        let urls = shake(&settings(None), &mut facts, &[answer(status, &json!({}))]);
        assert!(urls[1].contains(word), "{status}: {urls:?}");
        let mut facts = Facts::default();
        let api = settings(Some(SELF_HOSTED));
        let urls = shake(&api, &mut facts, &[answer(status, &json!({}))]);
        assert!(urls[1].contains(word), "{status}: {urls:?}");
    };
    check(401, "Stop");
    check(403, "Stop");
    check(400, "Stop");
    check(429, "Retry");
    check(503, "Retry");
}

#[test]
fn a_server_cannot_lead_from_tls_to_plain_text() {
    let answers = [answer(
        200,
        &json!({ "org_info": [{ "name": "o", "api_url": "http://evil.example" }] }),
    )];
    let urls = shake(&settings(None), &mut Facts::default(), &answers);
    assert!(urls[1].contains("Stop"), "{urls:?}");
}

/// Facts after a handshake.
fn known(settings: &BraintrustSettings) -> Facts {
    let mut facts = Facts::default();
    shake(settings, &mut facts, &[project()]);
    facts
}

#[test]
fn rows_go_out_with_their_project_and_their_own_key() {
    let mut settings = settings(Some(SELF_HOSTED));
    settings.org_name = Some("acme".to_owned());
    let facts = known(&settings);
    let backend = backend(&settings);
    let destination = &backend.destinations()[0];
    let items = [row("a", &json!({ "x": 1 })), row("b", &json!({}))];
    let request = backend.request(destination, &facts, &items.iter().collect::<Vec<_>>());
    assert_eq!(request.method, Method::Post);
    assert_eq!(request.url, "https://bt.example.com/logs3");
    let org = ("x-bt-org-name", "acme".to_owned());
    assert!(request.headers.contains(&org));
    let [(name, key)] = request.secret_headers.as_slice() else {
        panic!("one key")
    };
    assert_eq!(
        (*name, key.expose_secret()),
        ("authorization", "Bearer sk-1")
    );
    assert_eq!(
        json_of(&request),
        json!({ "rows": [
            { "project_id": "p1", "log_id": "g", "id": "a", "_is_merge": true, "x": 1 },
            { "project_id": "p1", "log_id": "g", "id": "b", "_is_merge": true },
        ], "api_version": 2 })
    );
}

#[test]
fn two_sessions_of_one_process_do_not_share_a_key() {
    let key_of = |key: &str, project: &str| {
        let mut settings = settings(Some(SELF_HOSTED));
        settings.api_key = Some(SecretString::from(key));
        settings.project = project.to_owned();
        let backend = backend(&settings);
        let destination = backend.destinations()[0].clone();
        let facts = known(&settings);
        let item = row("a", &json!({}));
        let request = backend.request(&destination, &facts, &[&item]);
        let header = request.secret_headers[0].1.expose_secret().to_owned();
        (destination.id, header)
    };
    let (first, second) = (key_of("one", "p"), key_of("two", "q"));
    assert_eq!(
        (first.1.as_str(), second.1.as_str()),
        ("Bearer one", "Bearer two")
    );
    assert_ne!(
        first.0, second.0,
        "what is learned of one is not used for the other"
    );
}

#[test]
fn a_batch_within_the_limits_needs_no_probe() {
    let settings = settings(Some(SELF_HOSTED));
    let facts = known(&settings);
    let backend = backend(&settings);
    let destination = &backend.destinations()[0];
    let limits = backend.limits(destination, &facts);
    let text = "x".repeat(limits.bytes / limits.items - 40);
    let items: Vec<Item> = (0..limits.items)
        .map(|index| row(&index.to_string(), &json!({ "x": text })))
        .collect();
    let request = backend.request(destination, &facts, &items.iter().collect::<Vec<_>>());
    assert_eq!(request.url, "https://bt.example.com/logs3");
    assert!(
        request.body.len() <= 3 * 1024 * 1024,
        "{}",
        request.body.len()
    );
}

#[test]
fn rows_of_one_id_are_folded_within_a_request() {
    let settings = settings(Some(SELF_HOSTED));
    let facts = known(&settings);
    let backend = backend(&settings);
    let items = [
        row("root", &json!({ "metrics": { "start": 1, "end": 5 } })),
        row("turn", &json!({})),
        row("root", &json!({ "metrics": { "end": 9 }, "output": "x" })),
    ];
    let items: Vec<&Item> = items.iter().collect();
    let request = backend.request(&backend.destinations()[0], &facts, &items);
    let rows = json_of(&request)["rows"].clone();
    assert_eq!(rows.as_array().expect("rows").len(), 2);
    assert_eq!(rows[0]["metrics"], json!({ "start": 1, "end": 9 }));
    assert_eq!(rows[0]["output"], "x");
}

/// Sends one batch with scripted answers; gives what was asked and the verdict.
fn deliver(facts: &mut Facts, items: &[Item], answers: &[Response]) -> (Vec<Request>, Verdict) {
    let settings = settings(Some(SELF_HOSTED));
    let backend = backend(&settings);
    let destination = &backend.destinations()[0];
    let items: Vec<&Item> = items.iter().collect();
    let mut sent = vec![backend.request(destination, facts, &items)];
    for (step, answer) in answers.iter().enumerate() {
        match backend.settle(destination, facts, &items, step, answer) {
            Step::Next(request) => sent.push(request),
            Step::Done(verdict) => return (sent, verdict),
        }
    }
    panic!("the script is too short: {sent:?}")
}

fn paths(sent: &[Request]) -> Vec<&str> {
    sent.iter()
        .map(|request| request.url.trim_start_matches("https://"))
        .collect()
}

fn slot(method: &str) -> Response {
    answer(
        200,
        &json!({
            "method": method,
            "signedUrl": "https://store.blob.core.windows.net/x?sig=1",
            "headers": { "X-Evil": "1" },
            "fields": { "policy": "p" },
            "key": "k1",
        }),
    )
}

#[test]
fn a_body_that_is_too_large_is_uploaded() {
    let mut facts = known(&settings(Some(SELF_HOSTED)));
    let items = [row("a", &json!({ "x": "y".repeat(2000) }))];
    let ok = answer(200, &json!({}));
    let limit = answer(200, &json!({ "logs3_payload_max_bytes": 1000 }));
    let answers = [
        answer(413, &json!({})),
        limit,
        slot("PUT"),
        ok.clone(),
        ok.clone(),
    ];
    let (sent, verdict) = deliver(&mut facts, &items, &answers);
    assert_eq!(verdict, Verdict::Acknowledged);
    assert_eq!(
        paths(&sent),
        [
            "bt.example.com/logs3",
            "bt.example.com/version",
            "bt.example.com/logs3/overflow",
            "store.blob.core.windows.net/x?sig=1",
            "bt.example.com/logs3",
        ]
    );
    assert_eq!(sent[3].body, sent[0].body);
    assert!(
        sent[3].secret_headers.is_empty(),
        "the key is not for the storage"
    );
    let blob = ("x-ms-blob-type", "BlockBlob".to_owned());
    assert!(sent[3].headers.contains(&blob));
    assert!(!sent[3].headers.iter().any(|(name, _)| *name == "x-evil"));
    assert_eq!(
        json_of(&sent[4]),
        json!({ "rows": { "type": "logs3_overflow", "key": "k1" }, "api_version": 2 })
    );
    assert_eq!(json_of(&sent[2])["size_bytes"], sent[0].body.len());
    assert_eq!(facts.values.get("stage"), None, "nothing is left behind");

    let (sent, verdict) = deliver(&mut facts, &items, &[slot("POST"), ok.clone(), ok]);
    assert_eq!(verdict, Verdict::Acknowledged);
    assert_eq!(
        paths(&sent)[0],
        "bt.example.com/logs3/overflow",
        "the limit is known"
    );
    let form = String::from_utf8_lossy(&sent[1].body);
    assert!(form.contains("name=\"policy\"\r\n\r\np\r\n"), "{form}");
    assert!(form.contains("name=\"file\""), "{form}");
}

#[test]
fn without_an_upload_a_body_that_is_too_large_is_split() {
    let mut facts = known(&settings(Some(SELF_HOSTED)));
    let items = [row("a", &json!({}))];
    let answers = [
        answer(413, &json!({})),
        answer(200, &json!({ "logs3_payload_max_bytes": null })),
    ];
    let (sent, verdict) = deliver(&mut facts, &items, &answers);
    assert_eq!((sent.len(), verdict), (2, Verdict::Split));
    let (sent, verdict) = deliver(&mut facts, &items, &answers);
    assert_eq!((sent.len(), verdict), (1, Verdict::Split), "asked once");
}

#[test]
fn a_project_that_vanished_is_asked_for_again_once() {
    let settings = settings(Some(SELF_HOSTED));
    let mut facts = known(&settings);
    let items = [row("a", &json!({}))];
    let gone = [answer(404, &json!({ "error": "no such project" }))];
    let (_, verdict) = deliver(&mut facts, &items, &gone);
    assert_eq!(verdict, Verdict::Retry(None));
    let urls = shake(&settings, &mut facts, &[project()]);
    assert_eq!(urls.len(), 1, "registered again: {urls:?}");
    let (_, verdict) = deliver(&mut facts, &items, &gone);
    assert!(matches!(verdict, Verdict::Stop(_)), "{verdict:?}");
}

#[test]
fn a_refused_key_forgets_the_project_so_that_another_key_learns_its_own() {
    let mut facts = known(&settings(Some(SELF_HOSTED)));
    let items = [row("a", &json!({}))];
    let (_, verdict) = deliver(&mut facts, &items, &[answer(403, &json!({}))]);
    assert!(matches!(verdict, Verdict::Stop(_)));
    assert_eq!(facts, Facts::default());
}

#[test]
fn other_refusals_are_told_apart() {
    let check = |status: u16, expected: fn(&Verdict) -> bool| {
        let mut facts = known(&settings(Some(SELF_HOSTED)));
        let items = [row("a", &json!({}))];
        let (_, verdict) = deliver(&mut facts, &items, &[answer(status, &json!({}))]);
        assert!(expected(&verdict), "{status}: {verdict:?}");
    };
    check(400, |verdict| matches!(verdict, Verdict::Reject(_)));
    check(402, |verdict| matches!(verdict, Verdict::Stop(_)));
    check(429, |verdict| matches!(verdict, Verdict::Retry(_)));
    check(500, |verdict| matches!(verdict, Verdict::Retry(_)));
}
