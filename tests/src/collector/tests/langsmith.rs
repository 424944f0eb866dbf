use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{CHILD, KEY, ROOT, child_run, post, root_run, send, with};
use crate::collector::{Collector, Content};

/// A multipart body of these parts, each with its right length.
fn framed(parts: &[(&str, &Value)]) -> Vec<u8> {
    let mut body = String::new();
    for (name, value) in parts {
        let value = value.to_string();
        let length = value.len();
        write!(body,
            "--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\nContent-Type: application/json; length={length}\r\n\r\n{value}\r\n"
).unwrap();
    }
    body.push_str("--B--\r\n");
    body.into_bytes()
}

fn multipart(collector: &Collector, extra: &str, body: &[u8]) -> (u16, String) {
    let headers = format!("{KEY}content-type: multipart/form-data; boundary=B\r\n{extra}");
    send(collector, "POST", "/runs/multipart", &headers, body).unwrap()
}

fn whole() -> Vec<u8> {
    framed(&[
        (&format!("post.{ROOT}"), &root_run()),
        (
            &format!("post.{ROOT}.inputs"),
            &json!({"messages": ["héllo ☃"]}),
        ),
        (&format!("post.{CHILD}"), &child_run()),
        (&format!("post.{CHILD}.error"), &json!("exit 1")),
    ])
}

#[test]
fn a_well_framed_request_becomes_a_tree_of_runs() {
    let collector = Collector::start().unwrap();
    assert_eq!(multipart(&collector, "", &whole()).0, 202);
    let runs = collector.runs();
    runs.assert_sound();
    assert_eq!(runs.roots().len(), 1);
    let children = runs.children(ROOT);
    assert_eq!(children[0].error(), Some("exit 1"));
    let prompt = runs
        .get(ROOT)
        .unwrap()
        .pointer("/inputs/messages/0")
        .unwrap();
    assert_eq!(prompt, "héllo ☃");
    let requests = collector.requests();
    assert_eq!(requests[0].key.as_deref(), Some("secret"));
    assert_eq!(requests[0].status, Some(202));
    assert!(matches!(&requests[0].content, Content::Parts(parts) if parts.len() == 4));
}

#[test]
fn compressed_bodies_are_understood() {
    let collector = Collector::start().unwrap();
    let packed = zstd::encode_all(whole().as_slice(), 3).unwrap();
    let (status, answer) = multipart(&collector, "content-encoding: zstd\r\n", &packed);
    assert_eq!(status, 202, "{answer}");
    assert_eq!(collector.runs().all().len(), 2);
    let (status, _) = multipart(&collector, "content-encoding: br\r\n", &packed);
    assert_eq!(status, 400);
}

#[test]
fn framing_that_the_service_refuses_is_refused_with_the_reason() {
    let text = String::from_utf8(whole()).unwrap();
    let check = |from: &str, to: &str, reason: &str| {
        let collector = Collector::start().unwrap();
        let broken = text.replacen(from, to, 1);
        assert_ne!(broken, text, "{from}");
        let (status, answer) = multipart(&collector, "", broken.as_bytes());
        assert_eq!(status, 400, "{from}");
        assert!(answer.contains(reason), "{answer}");
        assert!(collector.runs().all().is_empty());
    };
    check("; length=", "; size=", "states no length");
    check("héllo", "hello", "bytes and has");
    check(
        "Content-Type: application/json; ",
        "X-Other: ",
        "has no Content-Type",
    );
    check(
        "Content-Type",
        "Content-Encoding: gzip\r\nContent-Type",
        "Content-Encoding of its own",
    );
    check("--B--", "--B", "without an empty line");
    check(
        &format!("name=\"post.{ROOT}\""),
        &format!("name=\"post.{CHILD}\""),
        "another run's id",
    );
    check("application/json", "text/plain", "not application/json");
    check(".inputs", ".other", "is not known");
}

