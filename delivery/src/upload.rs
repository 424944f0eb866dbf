//! Whether a request's body is on its way: told by whoever sends it, asked by whoever waits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A body of which nothing has moved for so long stands still. Systems take what a slow line has to
/// carry in strokes, each worth seconds.
pub(crate) const LONGEST_STANDSTILL: Duration = Duration::from_secs(15);

/// The movement of one request's body. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Upload {
    good_until: Arc<Mutex<Option<Instant>>>,
}

impl Upload {
    /// The wire has taken `bytes` more, at `now`. At the slowest rate that counts as working, in
    /// bytes a second, they buy that much time.
    pub(crate) fn moved(&self, now: Instant, bytes: usize, slowest: u32) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let millis = bytes.saturating_mul(1000) / u64::from(slowest.max(1));
        let bought = Duration::from_millis(millis).min(LONGEST_STANDSTILL);
        let mut good_until = self.lock();
        let from = good_until.map_or(now, |until| until.max(now));
        *good_until = Some((from + bought).min(now + LONGEST_STANDSTILL));
    }

    /// Until when the body, or the answer to it, is on its way as far as can be told. `None` if
    /// nothing of it has moved.
    pub(crate) fn good_until(&self) -> Option<Instant> {
        *self.lock()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        // An instant is whole even if another holder panicked.
        self.good_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 32 * 1024;
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn bytes_buy_the_time_that_they_need_on_the_slowest_line_and_no_standstill() {
        let (upload, now) = (Upload::default(), Instant::now());
        assert_eq!(upload.good_until(), None);
        upload.moved(now, 64 * 1024, RATE);
        assert_eq!(upload.good_until(), Some(now + SECOND * 2));
        upload.moved(now + SECOND, 64 * 1024, RATE);
        assert_eq!(upload.good_until(), Some(now + SECOND * 4));
        // What is late begins anew.
        upload.moved(now + SECOND * 10, 32 * 1024, RATE);
        assert_eq!(upload.good_until(), Some(now + SECOND * 11));
        upload.moved(now + SECOND * 10, usize::MAX, 0);
        let longest = now + SECOND * 10 + LONGEST_STANDSTILL;
        assert_eq!(upload.good_until(), Some(longest));
    }
}
