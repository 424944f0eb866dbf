use super::server::{Reply, Server, answer, answer_with};
use super::*;

#[tokio::test]
async fn a_request_arrives_as_it_was_built() {
    let server = Server::replies([answer(201, "done")]).await;
    let response = ask(post(server.url("v1/items?a=b"))).await.unwrap();
    assert_eq!((response.status, response.body), (201, b"done".to_vec()));
    let arrived = server.arrived().remove(0);
    let head = arrived.head.to_ascii_lowercase();
    assert!(
        head.starts_with("post /v1/items?a=b http/1.1\r\n"),
        "{head}"
    );
    assert!(head.contains("\r\nuser-agent: codex-tracing/test\r\n"));
    assert!(head.contains("\r\ncontent-type: application/json\r\n"));
    assert!(head.contains(&format!("\r\nauthorization: bearer {KEY}\r\n")));
    assert!(!head.contains("referer"));
    assert_eq!(arrived.body, br#"{"a":1}"#);
}

#[tokio::test]
async fn every_method_is_sent_as_itself() {
    for (method, name) in [
        (Method::Get, "GET"),
        (Method::Post, "POST"),
        (Method::Put, "PUT"),
        (Method::Patch, "PATCH"),
    ] {
        let server = Server::replies([answer(200, "")]).await;
        let request = Request {
            method,
            ..post(server.url(""))
        };
        ask(request).await.unwrap();
        assert!(server.arrived()[0].head.starts_with(name));
    }
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let server = Server::scripted(|_| answer(200, "ok")).await;
    let client = client();
    for _ in 0..5 {
        client.exchange(post(server.url(""))).await.unwrap();
    }
    assert_eq!(server.arrived().len(), 5);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn any_status_is_an_answer_with_its_wish_to_wait() {
    for (status, header, expected) in [
        (200, "x-a: b", None),
        (400, "x-a: b", None),
        (401, "retry-after: soon", None),
        (429, "Retry-After: 7", Some(7)),
        (
            503,
            "Date: Sun, 06 Nov 1994 08:49:07 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT",
            Some(30),
        ),
    ] {
        let server = Server::replies([answer_with(status, header)]).await;
        let response = ask(post(server.url(""))).await.unwrap();
        assert_eq!(response.status, status);
        let expected = expected.map(Duration::from_secs);
        assert_eq!(response.retry_after, expected, "{header}");
    }
}

#[tokio::test]
async fn a_huge_answer_is_cut_at_a_mebibyte() {
    let huge = Reply::Answer(200, String::new(), vec![b'x'; 8 * 1024 * 1024]);
    let server = Server::replies([huge, answer(200, "next")]).await;
    let client = client();
    let response = client.exchange(post(server.url(""))).await.unwrap();
    assert_eq!(response.body.len(), 1024 * 1024);
    let response = client.exchange(post(server.url(""))).await.unwrap();
    assert_eq!(response.body, b"next");
}

#[tokio::test]
async fn a_key_that_the_server_quotes_is_blanked() {
    let server = Server::scripted(|arrived| answer(401, &arrived.head)).await;
    let response = ask(post(server.url(""))).await.unwrap();
    let body = String::from_utf8(response.body).unwrap();
    check_no_secret(&body);
    assert!(body.contains("authorization: Bearer [redacted]"), "{body}");
}

#[tokio::test]
async fn ipv6_addresses_are_reached() {
    let Ok(listener) = tokio::net::TcpListener::bind("[::1]:0").await else {
        // A machine without IPv6.
        return;
    };
    let server = Server::on(listener, |_| answer(200, "six"));
    let response = ask(post(server.url(""))).await.unwrap();
    assert_eq!(response.body, b"six");
}

/// Runs in a process of its own, started by the next test with a proxy in its environment.
#[tokio::test]
#[ignore = "needs the environment that the_proxy_of_the_environment_is_used gives it"]
async fn asks_a_host_that_does_not_exist() {
    let response = ask(post("http://traces.invalid/items")).await.unwrap();
    assert_eq!(response.body, b"from the proxy");
}

#[tokio::test]
async fn the_proxy_of_the_environment_is_used() {
    let proxy = Server::replies([answer(200, "from the proxy")]).await;
    let url = format!("http://{}", proxy.address);
    let child = tokio::task::spawn_blocking(move || {
        std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--ignored",
                "--exact",
                "answers::asks_a_host_that_does_not_exist",
            ])
            .env("HTTP_PROXY", &url)
            .env("http_proxy", &url)
            .env_remove("NO_PROXY")
            .env_remove("no_proxy")
            .env_remove("REQUEST_METHOD")
            .output()
            .unwrap()
    });
    let output = child.await.unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    let head = proxy.arrived().remove(0).head;
    assert!(
        head.starts_with("POST http://traces.invalid/items "),
        "{head}"
    );
}