#[test]
fn runs_that_the_service_refuses_are_refused_with_the_reason() {
    let check = |run: Value, reason: &str| {
        let collector = Collector::start().unwrap();
        let body = json!({"post": [root_run(), run]});
        let (status, answer) = post(&collector, "/runs/batch", &body);
        assert_eq!(status, 400, "{run}");
        assert!(answer.contains(reason), "{reason}: {answer}");
        assert!(
            collector.runs().all().is_empty(),
            "one bad run refuses the request"
        );
    };
    let changed = |changes: Value| with(child_run(), changes);
    check(
        changed(json!({"dotted_order": null})),
        "without `dotted_order`",
    );
    check(changed(json!({"trace_id": null})), "without `trace_id`");
    check(changed(json!({"name": null})), "without `name`");
    check(changed(json!({"run_type": "agent"})), "run_type `agent`");
    check(changed(json!({"inputs": []})), "`inputs`");
    check(changed(json!({"error": {}})), "`error`");
    check(changed(json!({"trace_id": CHILD})), "trace_id");
    check(
        changed(json!({"parent_run_id": null})),
        "single part for root runs",
    );
    check(changed(json!({"parent_run_id": CHILD})), "parent_run_id");
    check(
        with(root_run(), json!({"parent_run_id": CHILD})),
        "at least two parts for child runs",
    );
    let order = |from: &str, to: &str| {
        let order = child_run()["dotted_order"]
            .as_str()
            .unwrap()
            .replace(from, to);
        changed(json!({ "dotted_order": order }))
    };
    check(
        order("T030405778002Z", "T030405078002Z"),
        "earlier than parent timestamp",
    );
    check(order("778002Z", "778002000Z"), "segment");
}

#[test]
fn a_second_create_is_a_conflict_and_changes_nothing() {
    let collector = Collector::start().unwrap();
    let first = json!({"post": [root_run()]});
    assert_eq!(post(&collector, "/runs/batch", &first).0, 202);
    let again = json!({"post": [with(root_run(), json!({"name": "other"})), child_run()]});
    assert_eq!(post(&collector, "/api/v1/runs/batch", &again).0, 409);
    let runs = collector.runs();
    assert_eq!(runs.get(ROOT).unwrap().name(), "turn");
    assert_eq!(runs.all().len(), 2, "the rest of the request was taken");
    let repeated: Vec<_> = runs
        .repeated()
        .iter()
        .map(|run| run.id().to_owned())
        .collect();
    assert_eq!(repeated, [ROOT]);

    let strict = Collector::start().unwrap();
    strict.refuse_requests_with_duplicates();
    assert_eq!(post(&strict, "/runs", &root_run()).0, 202);
    assert_eq!(post(&strict, "/runs/batch", &again).0, 409);
    assert_eq!(
        strict.runs().all().len(),
        1,
        "the request was refused whole"
    );
}

#[test]
fn an_update_is_merged_into_its_run() {
    let collector = Collector::start().unwrap();
    let open = with(root_run(), json!({"end_time": null}));
    assert_eq!(post(&collector, "/runs", &open).0, 202);
    assert_eq!(collector.runs().problems().len(), 1, "no end yet");
    let update = json!({"trace_id": ROOT, "dotted_order": super::ROOT_ORDER,
        "end_time": 1_767_323_049_000_i64, "outputs": {"a": 1}});
    let path = format!("/runs/{ROOT}");
    let bytes = update.to_string().into_bytes();
    assert_eq!(
        send(&collector, "PATCH", &path, KEY, &bytes).unwrap().0,
        202
    );
    let runs = collector.runs();
    runs.assert_sound();
    assert_eq!(
        runs.get(ROOT).unwrap().pointer("/outputs/a"),
        Some(&json!(1))
    );
}

#[test]
fn info_needs_no_key_but_ingest_does() {
    let collector = Collector::start().unwrap();
    let (status, answer) = send(&collector, "GET", "/api/v1/info", "", b"").unwrap();
    assert_eq!(status, 200);
    assert!(answer.contains("zstd_compression_enabled"));
    let body = json!({"post": []}).to_string();
    let (status, _) = send(&collector, "POST", "/runs/batch", "", body.as_bytes()).unwrap();
    assert_eq!(status, 401);
    collector.accept_only_keys(&["other"]);
    assert_eq!(post(&collector, "/runs/batch", &json!({"post": []})).0, 401);
}
