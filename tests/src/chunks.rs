//! A response body fed piece by piece from a task.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use futures_core::Stream;
use tokio::sync::mpsc;

/// A piece of a body, or the error that breaks the connection.
pub(crate) type Chunk = Result<String, std::io::Error>;

/// A body and the end that feeds it; sending fails once the client is gone.
pub(crate) fn body() -> (mpsc::Sender<Chunk>, Body) {
    let (sender, receiver) = mpsc::channel(1);
    (sender, Body::from_stream(Chunks(receiver)))
}

struct Chunks(mpsc::Receiver<Chunk>);

impl Stream for Chunks {
    type Item = Chunk;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Chunk>> {
        self.0.poll_recv(cx)
    }
}
