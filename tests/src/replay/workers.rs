//! The workers that replayed hooks have started.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Replay;
use crate::stage::PATIENCE;

/// A worker in the background.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Its process id.
    pub pid: u32,
    /// The session it is for.
    pub session: String,
    /// Its resident memory; pages of its executable, which it shares with others, count in each.
    pub resident_bytes: u64,
    /// What of it is its own (Linux tells; elsewhere all).
    pub own_bytes: u64,
}

impl Replay {
    /// This home's workers that run now.
    pub fn workers(&self) -> Vec<Worker> {
        let listed = Command::new("ps")
            .args(["-A", "-ww", "-o", "pid=,rss=,args="])
            .output();
        let listed = listed.map(|output| output.stdout).unwrap_or_default();
        let listed = String::from_utf8_lossy(&listed).into_owned();
        let binary = self.binary().display().to_string();
        let worker = |line: &str| {
            let (pid, line) = line.trim_start().split_once(' ')?;
            let (resident, command) = line.trim_start().split_once(' ')?;
            let arguments = command.trim_start().strip_prefix(&binary)?;
            let arguments = arguments.strip_prefix(" worker ")?;
            let (_, session) = arguments.split_once("--session ")?;
            let pid = pid.parse().ok()?;
            let resident_bytes = resident.parse::<u64>().ok()? * 1024;
            Some(Worker {
                pid,
                session: session.split(' ').next().unwrap_or_default().to_owned(),
                resident_bytes,
                own_bytes: own_bytes(pid).unwrap_or(resident_bytes),
            })
        };
        listed.lines().filter_map(worker).collect()
    }

    /// Sends SIGKILL to every worker; how many there were.
    pub fn kill_workers(&self) -> usize {
        self.signal_workers("KILL")
    }

    /// Sends a signal (`TERM`, `KILL`) to every worker; how many there were.
    pub fn signal_workers(&self, signal: &str) -> usize {
        let workers = self.workers();
        for worker in &workers {
            // One that has just left needs no signal.
            let _ = Command::new("kill")
                .args(["-s", signal, &worker.pid.to_string()])
                .output();
        }
        if signal == "KILL" {
            // Its locks are free once it is gone, which takes it time of its own.
            let until = Instant::now() + PATIENCE;
            for worker in &workers {
                while lives(worker.pid) && Instant::now() < until {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        }
        workers.len()
    }

    /// Waits until no worker runs; false if one still does after `limit`.
    pub fn wait_for_workers(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        while !self.workers().is_empty() {
            if Instant::now() >= until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        true
    }
}

/// Whether a process is there and no zombie; where the system does not tell (only Linux does), no.
fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(") ").next().unwrap_or_default();
    !state.is_empty() && !state.starts_with(['Z', 'X'])
}

/// The largest resident memory that a running process ever had, pages of its executable included;
/// `None` where the system does not tell (only Linux does) or the process is gone.
pub fn peak_bytes(pid: u32) -> Option<u64> {
    status_bytes(pid, "VmHWM:")
}

/// The memory that a running process holds now for itself: without pages of files, of which a debug
/// build maps as many as the system likes. `None` as for [`peak_bytes`].
pub fn own_bytes(pid: u32) -> Option<u64> {
    status_bytes(pid, "RssAnon:")
}

fn status_bytes(pid: u32, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

impl Drop for Replay {
    /// A worker outlives its hook, and here would outlive its test.
    fn drop(&mut self) {
        if Arc::strong_count(&self.folder) == 1 {
            self.kill_workers();
        }
    }
}
