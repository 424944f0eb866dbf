use codex_tracing_tests::Fault;

use super::home::{Home, check};

/// What the endpoint was before it was broken.
fn good(home: &mut Home) {
    let url = home.collector.url();
    home.set("LANGSMITH_ENDPOINT", &url);
}

#[test]
fn a_refused_key_is_found_by_asking_and_not_when_told_not_to_ask() {
    let found = check(
        "key-refused",
        |home| {
            home.collector.accept_only_keys(&["another-key"]);
            let (findings, code) = home.doctor(&["--offline"]);
            assert!(findings.iter().all(|found| found.id != "key-refused") && code == 0);
        },
        |home| home.set("LANGSMITH_API_KEY", "another-key"),
    );
    assert_eq!(found.backend.as_deref(), Some("langsmith"));
}

#[test]
fn an_endpoint_that_nobody_listens_at_is_found() {
    check(
        "endpoint-unreachable",
        |home| home.set("LANGSMITH_ENDPOINT", "http://127.0.0.1:1"),
        good,
    );
}

#[test]
fn an_endpoint_without_a_certificate_is_found() {
    check(
        "endpoint-tls",
        |home| {
            let url = home.collector.url().replace("http:", "https:");
            home.set("LANGSMITH_ENDPOINT", &url);
        },
        good,
    );
}

#[test]
fn a_proxy_that_does_not_let_through_is_found_with_the_variable_that_names_it() {
    let found = check(
        "endpoint-proxy",
        |home| home.set("HTTP_PROXY", "http://user:planted@127.0.0.1:1"),
        |home| home.set("NO_PROXY", "127.0.0.1"),
    );
    assert!(found.cause.contains("HTTP_PROXY"), "{found:?}");
    assert!(!found.cause.contains("planted"), "{found:?}");
}

#[test]
fn a_server_that_is_another_one_is_found() {
    check(
        "endpoint-wrong",
        |home| home.collector.inject("/", Fault::Status(404, None)),
        |home| home.collector.heal(),
    );
}

#[test]
fn a_login_page_in_the_place_of_the_service_is_found() {
    let found = check(
        "endpoint-wrong",
        |home| home.collector.inject("/", Fault::Page),
        |home| home.collector.heal(),
    );
    assert!(found.cause.contains("this is not the API"), "{found:?}");
}

#[test]
fn a_server_in_trouble_is_found() {
    check(
        "endpoint-busy",
        |home| home.collector.inject("/", Fault::Status(503, None)),
        |home| home.collector.heal(),
    );
}

#[test]
fn a_server_that_never_answers_is_found() {
    // As long as doctor is patient: a quarter of a minute.
    check(
        "endpoint-slow",
        |home| home.collector.inject("/", Fault::Hang),
        |home| home.collector.heal(),
    );
}
