//! What a measurement has to say, and which of its limits do not hold.

use anyhow::{Context as _, bail};

/// A measurement's text for BENCHMARKS.md with the limits it went over.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub(super) text: String,
    broken: Vec<String>,
}

impl From<String> for Measured {
    fn from(text: String) -> Self {
        Self {
            text,
            broken: Vec::new(),
        }
    }
}

impl Measured {
    /// Takes another measurement's text and broken limits.
    pub(super) fn add(&mut self, other: Self) {
        self.text += &other.text;
        self.broken.extend(other.broken);
    }

    /// `value` must not be more than `limit`.
    pub(super) fn at_most(&mut self, what: &str, value: f64, limit: f64) {
        if value.is_nan() || value > limit {
            self.broken
                .push(format!("{what}: {value:.2} is more than {limit}"));
        }
    }

    /// `value` must not be less than `limit`.
    pub(super) fn at_least(&mut self, what: &str, value: f64, limit: f64) {
        if value.is_nan() || value < limit {
            self.broken
                .push(format!("{what}: {value:.2} is less than {limit}"));
        }
    }

    /// The first number behind `label` at the beginning of a line.
    pub(super) fn number(&self, label: &str) -> anyhow::Result<f64> {
        let behind = self
            .text
            .lines()
            .find_map(|line| line.trim_start().strip_prefix(label));
        let number = behind.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        number.with_context(|| format!("the measurement names no `{label}`"))
    }

    /// An error that names every limit that does not hold.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.broken.is_empty() {
            return Ok(());
        }
        bail!("limits that do not hold:\n{}", self.broken.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::Measured;

    #[test]
    fn a_limit_that_does_not_hold_is_named_and_an_unknown_number_holds_none() {
        let mut measured = Measured::from("ratio      0.600\npeak   5.1 MiB".to_owned());
        let (ratio, peak) = (measured.number("ratio"), measured.number("peak"));
        measured.at_least("ratio", ratio.unwrap(), 0.4);
        measured.at_most("peak", peak.unwrap(), 64.0);
        measured.check().unwrap();
        assert!(measured.number("resume").is_err());
        measured.at_least("other", f64::NAN, 0.0);
        measured.at_most("size", 10.5, 10.0);
        let words = measured.check().unwrap_err().to_string();
        assert!(words.contains("other") && words.contains("size: 10.50 is more than 10"));
    }
}
