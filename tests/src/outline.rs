//! Traces as text, compared as a whole.

/// Fails with both texts unless `found` is `expected`, which may be indented as a whole and stand
/// between empty lines.
///
/// # Panics
///
/// If they differ.
pub fn assert_outline(found: &str, expected: &str) {
    let expected = unindented(expected);
    assert!(
        found.trim_end() == expected.trim_end(),
        "found:\n{found}\nexpected:\n{expected}"
    );
}

fn unindented(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let indent = |line: &str| line.len() - line.trim_start().len();
    let least = lines.clone().map(indent).min().unwrap_or_default();
    lines.fold(String::new(), |text, line| text + &line[least..] + "\n")
}

#[cfg(test)]
mod tests {
    use super::assert_outline;

    #[test]
    fn the_indentation_of_the_whole_does_not_count() {
        assert_outline(
            "a\n  b\n",
            "
                a
                  b
            ",
        );
    }

    #[test]
    #[should_panic(expected = "found")]
    fn the_indentation_of_a_line_counts() {
        assert_outline("a\n  b\n", "a\nb");
    }
}
