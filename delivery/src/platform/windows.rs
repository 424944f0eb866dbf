//! Windows.
//!
//! The user's profile, where everything of ours lies, is closed to other users by the access list
//! that its folders inherit; there are no mode bits to set.

use std::ffi::OsStr;
use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::Path;

use winsafe::{HPROCESS, HPROCESSLIST, SysResult, co};

use crate::SessionLock;
use crate::process::{Liveness, ProcessMark, behind_shells};

/// `FILE_FLAG_OPEN_REPARSE_POINT`: a symlink is opened itself, and then found to be no file.
const NO_FOLLOW: u32 = 0x0020_0000;
/// `STILL_ACTIVE`: the exit code of a process that has not ended.
const STILL_ACTIVE: u32 = 259;

/// For our own files: never through a symlink.
pub(crate) fn open_flags(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(NO_FOLLOW)
}

/// Makes a folder and those above it.
pub(crate) fn make_private_dir(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)
}

/// Access lists are inherited, not ours to judge.
pub(crate) fn is_open_to_others(_: &Metadata) -> bool {
    false
}

/// The permissions as they are.
pub(crate) fn close_to_others(meta: &Metadata) -> Permissions {
    meta.permissions()
}

/// Starts a program in the background without any of our handles, in a console of its own without
/// a window: what ends or closes ours does not touch it, and what it runs itself opens no window.
///
/// `std::process::Command` cannot do this: its children inherit every handle that can be, and among
/// ours are the pipes whose end Codex waits for. So `lock`, which belongs to a process here, is let
/// go first: the program takes it anew.
pub(crate) fn spawn_apart<I, S>(
    program: &Path,
    args: I,
    lock: Option<SessionLock>,
) -> io::Result<()>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    drop(lock.map(SessionLock::into_file));
    let program = text(program.as_os_str())?;
    let mut line = quoted(program)?;
    for argument in args {
        line.push(' ');
        line.push_str(&quoted(text(argument.as_ref())?)?);
    }
    // The working directory cannot be deleted while a process has it.
    let folder = winsafe::GetSystemDirectory().map_err(failed)?;
    let start = |flags| {
        // Handles that are none: left out, our own three would be passed on all the same.
        let mut info = winsafe::STARTUPINFO::default();
        info.dwFlags = co::STARTF::USESTDHANDLES;
        let (program, line, folder) = (Some(program), Some(line.as_str()), Some(folder.as_str()));
        winsafe::CreateProcess(
            program,
            line,
            None,
            None,
            false,
            flags,
            &[],
            folder,
            &mut info,
        )
        .map(drop)
    };
    let apart = co::CREATE::NO_WINDOW | co::CREATE::NEW_PROCESS_GROUP;
    // A job that Codex put us into may end with it; not every job lets go.
    start(apart | co::CREATE::BREAKAWAY_FROM_JOB)
        .or_else(|_| start(apart))
        .map_err(failed)
}

