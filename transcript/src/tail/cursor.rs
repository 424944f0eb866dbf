//! The decision whether an offset still means what it meant.

use super::FileIdentity;

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// At the offset.
    Continue,
    /// At the beginning of the file.
    Over,
}

/// Continues only in the file the offset was taken from (`(then, now)` are its identities), and
/// only if that file is still as long.
pub(super) fn start(
    known: (Option<&FileIdentity>, Option<&FileIdentity>),
    offset: u64,
    len: u64,
) -> Start {
    match known {
        (Some(then), Some(now)) if then == now && offset <= len => Start::Continue,
        _ => Start::Over,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_counts_only_in_the_file_it_was_taken_from() {
        let a = FileIdentity::of(b"a");
        let b = FileIdentity::of(b"b");
        let check = |then, now, offset, len, expected| {
            assert_eq!(start((then, now), offset, len), expected);
        };
        check(Some(&a), Some(&a), 5, 9, Start::Continue);
        check(Some(&a), Some(&a), 9, 9, Start::Continue);
        check(Some(&a), Some(&a), 10, 9, Start::Over);
        check(Some(&a), Some(&b), 5, 9, Start::Over);
        check(Some(&a), None, 5, 9, Start::Over);
        check(None, Some(&a), 5, 9, Start::Over);
    }
}
