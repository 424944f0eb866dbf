//! Linux, macOS and their like.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::fs::OFlags;
use rustix::process::{Pid, getppid, test_kill_process};

use crate::process::{Liveness, ProcessMark, behind_shells};
use crate::{SessionLock, secure_file};

/// How much a worker steps back (`nice`, 0 to 19).
const BEHIND_CODEX: i32 = 10;

/// For our own files: for this user alone, never through a symlink, never waiting for a FIFO.
pub(crate) fn open_flags(options: &mut OpenOptions) -> &mut OpenOptions {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    options.mode(0o600).custom_flags(flags.bits().cast_signed())
}

/// Makes a folder, and those above it, for this user alone, whatever the umask.
pub(crate) fn make_private_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    std::fs::set_permissions(dir, Permissions::from_mode(0o700))
}

/// Whether others can do anything with the file or folder.
pub(crate) fn is_open_to_others(meta: &Metadata) -> bool {
    meta.permissions().mode() & 0o077 != 0
}

/// The permissions of a file or folder that is for this user alone.
pub(crate) fn close_to_others(meta: &Metadata) -> Permissions {
    Permissions::from_mode(if meta.is_dir() { 0o700 } else { 0o600 })
}

/// Starts a program in the background without any of our descriptors but `lock`, which becomes its
/// stdin. It stays in our process session until it calls [`detach`].
pub(crate) fn spawn_apart<I, S>(
    program: &Path,
    args: I,
    lock: Option<SessionLock>,
) -> io::Result<()>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    // The working directory may be deleted or unmounted while the program lives.
    Command::new(program)
        .args(args)
        .current_dir("/")
        .stdin(lock.map_or_else(Stdio::null, |lock| lock.into_file().into()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(drop)
}

/// The file at `path` if it is our stdin, which is `/dev/null` afterwards.
pub(crate) fn handed_over(path: &Path) -> io::Result<Option<File>> {
    let stdin = io::stdin().as_fd().try_clone_to_owned();
    let known = secure_file::open_read(path).and_then(|file| file.metadata());
    let (Ok(stdin), Ok(known)) = (stdin, known) else {
        return Ok(None);
    };
    let file = File::from(stdin);
    let is_same = file
        .metadata()
        .is_ok_and(|meta| (meta.dev(), meta.ino()) == (known.dev(), known.ino()));
    if !is_same {
        return Ok(None);
    }
    // Stdin would keep the lock beyond its drop, and give it to every child.
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok(Some(file))
}

/// Puts this process into a session of its own.
pub(crate) fn detach() {
    close_inherited();
    // The only failure is being a group leader already, which is what is wanted.
    let _ = rustix::process::setsid();
}

/// Puts this process behind Codex where the processor is short.
pub(crate) fn step_back() {
    // Running with the usual priority is no reason not to run.
    let _ = rustix::process::nice(BEHIND_CODEX);
    // Linux may weigh process sessions against each other before processes (`sched(7)`, autogroup):
    // there the line above counts only among the worker's own threads.
    if cfg!(target_os = "linux") {
        let _ = std::fs::write("/proc/self/autogroup", BEHIND_CODEX.to_string());
    }
}

/// Closes whatever this process was started with beside its standard streams: somebody may wait for
/// the end of it, as a script does that runs Codex within `$(…)` with a copy of its output.
fn close_inherited() {
    let Ok(open) = std::fs::read_dir("/dev/fd") else {
        return;
    };
    let number =
        |entry: io::Result<std::fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    let open: Vec<i32> = open.filter_map(number).collect();
    for descriptor in open.into_iter().filter(|number| *number > 2) {
        if may_be_inherited(descriptor) {
            // The listing's own is closed already.
            let _ = nix::unistd::close(descriptor);
        }
    }
}

/// Whether a descriptor may be from before this program: what it opens itself is marked to be closed
/// where another is executed, and nothing so marked was handed on to it. Only Linux shows the mark of
/// a descriptor that is no more than a number.
fn may_be_inherited(descriptor: i32) -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}"));
    let is_marked = |info: &str| {
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = u32::from_str_radix(flags?.trim(), 8).ok()?;
        Some(flags & OFlags::CLOEXEC.bits() != 0)
    };
    info.is_ok_and(|info| is_marked(&info) == Some(false))
}

