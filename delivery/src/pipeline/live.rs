//! Running turns, where somebody watches them live.

use std::time::Duration;

use tokio::time::Instant;

use super::Pipeline;
use crate::Evidence;

/// A running turn is mapped and sent no more often than this: it is put together anew each time, and
/// a lively one grows with every look. Its viewers are to be at most two seconds behind.
const FLOOR: Duration = Duration::from_secs(1);

/// When running turns were shown last, and whether that is out of date.
#[derive(Default)]
pub(super) struct Live {
    shown_at: Option<Instant>,
    is_stale: bool,
}

impl Live {
    /// Whether the floor under the time between two mappings is past.
    fn is_due(&self) -> bool {
        self.shown_at.is_none_or(|at| at.elapsed() >= FLOOR)
    }
}

impl Pipeline {
    /// Whether running turns are to be looked at now for those who watch.
    pub(super) fn is_live_due(&self) -> bool {
        self.course.backend.is_live() && self.live.is_due()
    }

    /// Shows running turns, if something new was read, or did not arrive, and it is time.
    pub(super) fn show_open_turns(&mut self, grew: bool, may_try: bool, evidence: &Evidence) {
        self.live.is_stale |= grew || (may_try && self.batch.has_missed());
        // What was read after the last look shows with the next.
        if !self.live.is_stale || self.open_is_stale || self.stopped || !self.is_live_due() {
            return;
        }
        self.live = Live {
            shown_at: Some(Instant::now()),
            is_stale: false,
        };
        self.map_open_turns(evidence);
    }

    fn map_open_turns(&mut self, evidence: &Evidence) {
        for turn in std::mem::take(&mut self.open) {
            if let Some(mode) = self.mode_of_running(&turn, evidence)
                && !self.batch.holds(&turn.thread_id, turn.number)
            {
                self.note_causes_of(&turn);
                let items = self.map(&turn, evidence, mode).unwrap_or_default();
                self.batch.add_passing(items);
            }
            self.open.push(turn);
        }
    }
}
