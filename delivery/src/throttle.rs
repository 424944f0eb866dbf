//! Pacing per destination, shared by all senders of one process.
//!
//! When a destination is down or says "not so fast", nobody in this process asks it again before
//! the wait is over, and afterwards its requests are spaced out by a quarter of that wait; each
//! success halves the space again. A dead destination holds up no other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The widest space.
const WIDEST_SPACE: Duration = Duration::from_secs(1);
/// Below this, requests are no longer spaced.
const NARROWEST_SPACE: Duration = Duration::from_millis(20);

/// When each destination may be asked again. Clones share the state.
#[derive(Debug, Clone, Default)]
pub struct Throttle {
    paces: Arc<Mutex<HashMap<String, Pace>>>,
}

#[derive(Debug, Clone, Copy)]
struct Pace {
    /// The rest asked for ends here; no success of before cuts it short.
    rests_until: Instant,
    /// Behind the requests let through so far.
    next: Instant,
    space: Duration,
}

impl Throttle {
    /// No destination is held up yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reserves the next free instant for a request to `destination_id`, `now` or later; the
    /// request after it comes a space later. `Err` with that instant, and nothing reserved, if it
    /// is not before `deadline`.
    pub(crate) fn reserve(
        &self,
        destination_id: &str,
        now: Instant,
        deadline: Instant,
    ) -> Result<Instant, Instant> {
        let mut paces = self.paces();
        let pace = paces.get_mut(destination_id);
        let slot = pace.as_ref().map_or(now, |pace| pace.next.max(now));
        if slot >= deadline {
            return Err(slot);
        }
        if let Some(pace) = pace {
            pace.next = slot + pace.space;
        }
        Ok(slot)
    }

    /// The destination refused at `now`: nobody asks before `until`, and then with more space.
    pub(crate) fn refused(&self, destination_id: &str, now: Instant, until: Instant) {
        let wait = until.saturating_duration_since(now);
        let mut paces = self.paces();
        let pace = paces.entry(destination_id.to_owned()).or_insert(Pace {
            rests_until: until,
            next: until,
            space: Duration::ZERO,
        });
        pace.rests_until = pace.rests_until.max(until);
        pace.next = pace.next.max(until);
        pace.space = pace.space.max(wait / 4).min(WIDEST_SPACE);
    }

    /// The destination answered well, at `now`: spaces shrink and vanish. A rest it has asked for
    /// meanwhile is kept: the answer is to a request of before.
    pub(crate) fn succeeded(&self, destination_id: &str, now: Instant) {
        let mut paces = self.paces();
        let Some(pace) = paces.get_mut(destination_id) else {
            return;
        };
        pace.space /= 2;
        if pace.space >= NARROWEST_SPACE {
            return;
        }
        if pace.rests_until <= now {
            paces.remove(destination_id);
        } else {
            pace.space = Duration::ZERO;
            pace.next = pace.rests_until;
        }
    }

    fn paces(&self) -> MutexGuard<'_, HashMap<String, Pace>> {
        // Plain values are whole even if another holder panicked.
        self.paces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(throttle: &Throttle, id: &str, now: Instant) -> Duration {
        throttle.reserve(id, now, now + SECOND * 60).unwrap() - now
    }

    #[test]
    fn a_refusal_holds_up_every_sender_of_that_destination_only() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        let other = throttle.clone();
        throttle.refused("a", now, now + SECOND);
        assert_eq!(at(&other, "a", now), SECOND);
        assert_eq!(at(&throttle, "a", now), SECOND + SECOND / 4);
        assert_eq!(at(&throttle, "b", now), Duration::ZERO);
        assert_eq!(at(&throttle, "b", now), Duration::ZERO);
    }

    #[test]
    fn a_shorter_wish_does_not_undo_a_longer_one() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        throttle.refused("a", now, now + SECOND * 9);
        throttle.refused("a", now, now + SECOND);
        assert_eq!(at(&throttle, "a", now), SECOND * 9);
    }

    #[test]
    fn nothing_is_reserved_at_or_after_the_deadline() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        assert_eq!(throttle.reserve("a", now, now), Err(now));
        throttle.refused("a", now, now + SECOND);
        for _ in 0..2 {
            let refused = throttle.reserve("a", now, now + SECOND);
            assert_eq!(refused, Err(now + SECOND));
        }
        assert_eq!(at(&throttle, "a", now), SECOND);
    }

    #[test]
    fn answers_to_what_was_asked_before_do_not_cut_the_rest_short() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        throttle.refused("a", now, now + SECOND * 30);
        for _ in 0..8 {
            throttle.succeeded("a", now);
        }
        assert_eq!(at(&throttle, "a", now), SECOND * 30);
    }

    #[test]
    fn successes_lift_the_pace_again() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        throttle.refused("a", now, now + SECOND * 60);
        let now = now + SECOND * 60;
        assert_eq!(at(&throttle, "a", now), Duration::ZERO);
        assert_eq!(at(&throttle, "a", now), WIDEST_SPACE);
        for _ in 0..8 {
            throttle.succeeded("a", now);
        }
        assert_eq!(at(&throttle, "a", now), Duration::ZERO);
        assert_eq!(at(&throttle, "a", now), Duration::ZERO);
    }
}
