//! One opening of a rollout. Offsets are those of the text, in a compressed file too.

use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::Path;
use std::time::SystemTime;

use super::FileIdentity;
use crate::Lines;

/// Enough for most first lines at once.
const FIRST: usize = 32 * 1024;

/// The text of a rollout from some offset on.
pub(super) struct Source {
    reader: Box<dyn Read + Send>,
    compressed: bool,
    /// The file as it was when it was opened.
    stamp: Stamp,
    /// Comes before what the reader gives.
    pending: VecDeque<u8>,
}

/// What tells cheaply that a file was written to or replaced.
#[derive(Debug, PartialEq, Eq)]
struct Stamp(u64, Option<SystemTime>);

impl Source {
    /// Opens the text at `offset`, or at its end if that comes first; tells which offset it is.
    pub(super) fn open(path: &Path, offset: u64) -> io::Result<(Self, u64)> {
        let mut file = File::open(path)?;
        let meta = file.metadata()?;
        let compressed = path.extension().is_some_and(|extension| extension == "zst");
        let at = if compressed {
            0
        } else {
            offset.min(meta.len())
        };
        file.seek(SeekFrom::Start(at))?;
        let reader: Box<dyn Read + Send> = if compressed {
            Box::new(zstd::Decoder::new(file)?)
        } else {
            Box::new(file)
        };
        let mut source = Self {
            reader,
            compressed,
            stamp: Stamp::of(&meta),
            pending: VecDeque::new(),
        };
        let passed = source.pass(offset - at)?;
        Ok((source, at + passed))
    }

    /// Passes over so many bytes, or all there are; tells how many those were.
    fn pass(&mut self, bytes: u64) -> io::Result<u64> {
        let mut buffer = vec![0; FIRST];
        let mut passed = 0;
        while passed < bytes {
            let wanted = usize::try_from(bytes - passed).map_or(FIRST, |left| left.min(FIRST));
            match self.read(buffer.get_mut(..wanted).unwrap_or_default())? {
                0 => break,
                count => passed += count as u64,
            }
        }
        Ok(passed)
    }

    /// The next bytes; 0 at the end of what there is.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.pending.is_empty() {
            return self.pending.read(buffer);
        }
        loop {
            match self.reader.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A compressed file that is still being written: what is there was read.
                Err(error) if self.compressed && error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Ok(0);
                }
                result => return result,
            }
        }
    }

    /// Puts bytes back: they come again before all others.
    pub(super) fn put_back(&mut self, bytes: Vec<u8>) {
        let mut pending = VecDeque::from(bytes);
        pending.append(&mut self.pending);
        self.pending = pending;
    }

    /// Whether to open it anew is dear: all that comes before an offset must be decompressed.
    pub(super) fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// Whether the file at `path` is as it was.
    pub(super) fn is_current(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|meta| Stamp::of(&meta) == self.stamp)
    }
}

impl Stamp {
    fn of(meta: &Metadata) -> Self {
        Self(meta.len(), meta.modified().ok())
    }
}

/// The identity of the file at `path`; `None` until its first line is whole.
pub(super) fn identity(path: &Path) -> io::Result<Option<FileIdentity>> {
    let (mut source, _) = Source::open(path, 0)?;
    let mut first = None;
    let mut lines = Lines::new(0);
    let mut buffer = vec![0; FIRST];
    while first.is_none() {
        let count = source.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        lines.push(buffer.get(..count).unwrap_or_default(), &mut |_, line| {
            first.get_or_insert_with(|| FileIdentity::of(line));
        });
    }
    Ok(first)
}
