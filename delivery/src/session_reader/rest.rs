//! A rollout that cannot be read on, and when that is tried again.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

/// The time until what could not be read is tried again: it may be broken for good, and all that
/// comes before the broken place would be read each time.
#[derive(Debug)]
pub(crate) struct Rest {
    since: Instant,
    until: Instant,
    pub(super) pause: Duration,
    words: String,
}

impl Rest {
    const FIRST: Duration = Duration::from_millis(500);
    pub(super) const LONGEST: Duration = Duration::from_mins(1);

    /// After `rollout` could not be read on because of `error`, now and, where there was one, when
    /// the `former` rest was over.
    pub(super) fn after(former: Option<&Self>, rollout: &Path, error: &dyn Display) -> Self {
        let now = Instant::now();
        let pause = former.map_or(Self::FIRST, |it| (it.pause * 2).min(Self::LONGEST));
        Self {
            since: former.map_or(now, |it| it.since),
            until: now + pause,
            pause,
            words: format!("cannot read {} to its end: {error}", rollout.display()),
        }
    }

    pub(super) fn is_on(&self) -> bool {
        Instant::now() < self.until
    }

    /// When it was first noticed.
    pub(crate) fn since(&self) -> Instant {
        self.since
    }

    /// Which file it is, and what is the matter with it.
    pub(crate) fn words(&self) -> &str {
        &self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_pause_grows_to_a_minute_and_the_beginning_stays_known() {
        let begun = Instant::now();
        let mut rest = Rest::after(None, Path::new("/a/rollout"), &"broken");
        let mut pauses = vec![rest.pause];
        for _ in 0..8 {
            tokio::time::advance(rest.pause).await;
            assert!(!rest.is_on());
            rest = Rest::after(Some(&rest), Path::new("/a/rollout"), &"broken");
            assert!(rest.is_on());
            pauses.push(rest.pause);
        }
        let seconds: Vec<f32> = pauses.iter().map(Duration::as_secs_f32).collect();
        assert_eq!(seconds, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]);
        assert_eq!(rest.since(), begun);
        assert_eq!(rest.words(), "cannot read /a/rollout to its end: broken");
    }
}
