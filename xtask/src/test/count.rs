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

    /// Adds a line `test result: … 3 passed; 0 failed; 1 ignored; …`; other lines count nothing.
    pub(super) fn add_result(&mut self, line: &str) {
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

    /// Prints the sums as the last line; fails if something failed.
    pub(super) fn report(self) -> anyhow::Result<()> {
        let Self {
            passed,
            failed,
            skipped,
            broken,
            unsteady,
        } = self;
        if !broken.is_empty() {
            say!("failed: {}", broken.join(", "));
        }
        if !unsteady.is_empty() {
            say!("failed, then passed alone: {}", unsteady.join(", "));
        }
        say!("{passed} passed, {failed} failed, {skipped} skipped");
        if failed > 0 {
            bail!("not everything passed");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

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
