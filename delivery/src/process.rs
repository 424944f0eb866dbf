//! Which Codex process stands behind a session, and whether it still runs.

use rustix::process::{Pid, getppid, test_kill_process};
use serde::{Deserialize, Serialize};

/// A process, told from a later one with the same id by its start time where that is cheap to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessMark {
    /// Process id.
    pub pid: i32,
    /// Start in clock ticks since boot (Linux, `/proc/<pid>/stat` field 22).
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
    /// The process that ran this hook: the parent, or the grandparent where a shell stands between.
    /// Two small reads on Linux; elsewhere the parent alone.
    pub fn of_host() -> Option<Self> {
        let parent = getppid()?.as_raw_nonzero().get();
        let Some(stat) = Stat::of(parent) else {
            return Some(Self {
                pid: parent,
                started: None,
            });
        };
        let host = if stat.is_shell() {
            Stat::of(stat.parent).unwrap_or(stat)
        } else {
            stat
        };
        // Process 1 inherits orphans: it says nothing about Codex.
        (host.pid > 1).then_some(Self {
            pid: host.pid,
            started: Some(host.started),
        })
    }

    /// Whether the process still runs.
    pub fn liveness(&self) -> Liveness {
        let Some(pid) = Pid::from_raw(self.pid) else {
            return Liveness::Unsure;
        };
        match (self.started, Stat::of(self.pid)) {
            (Some(started), Some(stat)) if stat.started == started && stat.state != 'Z' => {
                Liveness::Alive
            }
            (Some(_), _) => Liveness::Gone,
            (None, _) if test_kill_process(pid) != Err(rustix::io::Errno::SRCH) => Liveness::Alive,
            (None, _) => Liveness::Unsure,
        }
    }
}

/// The few fields of `/proc/<pid>/stat` that matter here.
struct Stat {
    pid: i32,
    name: String,
    state: char,
    parent: i32,
    started: u64,
}

impl Stat {
    fn of(pid: i32) -> Option<Self> {
        Self::parse(
            pid,
            &std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?,
        )
    }

    /// `pid (name) state ppid … starttime …`; the name may itself hold blanks and parentheses.
    fn parse(pid: i32, text: &str) -> Option<Self> {
        let (head, tail) = text.rsplit_once(')')?;
        let (_, name) = head.split_once('(')?;
        let mut fields = tail.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let parent = fields.next()?.parse().ok()?;
        let started = fields.nth(17)?.parse().ok()?;
        Some(Self {
            pid,
            name: name.to_owned(),
            state,
            parent,
            started,
        })
    }

    fn is_shell(&self) -> bool {
        matches!(
            self.name.as_str(),
            "sh" | "bash" | "dash" | "zsh" | "ksh" | "fish" | "ash" | "busybox" | "nu"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_with_parentheses_does_not_shift_the_fields() {
        let text = "7 (a) b) S 3 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 9";
        let stat = Stat::parse(7, text).unwrap();
        assert_eq!((stat.parent, stat.started, stat.state), (3, 4711, 'S'));
        assert_eq!(stat.name, "a) b");
    }

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
