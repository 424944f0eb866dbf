//! A second run of end-to-end tests that failed.
//!
//! They drive the real Codex, a program of others whose threads keep an order of their own; on a
//! busy machine one of them may once see what it does not expect. Such a test is run again, alone.
//! Both outcomes are told, and it counts as failed unless the second run passes. Tests of this
//! project's own code get no second run.

use std::process::Command;

use super::count::Count;
use super::{follow, tests};

/// So many may fail by chance; more is a fault.
const MOST: usize = 2;

/// The name of the end-to-end test that this line of a test program says has failed.
pub(super) fn failed(line: &str) -> Option<&str> {
    let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
    name.starts_with("e2e::").then_some(name)
}

/// Runs the tests of these names again, in the surroundings that `prepare` gives to a run, and
/// counts those that pass as passed.
pub(super) fn run(
    count: &mut Count,
    names: &[String],
    prepare: impl Fn(&mut Command),
) -> anyhow::Result<()> {
    if names.is_empty() || names.len() > MOST {
        return Ok(());
    }
    say!("── once more, alone: {}", names.join(", "));
    let mut command = tests(&["--test", "e2e"]);
    command.args(["--", "--exact", "--test-threads", "1"]);
    command.args(names);
    prepare(&mut command);
    let mut second = Count::default();
    let outcome = follow(command, |line| second.add_result(line))?;
    if outcome.success() && second.passed == names.len() {
        count.passed_again(names);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::failed;

    #[test]
    fn only_end_to_end_tests_are_run_again() {
        let check = |line: &str, expected: Option<&str>| assert_eq!(failed(line), expected);
        check(
            "test e2e::mute::a_muted_turn_stays ... FAILED",
            Some("e2e::mute::a_muted_turn_stays"),
        );
        check("test e2e::mute::a_muted_turn_stays ... ok", None);
        check("test kills::a_killed_worker_loses_nothing ... FAILED", None);
        check("    e2e::mute::a_muted_turn_stays", None);
    }
}
