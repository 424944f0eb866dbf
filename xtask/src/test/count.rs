//! Adding up what passed, failed and was skipped.

use anyhow::bail;

/// The sums.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
    /// What failed, besides single tests.
    broken: Vec<String>,
    /// Test programs that have begun and not ended.
    open: usize,
    /// Tests that failed, then passed when they were run again.
    unsteady: Vec<String>,
}

impl Count {
    /// Counts a check that is not a set of tests.
    pub(super) fn step(&mut self, name: &str, outcome: anyhow::Result<()>) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(error) => {
                eprintln!("FAILED {name}: {error:#}");
                self.failed += 1;
                self.broken.push(name.to_owned());
            }
        }
    }

    /// Whether something besides single tests failed: a check, or a test program that died.
    pub(super) fn is_broken(&self) -> bool {
        self.open > 0 || !self.broken.is_empty()
    }

    /// Counts test programs that have begun and not ended as failed.
    pub(super) fn close_programs(&mut self) {
        for _ in 0..std::mem::take(&mut self.open) {
            self.step("test", Err(anyhow::anyhow!("a test program died")));
        }
    }

    /// Adds a line `test result: … 3 passed; 0 failed; 1 ignored; …`, which ends what a line
    /// `running 4 tests` began; other lines count nothing.
    pub(super) fn add_result(&mut self, line: &str) {
        if is_beginning(line) {
            self.open += 1;
        }
        let Some(result) = line.trim_start().strip_prefix("test result: ") else {
            return;
        };
        let number = |word: &str| -> usize {
            let mut fields = result.split([';', '.']).map(str::trim);
            let field = fields.find_map(|field| field.strip_suffix(word));
            field
                .and_then(|field| field.trim().parse().ok())
                .unwrap_or(0)
        };
        self.open = self.open.saturating_sub(1);
        self.passed += number(" passed");
        self.failed += number(" failed");
        self.skipped += number(" ignored");
    }

    /// Counts these tests, which were counted as failed, as passed.
    pub(super) fn passed_again(&mut self, names: &[String]) {
        self.failed = self.failed.saturating_sub(names.len());
        self.passed += names.len();
        self.unsteady.extend_from_slice(names);
    }

    /// Whether tests passed only when they were run again.
    pub(super) fn has_second_run(&self) -> bool {
        !self.unsteady.is_empty()
    }

    /// Adds the sums of another.
    pub(super) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.open += other.open;
        self.broken.extend(other.broken);
        self.unsteady.extend(other.unsteady);
    }

    /// Prints the sums as the last line; fails if something failed.
    pub(super) fn report(self) -> anyhow::Result<()> {
        let Self {
            passed,
            failed,
            skipped,
            broken,
            unsteady,
            ..
        } = self;
        if !broken.is_empty() {
            say!("failed: {}", broken.join(", "));
        }
        if !unsteady.is_empty() {
            say!("failed, then passed alone: {}", unsteady.join(", "));
        }
        say!("{passed} passed, {failed} failed, {skipped} skipped");
        if failed > 0 || !broken.is_empty() {
            bail!("not everything passed");
        }
        Ok(())
    }
}

/// Whether a test program says that it begins: `running 4 tests`.
fn is_beginning(line: &str) -> bool {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["running", number, "test" | "tests"] => number.parse::<usize>().is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn a_test_program_that_dies_is_a_failure() {
        let mut count = Count::default();
        for line in [
            "running 1 test",
            "test result: ok. 1 passed; 0 failed",
            "running 7 tests",
        ] {
            count.add_result(line);
        }
        assert!(count.is_broken());
        count.close_programs();
        assert_eq!((count.passed, count.failed), (1, 1));
        assert!(count.report().is_err());
    }

    #[test]
    fn results_of_test_binaries_are_added_up() {
        let mut count = Count::default();
        for line in [
            "running 2 tests",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s",
            "test result: FAILED. 31 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.52s",
        ] {
            count.add_result(line);
        }
        count.step("fmt", Ok(()));
        count.step("clippy", Err(anyhow::anyhow!("a lint")));
        assert_eq!((count.passed, count.failed, count.skipped), (44, 3, 1));
        assert!(count.report().is_err());
    }

    #[test]
    fn a_test_that_passes_alone_is_not_counted_as_failed_but_told() {
        let mut count = Count::default();
        count.add_result("test result: FAILED. 31 passed; 1 failed; 0 ignored");
        count.passed_again(&["e2e::one".to_owned()]);
        assert_eq!((count.passed, count.failed), (32, 0));
        assert_eq!(count.unsteady, ["e2e::one"]);
        count.report().unwrap();
    }
}
