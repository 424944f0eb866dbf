//! A request's body that tells of its way out.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use crate::Upload;

/// Small enough that a slow line takes several within the time a standstill is waited for.
const PIECE: usize = 64 * 1024;

/// Handed to the wire piece by piece, as it has room.
pub(super) struct Pieces {
    pub(super) rest: Bytes,
    pub(super) upload: Upload,
    /// Bytes a second of the slowest line that counts as working.
    pub(super) slowest: u32,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let pieces = self.get_mut();
        if pieces.rest.is_empty() {
            return Poll::Ready(None);
        }
        let piece = pieces.rest.split_to(pieces.rest.len().min(PIECE));
        let Pieces {
            upload, slowest, ..
        } = pieces;
        upload.moved(Instant::now(), piece.len(), *slowest);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
