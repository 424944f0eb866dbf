use super::server::{Server, answer, answer_with};
use super::*;

#[tokio::test]
async fn a_redirect_within_the_origin_keeps_method_body_and_key() {
    for status in [307, 308] {
        let replies = [
            answer_with(status, "Location: /v2/items"),
            answer(200, "here"),
        ];
        let server = Server::replies(replies).await;
        let response = ask(post(server.url("items"))).await.unwrap();
        assert_eq!(response.body, b"here");
        let second = server.arrived().remove(1);
        assert!(
            second.head.starts_with("POST /v2/items "),
            "{}",
            second.head
        );
        assert!(second.head.contains(KEY));
        assert_eq!(second.body, br#"{"a":1}"#);
    }
}

#[tokio::test]
async fn a_redirect_that_would_turn_a_post_into_a_get_is_refused() {
    for status in [300, 301, 302, 303, 304, 399] {
        let server = Server::replies([answer_with(status, "Location: /v2/items")]).await;
        let error = ask(post(server.url("items"))).await.unwrap_err();
        let HttpError::Redirected { status: told, .. } = error else {
            panic!("{error:?}")
        };
        assert_eq!(told, status);
        assert_eq!(server.arrived().len(), 1);
    }
}

#[tokio::test]
async fn a_get_follows_any_redirect_within_the_origin() {
    let server = Server::replies([answer_with(302, "Location: there"), answer(200, "ok")]).await;
    let request = Request {
        method: Method::Get,
        body: Vec::new(),
        ..post(server.url("a/here"))
    };
    assert_eq!(ask(request).await.unwrap().body, b"ok");
    assert!(server.arrived()[1].head.starts_with("GET /a/there "));
}

#[tokio::test]
async fn no_key_is_carried_to_another_origin() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Server::replies([answer(200, "thanks for the key")]).await;
        let location = format!("Location: {}", elsewhere.url("x?token-1"));
        let server = Server::scripted(move |_| answer_with(status, &location)).await;
        for method in [Method::Get, Method::Post] {
            let request = Request {
                method,
                ..post(server.url(""))
            };
            let error = ask(request).await.unwrap_err();
            assert!(!error.is_transient());
            if let HttpError::Redirected { target, .. } = error {
                assert_eq!(target, format!("http://{}", elsewhere.address));
            }
        }
        assert_eq!(elsewhere.connections(), 0);
    }
}

#[tokio::test]
async fn a_downgrade_or_a_strange_target_is_refused() {
    for location in [
        "Location: https://127.0.0.1/",
        "Location: ftp://127.0.0.1/",
        "Location: http://",
        "Location: javascript:alert(1)",
        "x-a: b",
    ] {
        let server = Server::replies([answer_with(307, location)]).await;
        let error = ask(post(server.url(""))).await.unwrap_err();
        assert!(matches!(error, HttpError::Redirected { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let server = Server::scripted(|_| answer_with(307, "Location: /again")).await;
    let error = ask(post(server.url("again"))).await.unwrap_err();
    assert!(matches!(error, HttpError::RedirectLoop { .. }), "{error:?}");
    assert!(server.arrived().len() < 6);
}
