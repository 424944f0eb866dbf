//! Starting a worker that outlives its hook. Synchronous: part of the hook path.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use crate::{SessionLock, platform};

/// Starts `program` with `args` in the background, without any of the hook's descriptors: Codex
/// waits for the end of a hook's output. The child inherits the environment (with the keys), and
/// leaves the hook's process session by [`detach_worker`], which it must call first of all. `lock` is
/// handed over: no moment passes in which it is free, but on Windows.
pub fn spawn_worker<I, S>(program: &Path, args: I, lock: Option<SessionLock>) -> io::Result<()>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    platform::spawn_apart(program, args, lock)
}

/// Makes this process, which [`spawn_worker`] started, a worker: first of all, before anything is
/// opened and any thread is started. For no other process.
///
/// It gets a session of its own: a time-out of the hook kills the hook's process group, and a closing
/// terminal its session.
///
/// What it has inherited beside the standard streams is closed: whoever started Codex may wait for
/// the end of it. On Linux that is told from what the process itself has opened. On other Unix systems
/// everything above the standard streams is closed, whoever uses it; on Windows nothing is, because
/// nothing is inherited.
pub fn detach_worker() {
    platform::detach();
}

/// From now on Codex, its hooks and what its tools run go first wherever the processor is short, until
/// this process ends. On Linux that holds for the calling thread and those that it starts from now on.
pub fn step_back() {
    platform::step_back();
}
