//! When to try again. The only module that names the `backoff` crate.

use std::time::Duration;

use backoff::backoff::Backoff;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};
use fastrand::Rng;

/// How waits between attempts grow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// The first wait. Default 500 ms.
    pub initial: Duration,
    /// The longest wait chosen by ourselves. Default 30 s.
    pub max: Duration,
    /// Growth from wait to wait. Default 2.
    pub multiplier: f64,
    /// Share by which a wait is moved up or down at random, 0 to 1. Default 0.5.
    pub jitter: f64,
    /// The longest wait a server can ask for; more is cut to it. Default 10 minutes.
    pub retry_after_cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(500),
            max: Duration::from_secs(30),
            multiplier: 2.0,
            jitter: 0.5,
            retry_after_cap: Duration::from_mins(10),
        }
    }
}

/// The waits of one series of attempts: a pure function of policy, seed and what servers ask.
pub(crate) struct Schedule {
    policy: RetryPolicy,
    growth: ExponentialBackoff,
    random: Rng,
    attempts: u32,
}

impl Schedule {
    /// A fresh series; the same `seed` gives the same waits.
    pub(crate) fn new(policy: RetryPolicy, seed: u64) -> Self {
        // The jitter of `backoff` cannot be seeded: its own is off and ours is put on top. Its
        // clock plays no part without a longest elapsed time.
        let growth = ExponentialBackoffBuilder::new()
            .with_initial_interval(policy.initial)
            .with_max_interval(policy.max)
            .with_multiplier(policy.multiplier.max(1.0))
            .with_randomization_factor(0.0)
            .with_max_elapsed_time(None)
            .build();
        Self {
            policy,
            growth,
            random: Rng::with_seed(seed),
            attempts: 0,
        }
    }

    /// How long to wait after one more failure. `asked` is what the server asked for, and is
    /// obeyed up to the cap; only the second time in a row is it taken as at least the first
    /// wait, so that a server that asks for no wait at all is not hammered.
    pub(crate) fn next(&mut self, asked: Option<Duration>) -> Duration {
        let own = self.growth.next_backoff().unwrap_or(self.policy.max);
        let first = self.attempts == 0;
        self.attempts = self.attempts.saturating_add(1);
        match asked {
            Some(asked) if first => self.later(asked),
            Some(asked) => self.later(asked.max(self.policy.initial)),
            None => self.around(own),
        }
    }

    /// After a success the next failure is a first one again.
    pub(crate) fn reset(&mut self) {
        self.growth.reset();
        self.attempts = 0;
    }

    /// `wait` moved up or down.
    fn around(&mut self, wait: Duration) -> Duration {
        let jitter = self.policy.jitter.clamp(0.0, 1.0);
        wait.mul_f64(1.0 - jitter + 2.0 * jitter * self.random.f64())
    }

    /// `wait`, cut to the cap, and up to a tenth of it more: never earlier than asked.
    fn later(&mut self, wait: Duration) -> Duration {
        let wait = wait.min(self.policy.retry_after_cap);
        let jitter = self.policy.jitter.clamp(0.0, 1.0);
        wait + wait.mul_f64(0.1 * jitter * self.random.f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(schedule: &mut Schedule, asked: &[Option<u64>]) -> Vec<u128> {
        let next =
            |asked: &Option<u64>| schedule.next(asked.map(Duration::from_millis)).as_millis();
        asked.iter().map(next).collect()
    }

    fn steady() -> RetryPolicy {
        RetryPolicy {
            jitter: 0.0,
            ..RetryPolicy::default()
        }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut schedule = Schedule::new(steady(), 1);
        assert_eq!(
            millis(&mut schedule, &[None; 9]),
            [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]
        );
        schedule.reset();
        assert_eq!(millis(&mut schedule, &[None; 2]), [500, 1000]);
    }

    #[test]
    fn the_same_seed_gives_the_same_waits() {
        let series = |seed| {
            let mut schedule = Schedule::new(RetryPolicy::default(), seed);
            millis(&mut schedule, &[None; 8])
        };
        assert_eq!(series(7), series(7));
        assert_ne!(series(7), series(8));
    }

    #[test]
    fn jitter_stays_within_its_share() {
        for seed in 0..200 {
            let mut schedule = Schedule::new(RetryPolicy::default(), seed);
            let waits = millis(&mut schedule, &[None; 3]);
            for (wait, middle) in waits.iter().zip([500, 1000, 2000]) {
                assert!((middle / 2..=middle * 3 / 2).contains(wait), "{waits:?}");
            }
        }
    }

    #[test]
    fn a_server_is_obeyed_up_to_the_cap_and_never_early() {
        let mut schedule = Schedule::new(steady(), 1);
        assert_eq!(
            millis(
                &mut schedule,
                &[Some(0), Some(0), Some(2500), Some(86_400_000)]
            ),
            [0, 500, 2500, 600_000]
        );
        for seed in 0..100 {
            let mut schedule = Schedule::new(RetryPolicy::default(), seed);
            let wait = schedule.next(Some(Duration::from_secs(10)));
            assert!((10_000..=10_500).contains(&wait.as_millis()), "{wait:?}");
        }
    }

    #[test]
    fn absurd_policies_do_no_harm() {
        let policy = RetryPolicy {
            initial: Duration::ZERO,
            max: Duration::ZERO,
            multiplier: 0.0,
            jitter: 9.0,
            retry_after_cap: Duration::ZERO,
        };
        let mut schedule = Schedule::new(policy, 1);
        assert_eq!(millis(&mut schedule, &[None, Some(5), None]), [0, 0, 0]);
    }
}
