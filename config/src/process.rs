//! Asking another program, for a bounded time.

use std::io::Read as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The most that is read of an answer, in bytes.
const LONGEST: u64 = 4096;
/// Between two looks whether the program has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// Runs a command without input, and gives how it ended and the first 4 KiB of what it printed; what it
/// says on stderr goes nowhere. `None` if it cannot be started, or has not ended after `patience`: then
/// it is killed. For short answers: a program that prints more than a pipe holds does not end.
///
/// ```
/// use std::process::Command;
/// use std::time::Duration;
///
/// let answer = codex_tracing_config::ask(Command::new("rustc").arg("--version"), Duration::from_secs(60));
/// assert!(answer.is_some_and(|answer| answer.stdout.starts_with(b"rustc ")));
/// ```
pub fn ask(command: &mut Command, patience: Duration) -> Option<Output> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begun.elapsed() < patience => std::thread::sleep(PAUSE),
            _ => {
                // Both fail only if the child is gone already.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    };
    let mut stdout = Vec::new();
    let printed = child.stdout.take()?;
    printed.take(LONGEST).read_to_end(&mut stdout).ok()?;
    Some(Output {
        status,
        stdout,
        stderr: Vec::new(),
    })
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
}
