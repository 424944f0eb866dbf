//! Reading a rollout as it grows: whole lines, absolute offsets, file identity.
//!
//! An offset is trusted only in the file it was taken from: `codex migrate-rollouts` rewrites
//! files in place under the same name, and a session may move to the archive and back under the
//! same content. So a file is known by its first line, not by its path or inode.

mod cursor;
mod source;

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::cursor::{Start, start};
use self::source::Source;
use crate::Lines;

/// Tells a file that grew from one that was replaced, whatever its path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIdentity {
    /// Checksum over the first line (complete, without its newline), as hex.
    pub first_line: String,
}

impl FileIdentity {
    fn of(first_line: &[u8]) -> Self {
        let checksum = xxhash_rust::xxh3::xxh3_128(first_line);
        Self {
            first_line: format!("{checksum:032x}"),
        }
    }
}

/// Follows one rollout, plain or compressed.
pub struct Tail {
    path: PathBuf,
    offset: u64,
    identity: Option<FileIdentity>,
    /// A compressed file that was read as far as `offset`, and no further because nobody wanted more.
    kept: Option<Source>,
}

impl Tail {
    /// Opens at the beginning.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            offset: 0,
            identity: source::identity(path)?,
            kept: None,
        })
    }

    /// Opens at `offset` if the file still is the one `identity` names and at least that long;
    /// else at the beginning (`offset()` tells which).
    pub fn resume(path: &Path, identity: &FileIdentity, offset: u64) -> io::Result<Self> {
        let mut tail = Self::open(path)?;
        let (source, reached) = Source::open(path, offset)?;
        let known = (Some(identity), tail.identity.as_ref());
        if start(known, offset, reached) == Start::Continue {
            tail.offset = offset;
            tail.kept = Some(source).filter(Source::is_compressed);
        }
        Ok(tail)
    }

    /// Hands every whole line that is there now to `line` with its absolute offset. Lines beyond
    /// the bound (64 MiB) are skipped and counted in the result.
    ///
    /// Where the file was truncated or replaced, reading begins again: a line at offset 0 that is not
    /// the first one says that whatever was assembled from those before it must be thrown away.
    pub fn read(&mut self, line: &mut dyn FnMut(u64, &[u8])) -> io::Result<Progress> {
        self.read_while(&mut |offset, bytes| {
            line(offset, bytes);
            ControlFlow::Continue(())
        })
    }

    /// As [`Tail::read`], until `line` breaks: the line it broke at was not taken and is the first of
    /// the next call. No more of the file is read than the buffer in which that line ends. After an
    /// error the next call goes on behind the last line that was handed on.
    ///
    /// A compressed file stays open after a break: its text can only be gone through from the start.
    pub fn read_while(
        &mut self,
        line: &mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>,
    ) -> io::Result<Progress> {
        let mut source = self.source()?;
        let begun = self.offset;
        let mut lines = Lines::new(begun);
        let mut buffer = vec![0; BUFFER];
        let mut position = begun;
        let mut stopped_at = None;
        while stopped_at.is_none() {
            let count = match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => {
                    // What was handed on must not come again.
                    self.offset = lines.line_offset();
                    return Err(error);
                }
            };
            let bytes = buffer.get(..count).unwrap_or_default();
            lines.push(bytes, &mut |offset, text| {
                if stopped_at.is_none() && line(offset, text).is_break() {
                    stopped_at = Some(offset);
                    if source.is_compressed() {
                        let next = offset + text.len() as u64 + 1;
                        let behind = usize::try_from(next - position).unwrap_or(count);
                        let rest = bytes.get(behind..).unwrap_or_default();
                        source.put_back([text, b"\n", rest].concat());
                    }
                }
            });
            position += count as u64;
        }
        self.offset = stopped_at.unwrap_or_else(|| lines.line_offset());
        self.kept = stopped_at.map(|_| source).filter(Source::is_compressed);
        Ok(Progress {
            bytes: self.offset - begun,
            too_long: lines.too_long(),
            stopped: stopped_at.is_some(),
        })
    }

    /// The text from `offset` on, or from the beginning where that is another file's.
    fn source(&mut self) -> io::Result<Source> {
        if let Some(kept) = self.kept.take()
            && kept.is_current(&self.path)
        {
            return Ok(kept);
        }
        let identity = source::identity(&self.path)?;
        let (source, reached) = Source::open(&self.path, self.offset)?;
        let known = (self.identity.as_ref(), identity.as_ref());
        let begins_again = self.offset > 0 && start(known, self.offset, reached) == Start::Over;
        self.identity = identity;
        if begins_again {
            self.offset = 0;
            return Ok(Source::open(&self.path, 0)?.0);
        }
        Ok(source)
    }

    /// Where the next line begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The file's identity; `None` until its first line is whole.
    pub fn identity(&self) -> Option<FileIdentity> {
        self.identity.clone()
    }

    /// Path being read.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

const BUFFER: usize = 256 * 1024;

/// What one [`Tail::read`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of whole lines consumed.
    pub bytes: u64,
    /// Lines skipped because they were longer than the bound.
    pub too_long: u64,
    /// There are lines that were not taken: the caller wanted no more.
    pub stopped: bool,
}