/// Resolves on SIGTERM, SIGINT or SIGHUP.
pub(crate) async fn termination() {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| async move {
        match signal(kind) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            // Without a handler the signal ends the process the hard way, which is safe too.
            Err(error) => {
                tracing::warn!(%error, "no signal handler");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = listen(SignalKind::terminate()) => {}
        () = listen(SignalKind::interrupt()) => {}
        () = listen(SignalKind::hangup()) => {}
    }
}

/// Ends this process as a crash would.
#[cfg(feature = "failpoints")]
pub(crate) fn die() {
    let me = rustix::process::getpid();
    let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
}

/// The parent, or the first above it that is no shell. Two small reads on Linux, seldom more;
/// elsewhere the parent alone.
pub(crate) fn host() -> Option<ProcessMark> {
    let parent = getppid()?.as_raw_nonzero().get();
    let Some(stat) = Stat::of(parent) else {
        return Some(ProcessMark {
            pid: parent,
            started: None,
        });
    };
    let host = stat.host(&Stat::of);
    host.may_be_codex().then_some(ProcessMark {
        pid: host.pid,
        started: Some(host.started),
    })
}

/// Whether a marked process still runs.
pub(crate) fn liveness(mark: ProcessMark) -> Liveness {
    let Some(pid) = Pid::from_raw(mark.pid) else {
        return Liveness::Unsure;
    };
    match (mark.started, Stat::of(mark.pid)) {
        (Some(started), Some(stat)) if stat.started == started && stat.state != 'Z' => {
            Liveness::Alive
        }
        (Some(_), _) => Liveness::Gone,
        (None, _) if test_kill_process(pid) != Err(rustix::io::Errno::SRCH) => Liveness::Alive,
        (None, _) => Liveness::Unsure,
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

    fn host(self, look: &dyn Fn(i32) -> Option<Self>) -> Self {
        behind_shells(self, |stat| stat.name.as_str(), |stat| look(stat.parent))
    }

    /// Process 1 inherits orphans and so says nothing of Codex, unless it is Codex itself, as in a
    /// container that runs nothing else.
    fn may_be_codex(&self) -> bool {
        self.pid > 1 || self.name.starts_with("codex")
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

    /// The host of a hook whose parent is the first of these, if it may be Codex.
    fn check(processes: &[(i32, &str, i32)], expected: Option<i32>) {
        let look = |wanted: i32| {
            let (pid, name, parent) = *processes.iter().find(|(pid, ..)| *pid == wanted)?;
            Some(Stat {
                pid,
                name: name.to_owned(),
                state: 'S',
                parent,
                started: 7,
            })
        };
        let host = look(processes[0].0).unwrap().host(&look);
        let host = host.may_be_codex().then_some(host.pid);
        assert_eq!(host, expected, "{processes:?}");
    }

    #[test]
    fn codex_is_found_through_shells_and_as_the_first_process_of_a_container() {
        check(&[(9, "codex", 1)], Some(9));
        check(&[(9, "sh", 7), (7, "codex", 5), (5, "bash", 1)], Some(7));
        check(&[(9, "sh", 8), (8, "bash", 7), (7, "codex", 1)], Some(7));
        check(&[(1, "codex", 0)], Some(1));
        check(&[(9, "sh", 1), (1, "codex-x86_64-un", 0)], Some(1));
    }

    #[test]
    fn the_process_that_inherits_orphans_is_not_taken_for_codex() {
        check(&[(1, "systemd", 0)], None);
        check(&[(9, "sh", 1), (1, "tini", 0)], None);
        check(&[(9, "sh", 1), (1, "bash", 0)], None);
        // Nobody can be asked about what stands above.
        check(&[(9, "sh", 8)], Some(9));
    }
}
