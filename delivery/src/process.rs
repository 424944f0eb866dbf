//! Which Codex process stands behind a session, and whether it still runs.

use serde::{Deserialize, Serialize};

use crate::platform;

/// A process, told from a later one with the same id by its start time where that is cheap to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessMark {
    /// Process id.
    pub pid: i32,
    /// Start: in clock ticks since boot on Linux (`/proc/<pid>/stat` field 22), in units of 100 ns
    /// since 1601 on Windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<u64>,
}

/// What is known of a marked process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// It runs.
    Alive,
    /// It is gone.
    Gone,
    /// Its id is free, but the mark may have named a short-lived shell instead of Codex.
    Unsure,
}

impl ProcessMark {
    /// The process that ran this hook: the parent, or the first above it that is no shell.
    /// Without start time, and without a look behind shells, on macOS.
    pub fn of_host() -> Option<Self> {
        platform::host()
    }

    /// Whether the process still runs.
    pub fn liveness(&self) -> Liveness {
        platform::liveness(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_that_started_the_test_is_alive_and_a_recycled_id_is_not_taken_for_it() {
        let host = ProcessMark::of_host().unwrap();
        assert_eq!(host.liveness(), Liveness::Alive);
        if let Some(started) = host.started {
            let other = ProcessMark {
                started: Some(started + 1),
                ..host
            };
            assert_eq!(other.liveness(), Liveness::Gone);
        }
    }
}