/// No lock is handed over here.
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
pub(crate) fn handed_over(_: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

/// Nothing: this process stands apart since it was started.
pub(crate) fn detach() {}

/// Puts this process behind Codex where the processor is short.
pub(crate) fn step_back() {
    // Running with the usual priority is no reason not to run.
    let _ = HPROCESS::GetCurrentProcess().SetPriorityClass(co::PRIORITY_CLASS::BELOW_NORMAL);
}

/// Resolves when the console, the session or the machine ends, or on Ctrl-C and Ctrl-Break.
/// `TerminateProcess` asks nobody; that is safe too.
pub(crate) async fn termination() {
    use tokio::signal::windows;
    macro_rules! heard {
        ($listen:path) => {
            async {
                match $listen() {
                    Ok(mut call) => {
                        call.recv().await;
                    }
                    Err(error) => {
                        tracing::warn!(%error, "no control handler");
                        std::future::pending::<()>().await;
                    }
                }
            }
        };
    }
    tokio::select! {
        () = heard!(windows::ctrl_c) => {}
        () = heard!(windows::ctrl_break) => {}
        () = heard!(windows::ctrl_close) => {}
        () = heard!(windows::ctrl_logoff) => {}
        () = heard!(windows::ctrl_shutdown) => {}
    }
}

/// Ends this process as a crash would.
#[cfg(feature = "failpoints")]
pub(crate) fn die() {
    let _ = HPROCESS::GetCurrentProcess().TerminateProcess(1);
}

/// The parent, or the first above it that is no shell.
pub(crate) fn host() -> Option<ProcessMark> {
    let all = processes().ok()?;
    let me = all
        .iter()
        .find(|process| process.pid == winsafe::GetCurrentProcessId())?;
    let parent = me.starter(&all)?;
    let host = behind_shells(
        parent,
        |process| process.name.as_str(),
        |process| process.starter(&all),
    );
    Some(ProcessMark {
        pid: i32::try_from(host.pid).ok()?,
        started: Some(started(host.pid).ok()?),
    })
}

/// Whether a marked process still runs.
pub(crate) fn liveness(mark: ProcessMark) -> Liveness {
    let (Ok(pid), Some(marked)) = (u32::try_from(mark.pid), mark.started) else {
        return Liveness::Unsure;
    };
    match started(pid) {
        Ok(started) if started == marked => Liveness::Alive,
        // Of another user: it is there, but no more can be known.
        Err(co::ERROR::ACCESS_DENIED) => Liveness::Unsure,
        _ => Liveness::Gone,
    }
}

/// A line of the list of processes.
struct Process {
    pid: u32,
    parent: u32,
    name: String,
}

impl Process {
    /// The process that started this one, if it still runs: its id may be another process's by now,
    /// a younger one's.
    fn starter<'a>(&self, all: &'a [Self]) -> Option<&'a Self> {
        let parent = all.iter().find(|process| process.pid == self.parent)?;
        (started(parent.pid).ok()? <= started(self.pid).ok()?).then_some(parent)
    }
}

fn processes() -> SysResult<Vec<Process>> {
    let mut list = HPROCESSLIST::CreateToolhelp32Snapshot(co::TH32CS::SNAPPROCESS, None)?;
    list.iter_processes()
        .map(|entry| {
            entry.map(|entry| Process {
                pid: entry.th32ProcessID,
                parent: entry.th32ParentProcessID,
                name: entry.szExeFile(),
            })
        })
        .collect()
}

/// When a running process started, in units of 100 ns since 1601. One that has ended, but whose
/// handle somebody holds, is an error too.
fn started(pid: u32) -> SysResult<u64> {
    let process = HPROCESS::OpenProcess(co::PROCESS::QUERY_LIMITED_INFORMATION, false, pid)?;
    if process.GetExitCodeProcess()? != STILL_ACTIVE {
        return Err(co::ERROR::INVALID_PARAMETER);
    }
    let (created, ..) = process.GetProcessTimes()?;
    Ok(u64::from(created.dwHighDateTime) << 32 | u64::from(created.dwLowDateTime))
}

/// An argument as the other side's parser gives it back. Ours are plain words and a path, which
/// can hold no quotation mark on Windows.
fn quoted(argument: &str) -> io::Result<String> {
    if argument.contains('"') {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "quotation mark in an argument",
        ));
    }
    // Backslashes before the closing mark would take away its meaning.
    let end = argument.len() - argument.trim_end_matches('\\').len();
    Ok(format!("\"{argument}{}\"", "\\".repeat(end)))
}

fn text(words: &OsStr) -> io::Result<&str> {
    words
        .to_str()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not Unicode"))
}

fn failed(error: co::ERROR) -> io::Error {
    io::Error::from_raw_os_error(error.raw().cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_quoted_and_cannot_end_its_quotation() {
        assert_eq!(quoted(r"C:\a b\c.exe").unwrap(), r#""C:\a b\c.exe""#);
        assert_eq!(quoted(r"C:\a b\").unwrap(), r#""C:\a b\\""#);
        assert!(quoted(r#"a" b"#).is_err());
    }
}
