//! Asking another program, for a bounded time.

use std::io::{ErrorKind, Read as _};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// The most that is kept of an answer, in bytes.
const LONGEST: usize = 4096;
/// Between two looks whether the program has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// Runs a command without input, and gives how it ended and the first 4 KiB of what it printed; what it
/// says on stderr goes nowhere. `None` if it cannot be started, or has not ended after `patience`: then
/// it is killed. What it has started itself and leaves running is not waited for any longer than that.
///
/// ```
/// use std::process::Command;
/// use std::time::Duration;
///
/// let answer = codex_tracing_config::ask(Command::new("rustc").arg("--version"), Duration::from_secs(60));
/// assert!(answer.is_some_and(|answer| answer.stdout.starts_with(b"rustc ")));
/// ```
pub fn ask(command: &mut Command, patience: Duration) -> Option<Output> {
    let begun = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let Some(heard) = child.stdout.take().and_then(listen) else {
        end(child);
        return None;
    };
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begun.elapsed() < patience => thread::sleep(PAUSE),
            _ => {
                end(child);
                return None;
            }
        }
    };
    let left = || patience.saturating_sub(begun.elapsed());
    let pieces = std::iter::from_fn(|| heard.recv_timeout(left()).ok());
    Some(Output {
        status,
        stdout: pieces.flatten().collect(),
        stderr: Vec::new(),
    })
}

/// Kills a program; both steps fail only if it is gone already.
fn end(mut child: Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// What is printed, as it comes, until everybody who could print has ended: that may be later than the
/// program itself. Beyond [`LONGEST`] it is passed over, so that no program waits for a full pipe.
fn listen(mut printed: ChildStdout) -> Option<Receiver<Vec<u8>>> {
    let (tell, told) = mpsc::channel();
    let listener = move || {
        let mut buffer = [0; LONGEST];
        let mut room = LONGEST;
        loop {
            let count = match printed.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return,
            };
            let kept = buffer.get(..count.min(room)).unwrap_or_default();
            room -= kept.len();
            // Nobody listens any more once the time is over.
            if !kept.is_empty() && tell.send(kept.to_vec()).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().spawn(listener).ok()?;
    Some(told)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, patience: Duration) -> Option<(bool, String)> {
        let answer = ask(Command::new("sh").args(["-c", script]), patience)?;
        let text = String::from_utf8(answer.stdout).unwrap();
        Some((answer.status.success(), text))
    }

    #[test]
    fn an_answer_comes_with_how_the_program_ended_and_a_late_one_not_at_all() {
        let minute = Duration::from_mins(1);
        let said = |ok, text: &str| Some((ok, text.to_owned()));
        assert_eq!(shell("echo yes; echo no >&2", minute), said(true, "yes\n"));
        assert_eq!(shell("echo yes; exit 3", minute), said(false, "yes\n"));
        assert_eq!(shell("exec sleep 60", Duration::from_millis(50)), None);
        assert!(ask(&mut Command::new("/nowhere/at-all"), minute).is_none());
    }

    #[test]
    fn what_a_program_leaves_running_with_its_output_open_is_not_waited_for() {
        let begun = Instant::now();
        let answer = shell("sleep 300 & echo yes", Duration::from_secs(10));
        assert_eq!(answer, Some((true, "yes\n".to_owned())));
        assert!(begun.elapsed() < Duration::from_secs(250));
    }

    #[test]
    fn a_program_that_prints_more_than_a_pipe_holds_ends_and_is_heard_in_part() {
        let script = "i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done";
        let (ok, text) = shell(script, Duration::from_mins(1)).unwrap();
        assert!(ok && text.starts_with("0123456789\n"));
        assert_eq!(text.len(), LONGEST);
    }
}
