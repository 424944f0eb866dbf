//! When to look through all of Codex's folders for rollouts that are not where they should be.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

/// Before the second look; doubled after each.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause: a rollout that has been missing for long will hardly ever come.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The walks of one session: one for all its missing rollouts together, ever more rarely.
#[derive(Debug, Default)]
pub(super) struct Search {
    missing: BTreeSet<String>,
    looked_at: Option<Instant>,
    pause: Duration,
    /// Some of them came too soon after the last look to be looked for yet.
    owes: bool,
    /// Nothing comes too soon.
    at_once: bool,
}

impl Search {
    /// Of somebody who does not come again: threads are looked for as soon as they are missing.
    pub(super) fn at_once() -> Self {
        Self {
            at_once: true,
            ..Self::default()
        }
    }

    /// Whether some of the missing were never looked for yet.
    pub(super) fn owes(&self) -> bool {
        self.owes
    }

    /// Whether it is time to look for `missing`: at once for a thread that was not looked for
    /// before, else after the pause.
    pub(super) fn is_due(&mut self, missing: &BTreeSet<String>, now: Instant) -> bool {
        let has_new = !missing.is_subset(&self.missing);
        // A poll may have come to some of them only: what was once looked for is not new again.
        self.missing.extend(missing.iter().cloned());
        let rested = self.looked_at.is_none_or(|at| {
            let pause = if has_new { FIRST_PAUSE } else { self.pause };
            (has_new && self.at_once) || now.saturating_duration_since(at) >= pause
        });
        self.owes = !missing.is_empty() && !rested && (self.owes || has_new);
        if missing.is_empty() || !rested {
            // What came too soon counts as new until it was looked for.
            if has_new {
                self.pause = FIRST_PAUSE;
            }
            return false;
        }
        self.pause = if has_new {
            FIRST_PAUSE
        } else {
            (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE)
        };
        self.looked_at = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(ToString::to_string).collect()
    }

    /// Seconds at which a look falls, of a poll every tenth of a second.
    fn looks(
        search: &mut Search,
        missing: &BTreeSet<String>,
        from: Instant,
        seconds: u64,
    ) -> Vec<u64> {
        (0..seconds * 10)
            .map(|tenth| Duration::from_millis(tenth * 100))
            .filter(|after| search.is_due(missing, from + *after))
            .map(|after| after.as_secs())
            .collect()
    }

    #[test]
    fn a_rollout_that_stays_away_is_looked_for_ever_more_rarely_but_once_a_minute() {
        let mut search = Search::default();
        let times = looks(&mut search, &ids(&["a", "b"]), Instant::now(), 300);
        assert_eq!(times, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
    }

    #[test]
    fn a_thread_that_is_new_among_the_missing_is_looked_for_within_a_second() {
        let mut search = Search::default();
        let begun = Instant::now();
        looks(&mut search, &ids(&["a"]), begun, 100);
        let later = begun + Duration::from_secs(100);
        let times = looks(&mut search, &ids(&["a", "b"]), later, 10);
        assert_eq!(times, [0, 1, 3, 7]);
    }

    #[test]
    fn a_thread_that_comes_too_soon_is_owed_a_look_until_it_was_looked_for_or_is_there() {
        let mut search = Search::default();
        let begun = Instant::now();
        assert!(search.is_due(&ids(&["a"]), begun) && !search.owes());
        let both = ids(&["a", "b"]);
        for tenth in 1..10 {
            let now = begun + Duration::from_millis(tenth * 100);
            assert!(!search.is_due(&both, now) && search.owes());
        }
        assert!(search.is_due(&both, begun + FIRST_PAUSE) && !search.owes());
        assert!(!search.is_due(&both, begun + FIRST_PAUSE * 3 / 2) && !search.owes());
        assert!(!search.is_due(&ids(&["c"]), begun + FIRST_PAUSE * 3 / 2) && search.owes());
        assert!(!search.is_due(&ids(&[]), begun + FIRST_PAUSE * 2) && !search.owes());
    }

    #[test]
    fn who_does_not_come_again_looks_for_each_thread_at_once() {
        let mut search = Search::at_once();
        let now = Instant::now();
        assert!(search.is_due(&ids(&["a"]), now) && search.is_due(&ids(&["a", "b"]), now));
        assert!(!search.is_due(&ids(&["a", "b"]), now) && !search.owes());
    }

    #[test]
    fn where_nothing_is_missing_nothing_is_looked_for() {
        let mut search = Search::default();
        assert!(looks(&mut search, &ids(&[]), Instant::now(), 5).is_empty());
    }
}
