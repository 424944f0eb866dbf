//! When sending ends.

use std::pin::pin;

use tokio::time::{Instant, timeout_at};

use crate::Upload;

/// When sending ends. An [`Instant`] is one at which it ends whatever is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// Nothing is begun then or later, and nothing waited for but a body that is on its way: what a
    /// slow line has carried so far would be lost, and so at every further attempt.
    pub until: Instant,
    /// When that ends too. `None`: not as long as the body moves and the client has patience.
    pub at_last: Option<Instant>,
}

impl From<Instant> for Deadline {
    fn from(instant: Instant) -> Self {
        Self {
            until: instant,
            at_last: Some(instant),
        }
    }
}

impl Deadline {
    /// Waits for `answer`, to a request whose body moves as `upload` tells; `None` if time is up
    /// before.
    pub(super) async fn wait_for<T>(
        self,
        upload: &Upload,
        answer: impl Future<Output = T>,
    ) -> Option<T> {
        let mut answer = pin!(answer);
        let mut until = self.until;
        loop {
            if let Ok(answer) = timeout_at(until, &mut answer).await {
                return Some(answer);
            }
            let good_until = upload.good_until()?;
            let longer = self.at_last.map_or(good_until, |last| good_until.min(last));
            if longer <= until {
                return None;
            }
            until = longer;
        }
    }
}
