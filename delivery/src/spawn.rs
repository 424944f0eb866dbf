//! Starting a worker that outlives its hook. Synchronous: part of the hook path.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::SessionLock;

/// Starts `program` with `args` in the background, without any of the hook's descriptors: Codex
/// waits for the end of a hook's output. The child inherits the environment (with the keys), and
/// leaves the hook's process session by [`detach`], which it must call first of all. `lock` is
/// handed over: no moment passes in which it is free.
pub fn spawn_worker<I, S>(program: &Path, args: I, lock: Option<SessionLock>) -> io::Result<()>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    // The working directory may be deleted or unmounted while the worker lives.
    Command::new(program)
        .args(args)
        .current_dir("/")
        .stdin(lock.map_or_else(Stdio::null, Stdio::from))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(drop)
}

/// How much a worker steps back (`nice`, 0 to 19).
const BEHIND_CODEX: i32 = 10;

/// Puts this process into a session of its own: a time-out of the hook kills the hook's process
/// group, and a closing terminal its session. Harmless if it already leads one. From then on Codex,
/// its hooks and what its tools run go first wherever the processor is short.
pub fn detach() {
    // The only failure is being a group leader already, which is what is wanted.
    let _ = rustix::process::setsid();
    // Running with the usual priority is no reason not to run.
    let _ = rustix::process::nice(BEHIND_CODEX);
}
