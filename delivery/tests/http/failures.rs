use std::time::Instant;

use super::server::{Reply, Server};
use super::*;

async fn fail(reply: Reply) -> HttpError {
    let server = Server::replies([reply]).await;
    let error = ask(post(server.url("x?token-1"))).await.unwrap_err();
    let host = server.address.to_string();
    assert!(error.to_string().contains(&host), "{error}");
    assert!(error.is_transient(), "{error}");
    error
}

#[tokio::test]
async fn a_connection_dropped_after_reading_is_an_interruption() {
    for reply in [Reply::Drop, Reply::HalfBody, Reply::Garbage] {
        let error = fail(reply).await;
        assert!(matches!(error, HttpError::Interrupted { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_that_drips_or_never_comes_is_bounded_in_time() {
    for reply in [Reply::Drip, Reply::Stall, Reply::Silence] {
        let server = Server::replies([reply]).await;
        let began_at = Instant::now();
        let error = hasty().exchange(post(server.url(""))).await.unwrap_err();
        assert!(matches!(error, HttpError::Timeout { .. }), "{error:?}");
        assert!(error.is_transient());
        assert!(began_at.elapsed() < Duration::from_secs(20));
    }
}

/// More than the buffers between two sockets hold.
pub(crate) const LARGE: usize = 16 * 1024 * 1024;

/// Takes its time before it reads a large body, and before each piece, and answers.
pub(crate) async fn slow_reader(pause: Duration) -> std::net::SocketAddr {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut piece = vec![0; 512 * 1024];
        let mut read = 0;
        while read < LARGE {
            tokio::time::sleep(pause).await;
            read += match stream.read(&mut piece).await {
                Ok(0) | Err(_) => return,
                Ok(bytes) => bytes,
            };
        }
        let answer = b"HTTP/1.1 200 So\r\nContent-Length: 2\r\n\r\nok";
        stream.write_all(answer).await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap_or_default();
    });
    address
}

#[tokio::test]
async fn a_slow_line_is_no_silence_while_it_carries_a_large_body() {
    let impatient = HttpOptions {
        read_timeout: Duration::from_millis(1),
        total_timeout: Duration::from_millis(1),
        ..HttpOptions::new("codex-tracing/test")
    };
    let patient = HttpOptions {
        slowest_upload: 256 * 1024,
        ..impatient.clone()
    };
    let impatient = HttpOptions {
        slowest_upload: u32::MAX,
        ..impatient
    };
    for (options, arrives) in [(impatient, false), (patient, true)] {
        let request = Request {
            body: vec![b'x'; LARGE],
            ..post(format!("http://{}/", slow_reader(Duration::ZERO).await))
        };
        let answer = HttpClient::new(&options).unwrap().exchange(request).await;
        assert_eq!(answer.is_ok(), arrives, "{answer:?}");
    }
}

#[tokio::test]
async fn nobody_listening_is_told_with_the_host() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://user-1:pass-1@{address}/items?key=token-1");
    let error = ask(post(url)).await.unwrap_err();
    assert!(matches!(error, HttpError::Connect { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("cannot connect to {address}: ")),
        "{text}"
    );
    assert!(text.to_lowercase().contains("refused"), "{text}");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_told() {
    let error = ask(post("http://traces.invalid/items?token-1"))
        .await
        .unwrap_err();
    // A resolver (or a proxy) may also keep us waiting.
    assert!(error.is_transient(), "{error:?}");
    assert!(error.to_string().contains("traces.invalid"), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_is_told_from_one_that_is_down() {
    // The fake server waits for a request line; a TLS greeting has none.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut greeting = [0; 64];
        stream.read_exact(&mut greeting).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        // Stay until the client has read it.
        stream
            .read_to_end(&mut Vec::new())
            .await
            .unwrap_or_default();
    });
    let error = ask(post(format!("https://{address}/"))).await.unwrap_err();
    assert!(matches!(error, HttpError::NotTls { .. }), "{error:?}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[tokio::test]
async fn an_unusable_url_is_refused_without_quoting_it() {
    for url in [
        "",
        "traces.test/pass-1",
        "ftp://user-1:pass-1@traces.test/",
        "file:///etc/passwd",
        "http://",
        "http://user-1:pass-1@[::1/",
    ] {
        let error = ask(post(url)).await.unwrap_err();
        assert!(
            matches!(error, HttpError::InvalidUrl { .. }),
            "{url}: {error:?}"
        );
        assert!(!error.is_transient());
    }
}

#[tokio::test]
async fn a_key_with_a_line_break_is_refused_without_quoting_it() {
    let server = Server::replies([]).await;
    let mut request = post(server.url(""));
    let split_key = format!("{KEY}\r\nx-evil: 1");
    request.secret_headers = vec![("x-api-key", SecretString::from(split_key))];
    let error = ask(request).await.unwrap_err();
    assert!(error.to_string().contains("x-api-key"), "{error}");
    assert!(!error.is_transient());
    assert!(server.arrived().is_empty());
}

#[tokio::test]
async fn a_client_on_demand_tells_what_is_wrong_at_its_first_request() {
    let client = HttpClient::on_demand(&HttpOptions::new("a\nb"));
    for _ in 0..2 {
        let error = client.exchange(post("http://127.0.0.1:9/")).await;
        let error = error.unwrap_err();
        assert!(matches!(error, HttpError::Setup { .. }), "{error:?}");
        assert!(!error.is_transient(), "nobody waits for another attempt");
    }
}

#[test]
fn a_user_agent_that_is_no_header_is_an_error() {
    let error = HttpClient::new(&HttpOptions::new("a\nb")).unwrap_err();
    assert!(matches!(error, HttpError::Setup { .. }), "{error:?}");
}
