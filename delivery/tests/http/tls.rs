//! TLS with a certificate authority of one's own, as behind a company's firewall.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::server::{Server, answer};
use crate::{ask, post};

/// Puts TLS in front of `server`; its address, and its certificate as PEM.
async fn secured(server: &Server) -> (SocketAddr, String) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let behind = server.address;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut secure) = acceptor.accept(stream).await else {
                continue;
            };
            let mut plain = TcpStream::connect(behind).await.unwrap();
            let _ = copy_bidirectional(&mut secure, &mut plain).await;
        }
    });
    (address, made.cert.pem())
}

/// Runs in a process of its own, started by the next test with a certificate in its environment.
#[tokio::test]
#[ignore = "needs what the_certificates_of_ssl_cert_file_are_trusted gives it"]
async fn asks_the_server_that_the_file_names() {
    let url = std::fs::read_to_string("url").unwrap();
    let response = ask(post(url)).await.unwrap();
    assert_eq!(response.body, b"in confidence");
}

#[tokio::test]
async fn the_certificates_of_ssl_cert_file_are_trusted() {
    let server = Server::replies([answer(200, "in confidence")]).await;
    let (address, certificate) = secured(&server).await;
    let url = format!("https://{address}/items");
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("url"), &url).unwrap();
    std::fs::write(dir.path().join("own.pem"), certificate).unwrap();
    let child = tokio::task::spawn_blocking(move || {
        Command::new(std::env::current_exe().unwrap())
            .args([
                "--ignored",
                "--exact",
                "tls::asks_the_server_that_the_file_names",
            ])
            .env("SSL_CERT_FILE", dir.path().join("own.pem"))
            .current_dir(dir.path())
            .output()
            .unwrap()
    });
    let output = child.await.unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert!(server.arrived().remove(0).head.starts_with("POST /items "));
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_nothing() {
    let server = Server::replies([answer(200, "in confidence")]).await;
    let (address, _) = secured(&server).await;
    let error = ask(post(format!("https://{address}/items"))).await;
    let words = error.unwrap_err().to_string();
    assert!(words.contains("certificate"), "{words}");
    assert!(server.arrived().is_empty());
}
