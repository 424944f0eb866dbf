//! Starting a worker that outlives its hook. Synchronous: part of the hook path.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use crate::{SessionLock, platform};

/// Starts `program` with `args` in the background, without any of the hook's descriptors: Codex
/// waits for the end of a hook's output. The child inherits the environment (with the keys), and
/// leaves the hook's process session by [`detach`], which it must call first of all. `lock` is
/// handed over: no moment passes in which it is free, but on Windows.
pub fn spawn_worker<I, S>(program: &Path, args: I, lock: Option<SessionLock>) -> io::Result<()>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    platform::spawn_apart(program, args, lock)
}

/// Puts this process into a session of its own: a time-out of the hook kills the hook's process
/// group, and a closing terminal its session. Harmless if it already leads one. From then on Codex,
/// its hooks and what its tools run go first wherever the processor is short.
///
/// Closes every descriptor but the standard streams, which is why this comes before anything else:
/// what a hook inherits from whoever started Codex is no worker's to hold.
pub fn detach() {
    platform::detach();
}
