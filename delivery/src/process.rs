//! Which Codex process stands behind a session, and whether it still runs.

use serde::{Deserialize, Serialize};

use crate::platform;

/// Shells that may stand between Codex and its hook: one that Codex starts, and wrappers.
const SHELLS: usize = 4;

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
    /// The process that ran this hook: the parent, or the first above it that is no shell, up to
    /// four shells on. Without start time, and without a look behind shells, on macOS.
    pub fn of_host() -> Option<Self> {
        platform::host()
    }

    /// Whether the process still runs.
    pub fn liveness(&self) -> Liveness {
        platform::liveness(*self)
    }
}

/// `process`, or the first above it that is no shell; the uppermost known if all are. `name` gives a
/// process's name, `above` the one that started it.
pub(crate) fn behind_shells<P>(
    mut process: P,
    name: impl Fn(&P) -> &str,
    above: impl Fn(&P) -> Option<P>,
) -> P {
    for _ in 0..SHELLS {
        let next = is_shell(name(&process)).then(|| above(&process)).flatten();
        let Some(next) = next else { break };
        process = next;
    }
    process
}

fn is_shell(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(
        name.strip_suffix(".exe").unwrap_or(&name),
        "sh" | "bash"
            | "dash"
            | "zsh"
            | "ksh"
            | "fish"
            | "ash"
            | "busybox"
            | "nu"
            | "pwsh"
            | "powershell"
            | "cmd"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the way up ends that begins at the first of these.
    fn check(chain: &[&str], expected: usize) {
        let at = |index: usize| chain.get(index).map(|name| (index, *name));
        let found = behind_shells(at(0).unwrap(), |it| it.1, |it| at(it.0 + 1));
        assert_eq!(found.0, expected, "{chain:?}");
    }

    #[test]
    fn codex_is_looked_for_behind_four_shells_at_most_whatever_the_system() {
        check(&["codex", "bash"], 0);
        check(&["codex.exe", "powershell.exe"], 0);
        check(&["cmd.exe", "CMD.EXE", "pwsh.exe", "codex.exe"], 3);
        check(&["sh", "bash", "zsh", "busybox", "codex", "fish"], 4);
        check(&["sh", "sh", "sh", "sh", "sh", "codex"], 4);
        check(&["cmd.exe"], 0);
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
