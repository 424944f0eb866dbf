//! The end-to-end suites on one version: the test program run directly, within a bound of time.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::command;

/// What the end-to-end suites said on one version.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Suites {
    /// Tests that ran and passed.
    pub(super) passed: usize,
    /// Those that did not pass, by name.
    pub(super) failed: Vec<String>,
    /// Tests of what only other versions have, or that cannot run on this machine.
    #[serde(default)]
    pub(super) skipped: usize,
    /// How long they took.
    #[serde(default)]
    pub(super) seconds: u64,
}

/// Builds the suites and gives the test programs.
pub(super) fn build() -> anyhow::Result<Vec<PathBuf>> {
    let mut cargo = command::cargo();
    cargo
        .args(["test", "--quiet", "--locked", "--no-run", "--test", "e2e*"])
        .args(["--package", "codex-tracing-tests"])
        .args(["--message-format", "json-render-diagnostics"]);
    let told = command::output(&mut cargo)?;
    let programs: Vec<PathBuf> = told.lines().filter_map(program).collect();
    if programs.is_empty() {
        bail!("cargo built no end-to-end suite");
    }
    Ok(programs)
}

/// The test program that a message of cargo is about.
fn program(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_test = message.pointer("/profile/test")?.as_bool()?;
    let program = message.get("executable")?.as_str()?;
    is_test.then(|| program.into())
}

/// Runs the suites on one version. What has not ended after `patience` is stopped, and counts as
/// failed.
pub(super) fn run(
    programs: &[PathBuf],
    version: &str,
    patience: Duration,
) -> anyhow::Result<Suites> {
    let began = Instant::now();
    let skips = codex_tracing_tests::skips_file();
    let _ = std::fs::remove_file(&skips);
    let mut suites = Suites::default();
    for program in programs {
        let mut child = Command::new(program)
            .current_dir(command::repository().join("tests"))
            // One line per test, whatever the terminal.
            .args(["--format", "pretty", "--test-threads", "2"])
            .env("CODEX_TRACING_TEST_VERSIONS", version)
            .env("CODEX_TRACING_REQUIRE_CODEX", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let lines = lines_of(&mut child)?;
        if !suites.follow(&lines, began + patience) {
            child.kill()?;
            child.wait()?;
            suites.failed.push(format!(
                "not done after {} minutes",
                patience.as_secs().div_ceil(60)
            ));
            break;
        }
        let status = child.wait()?;
        if !status.success() && suites.failed.is_empty() {
            bail!("the suites did not come to an end on Codex {version} ({status})");
        }
    }
    let told = std::fs::read_to_string(&skips).unwrap_or_default();
    suites.leave_out(&told);
    suites.seconds = began.elapsed().as_secs();
    if suites.passed == 0 && suites.failed.is_empty() {
        bail!("no suite ran on Codex {version}");
    }
    Ok(suites)
}

fn lines_of(child: &mut Child) -> anyhow::Result<Receiver<String>> {
    let stdout = child.stdout.take().context("the suite has no output")?;
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        // Nobody listens any more once the time is over.
        let _ = lines.try_for_each(|line| sender.send(line));
    });
    Ok(lines)
}

impl Suites {
    /// Counts results until the output ends; `false` if that was not by `until`.
    fn follow(&mut self, lines: &Receiver<String>, until: Instant) -> bool {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match lines.recv_timeout(left) {
                Ok(line) => {
                    say!("{line}");
                    self.add(&line);
                }
                Err(RecvTimeoutError::Disconnected) => return true,
                Err(RecvTimeoutError::Timeout) => return false,
            }
        }
    }

    /// Takes a line of the test harness: `test e2e::name ... ok`.
    fn add(&mut self, line: &str) {
        let Some((name, outcome)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.rsplit_once(" ... "))
        else {
            return;
        };
        match outcome {
            "ok" => self.passed += 1,
            "FAILED" => self.failed.push(name.to_owned()),
            _ => {}
        }
    }

    /// Tests that skipped themselves were counted as passed by their harness: `SKIPPED name: why`.
    fn leave_out(&mut self, skips: &str) {
        let names: BTreeSet<&str> = skips
            .lines()
            .filter_map(|line| line.strip_prefix("SKIPPED ")?.split_once(": "))
            .map(|(name, _)| name)
            .filter(|name| !self.failed.iter().any(|failed| failed == name))
            .collect();
        self.skipped = names.len();
        self.passed = self.passed.saturating_sub(self.skipped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_the_harness_are_counted_by_outcome() {
        let mut suites = Suites::default();
        for line in [
            "running 3 tests",
            "test e2e::a::one ... ok",
            "test e2e::a::two ... FAILED",
            "test e2e::a::three ... ignored",
            "test e2e::a::four ... ok",
            "test result: FAILED. 2 passed; 1 failed; 1 ignored",
        ] {
            suites.add(line);
        }
        suites.leave_out(
            "SKIPPED e2e::a::one: this run is of other versions\n\
             SKIPPED e2e::a::one: this run is of other versions\n",
        );
        assert_eq!(
            (suites.passed, suites.failed, suites.skipped),
            (1, vec!["e2e::a::two".to_owned()], 1)
        );
    }

    #[test]
    fn a_suite_that_says_nothing_is_given_up_in_time() {
        let (sender, lines) = mpsc::channel();
        sender.send("test a ... ok".to_owned()).unwrap();
        let mut suites = Suites::default();
        assert!(!suites.follow(&lines, Instant::now() + Duration::from_millis(20)));
        assert_eq!(suites.passed, 1);
        drop(sender);
        assert!(suites.follow(&lines, Instant::now()));
    }

    #[test]
    fn messages_of_cargo_name_the_test_programs() {
        let line =
            r#"{"reason":"compiler-artifact","profile":{"test":true},"executable":"/t/e2e-1"}"#;
        assert_eq!(program(line), Some(PathBuf::from("/t/e2e-1")));
        let line = r#"{"reason":"compiler-artifact","profile":{"test":false},"executable":"/t/x"}"#;
        assert_eq!(program(line), None);
        assert_eq!(program(r#"{"reason":"build-finished"}"#), None);
    }
}
