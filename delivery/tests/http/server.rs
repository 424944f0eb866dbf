//! A scripted HTTP server on the loopback, with the ways in which real ones fail.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with one request, after having read it.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Answers with status, header lines and body.
    Answer(u16, String, Vec<u8>),
    /// Closes the connection without a word.
    Drop,
    /// Promises a hundred bytes, sends ten, closes.
    HalfBody,
    /// Sends a byte now and then, without end.
    Drip,
    /// Begins an answer and falls silent.
    Stall,
    /// Answers nothing and keeps the connection.
    Silence,
    /// Says something that is no HTTP.
    Garbage,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    /// Request line and headers.
    pub(crate) head: String,
    /// Body.
    pub(crate) body: Vec<u8>,
}

type Script = dyn FnMut(&Arrived) -> Reply + Send;

/// Runs until dropped with its runtime.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    connections: Arc<Mutex<usize>>,
    script: Arc<Mutex<Box<Script>>>,
}

pub(crate) fn answer(status: u16, body: &str) -> Reply {
    Reply::Answer(status, String::new(), body.as_bytes().to_vec())
}

pub(crate) fn answer_with(status: u16, header: &str) -> Reply {
    Reply::Answer(status, format!("{header}\r\n"), Vec::new())
}

impl Server {
    /// Gives the replies one after the other; a request too many is answered with 599.
    pub(crate) async fn replies<const N: usize>(replies: [Reply; N]) -> Self {
        let mut replies = VecDeque::from(replies);
        Self::scripted(move |_| {
            let too_many = || answer(599, "a request too many");
            replies.pop_front().unwrap_or_else(too_many)
        })
        .await
    }

    pub(crate) async fn scripted(script: impl FnMut(&Arrived) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, script)
    }

    pub(crate) fn on(
        listener: TcpListener,
        script: impl FnMut(&Arrived) -> Reply + Send + 'static,
    ) -> Self {
        let server = Self {
            address: listener.local_addr().unwrap(),
            arrived: Arc::default(),
            connections: Arc::default(),
            script: Arc::new(Mutex::new(Box::new(script))),
        };
        let running = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *running.connections.lock().unwrap() += 1;
                tokio::spawn(running.clone().serve(stream));
            }
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut buffer = Vec::new();
        while let Some(arrived) = read_request(&mut stream, &mut buffer).await {
            self.arrived.lock().unwrap().push(arrived.clone());
            let reply = (self.script.lock().unwrap())(&arrived);
            if !play(&mut stream, reply).await {
                return;
            }
        }
    }
}

/// Plays a reply; whether the connection goes on.
async fn play(stream: &mut TcpStream, reply: Reply) -> bool {
    match reply {
        Reply::Answer(status, headers, body) => {
            let length = body.len();
            let head = format!("HTTP/1.1 {status} So\r\n{headers}Content-Length: {length}\r\n\r\n");
            // In one piece, or the second would wait for the first to be confirmed.
            let whole = [head.into_bytes(), body].concat();
            stream.write_all(&whole).await.is_ok()
        }
        Reply::Drop => false,
        Reply::HalfBody => {
            let text = "HTTP/1.1 200 So\r\nContent-Length: 100\r\n\r\n0123456789";
            stream.write_all(text.as_bytes()).await.unwrap_or_default();
            false
        }
        Reply::Drip => {
            let head = "HTTP/1.1 200 So\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(head.as_bytes()).await.unwrap_or_default();
            while stream.write_all(b"1\r\nx\r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            false
        }
        Reply::Stall => {
            let text = "HTTP/1.1 200 So\r\nContent-Length: 100\r\n\r\n0123456789";
            stream.write_all(text.as_bytes()).await.unwrap_or_default();
            stream.read_u8().await.unwrap_or_default();
            false
        }
        Reply::Silence => {
            // Until the other side goes away.
            stream.read_u8().await.unwrap_or_default();
            false
        }
        Reply::Garbage => {
            stream
                .write_all(b"220 mail ready\r\n")
                .await
                .unwrap_or_default();
            false
        }
    }
}

/// One request, or `None` when the connection ends. What follows it stays in `buffer`.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Arrived> {
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        fill(stream, buffer).await?;
    };
    let head = String::from_utf8(buffer.drain(..head_end + 4).collect()).unwrap();
    let length = head.lines().find_map(|line| {
        let line = line.to_ascii_lowercase();
        line.strip_prefix("content-length: ")?.parse().ok()
    });
    let length: usize = length.unwrap_or(0);
    while buffer.len() < length {
        fill(stream, buffer).await?;
    }
    let body = buffer.drain(..length).collect();
    Some(Arrived { head, body })
}

async fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    let read = stream.read_buf(buffer).await.ok()?;
    (read > 0).then_some(())
}
