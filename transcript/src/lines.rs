//! Bytes in, whole lines and their absolute offsets out.

use memchr::memchr;

/// The longest line that is kept, in bytes (64 MiB). Codex caps tool outputs far below it; only
/// pictures and pasted files come near.
pub const MAX_LINE: usize = 64 * 1024 * 1024;

/// Splits a stream of bytes, given in pieces of any size, into lines. A last line without its
/// newline waits for the rest; a line longer than the bound is passed over and counted.
#[derive(Debug)]
pub struct Lines {
    /// Offset of the next byte to come.
    offset: u64,
    /// Beginning of a line whose end is still to come.
    partial: Vec<u8>,
    /// Bytes of the current line that were dropped because it is too long.
    dropped: u64,
    too_long: u64,
    max: usize,
}

impl Lines {
    /// Begins at an absolute offset, which must be that of a line.
    pub fn new(offset: u64) -> Self {
        Self::bounded(offset, MAX_LINE)
    }

    /// The same with another bound than [`MAX_LINE`].
    pub fn bounded(offset: u64, max: usize) -> Self {
        Self {
            offset,
            partial: Vec::new(),
            dropped: 0,
            too_long: 0,
            max,
        }
    }

    /// Takes more bytes; `line` gets each line they complete, without its newline, and the
    /// absolute offset it begins at.
    pub fn push(&mut self, mut bytes: &[u8], line: &mut dyn FnMut(u64, &[u8])) {
        while let Some(end) = memchr(b'\n', bytes) {
            let (head, rest) = bytes.split_at(end);
            let rest = rest.get(1..).unwrap_or_default();
            self.complete(head, line);
            bytes = rest;
        }
        self.keep(bytes);
    }

    fn complete(&mut self, head: &[u8], line: &mut dyn FnMut(u64, &[u8])) {
        let begun = self.line_offset();
        self.offset += head.len() as u64 + 1;
        if self.dropped > 0 || self.partial.len() + head.len() > self.max {
            self.too_long += 1;
            self.dropped = 0;
        } else if self.partial.is_empty() {
            line(begun, head);
        } else {
            self.partial.extend_from_slice(head);
            line(begun, &self.partial);
        }
        self.partial.clear();
        // One long line must not hold its memory for the rest of the file.
        self.partial.shrink_to(KEPT);
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.offset += bytes.len() as u64;
        if self.dropped > 0 || self.partial.len() + bytes.len() > self.max {
            self.dropped += (self.partial.len() + bytes.len()) as u64;
            self.partial = Vec::new();
        } else {
            self.partial.extend_from_slice(bytes);
        }
    }

    /// Offset at which the next line, perhaps begun already, begins.
    pub fn line_offset(&self) -> u64 {
        self.offset - self.partial.len() as u64 - self.dropped
    }

    /// Lines passed over so far because they were too long.
    pub fn too_long(&self) -> u64 {
        self.too_long
    }
}

const KEPT: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&str], max: usize) -> (Vec<(u64, String)>, Lines) {
        let mut lines = Lines::bounded(100, max);
        let mut seen = Vec::new();
        for piece in pieces {
            lines.push(piece.as_bytes(), &mut |offset, line| {
                seen.push((offset, String::from_utf8_lossy(line).into_owned()));
            });
        }
        (seen, lines)
    }

    #[test]
    fn lines_come_whole_with_their_offsets() {
        let expected = vec![
            (100, "ab".to_owned()),
            (103, String::new()),
            (104, "cd".to_owned()),
        ];
        assert_eq!(split(&["ab\n\ncd\nhalf"], 9).0, expected);
        assert_eq!(split(&["a", "b", "\n", "\nc", "d\n", "ha"], 9).0, expected);
    }

    #[test]
    fn half_a_line_waits_at_its_offset() {
        let (seen, lines) = split(&["ab\nhal", "f"], 9);
        assert_eq!(seen.len(), 1);
        assert_eq!(lines.line_offset(), 103);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_and_counted() {
        for pieces in [&["abcdef\nok\n"][..], &["abc", "def", "\nok\n"]] {
            let (seen, lines) = split(pieces, 5);
            assert_eq!(seen, vec![(107, "ok".to_owned())]);
            assert_eq!(lines.too_long(), 1);
            assert_eq!(lines.line_offset(), 110);
        }
    }

    #[test]
    fn a_long_line_still_coming_keeps_its_beginning() {
        let (seen, lines) = split(&["x\nabcdefgh"], 5);
        assert_eq!(seen.len(), 1);
        assert_eq!(lines.line_offset(), 102);
    }
}
