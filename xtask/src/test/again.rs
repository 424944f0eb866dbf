//! A second run of end-to-end tests that failed.
//!
//! They drive the real Codex, a program of others whose threads keep an order of their own; on a
//! busy machine one of them may once see what it does not expect. One or two such tests are run
//! again, alone; both outcomes are told, and the last lines name them. A rare fault of this project
//! can pass like that as well: a test that is named there wants to be looked into. Every other test,
//! of faults, of hostile input, of a crate, has one run.

use std::process::Command;

use super::count::Count;
use super::{cargo_test, follow};

/// So many may fail by chance; more is a fault.
const MOST: usize = 2;

/// The name of the end-to-end test that this line of a test program says has failed.
pub(super) fn failed(line: &str) -> Option<&str> {
    let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
    name.starts_with("e2e::").then_some(name)
}

/// Whether a second run may change the outcome: nothing but these tests failed, and no other test
/// program.
pub(super) fn is_allowed(first: &Count, names: &[String], failed_programs: &[String]) -> bool {
    let only = matches!(failed_programs, [program] if program.ends_with(" --test e2e"));
    let few = (1..=MOST).contains(&names.len());
    only && few && first.failed == names.len() && !first.is_broken()
}

/// Whether the second run of these tests, which left this many skips, shows that they pass.
fn has_passed(second: &Count, names: &[String], skips: usize) -> bool {
    let ran = second.failed == 0 && !second.is_broken() && second.passed == names.len();
    ran && skips == 0
}

/// Runs the tests of these names again, in the surroundings that `prepare` gives to a run. If all
/// pass, they count as passed.
pub(super) fn run(
    count: &mut Count,
    names: &[String],
    prepare: impl Fn(&mut Command),
) -> anyhow::Result<()> {
    say!("── once more, alone: {}", names.join(", "));
    let mut command = cargo_test(&["--test", "e2e"]);
    command.args(["--", "--exact", "--test-threads", "1"]);
    command.args(names);
    prepare(&mut command);
    let skips_file = codex_tracing_tests::skips_file();
    let skips = || std::fs::read_to_string(&skips_file).unwrap_or_default();
    let before = skips();
    let mut second = Count::default();
    let ended = follow(command, |line| second.add_result(line))?;
    let skipped = skips()
        .lines()
        .count()
        .saturating_sub(before.lines().count());
    if skipped > 0 {
        // The first run noted them, or they say that this one looked at nothing.
        std::fs::write(&skips_file, before)?;
    }
    if ended.status.success() && has_passed(&second, names, skipped) {
        count.passed_again(names);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::count::Count;
    use super::{failed, has_passed, is_allowed};

    fn counted(lines: &[&str]) -> Count {
        let mut count = Count::default();
        for line in lines {
            count.add_result(line);
        }
        count
    }

    fn names(number: usize) -> Vec<String> {
        (0..number).map(|it| format!("e2e::test_{it}")).collect()
    }

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

    #[test]
    fn there_is_a_second_run_only_if_nothing_else_failed() {
        let begun = "running 9 tests";
        let two = "test result: FAILED. 7 passed; 2 failed; 0 ignored";
        let three = "test result: FAILED. 6 passed; 3 failed; 0 ignored";
        let e2e = "-p codex-tracing-tests --test e2e".to_owned();
        let faults = "-p codex-tracing-tests --test faults".to_owned();
        let check = |lines: &[&str], failed: usize, expected: bool| {
            let first = counted(lines);
            let allowed = is_allowed(&first, &names(failed), std::slice::from_ref(&e2e));
            assert_eq!(allowed, expected);
            let more = [e2e.clone(), faults.clone()];
            assert!(!is_allowed(&first, &names(failed), &more));
        };
        check(&[begun, two], 2, true);
        check(&[begun, two], 1, false);
        check(&[begun, three], 3, false);
        check(&[begun, "test result: ok. 9 passed; 0 failed"], 0, false);
        // A program died, here or in the middle of the end-to-end tests.
        check(&[begun, two, begun], 2, false);
        check(&[begun], 1, false);
    }

    #[test]
    fn a_second_run_counts_only_if_every_test_ran_and_passed() {
        let check = |line: &str, skips: usize, expected: bool| {
            let second = counted(&["running 2 tests", line]);
            assert_eq!(has_passed(&second, &names(2), skips), expected, "{line}");
        };
        check("test result: ok. 2 passed; 0 failed; 0 ignored", 0, true);
        check("test result: ok. 2 passed; 0 failed; 0 ignored", 1, false);
        check("test result: ok. 1 passed; 0 failed; 0 ignored", 0, false);
        check(
            "test result: FAILED. 1 passed; 1 failed; 0 ignored",
            0,
            false,
        );
        check("", 0, false);
    }
}
