//! Reading a rollout as it grows: whole lines, absolute offsets, file identity.
//!
//! An offset is trusted only in the file it was taken from: `codex migrate-rollouts` rewrites
//! files in place under the same name, and a session may move to the archive and back under the
//! same content. So a file is known by its first line, not by its path or inode.

mod cursor;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::cursor::{Start, start};
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
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    offset: u64,
    identity: Option<FileIdentity>,
}

impl Tail {
    /// Opens at the beginning.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut source = Source::open(path)?;
        let identity = source.identity()?;
        Ok(Self {
            path: path.to_owned(),
            offset: 0,
            identity,
        })
    }

    /// Opens at `offset` if the file still is the one `identity` names and at least that long;
    /// else at the beginning (`offset()` tells which).
    pub fn resume(path: &Path, identity: &FileIdentity, offset: u64) -> io::Result<Self> {
        let mut tail = Self::open(path)?;
        let len = Source::open(path)?.len_from(offset)?;
        let known = (Some(identity), tail.identity.as_ref());
        if start(known, offset, len) == Start::Continue {
            tail.offset = offset;
        }
        Ok(tail)
    }

    /// Hands every whole line that is there now to `line` with its absolute offset. Lines beyond
    /// the bound (64 MiB) are skipped and counted in the result.
    pub fn read(&mut self, line: &mut dyn FnMut(u64, &[u8])) -> io::Result<Progress> {
        self.read_while(&mut |offset, bytes| {
            line(offset, bytes);
            ControlFlow::Continue(())
        })
    }

    /// As [`Tail::read`], until `line` breaks: the line it broke at was not taken and is the first of
    /// the next call. No more of the file is read than the buffer in which that line ends.
    pub fn read_while(
        &mut self,
        line: &mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>,
    ) -> io::Result<Progress> {
        let mut source = Source::open(&self.path)?;
        let identity = source.identity()?;
        let len = source.len_from(self.offset)?;
        let known = (self.identity.as_ref(), identity.as_ref());
        let restarted = self.offset > 0 && start(known, self.offset, len) == Start::Over;
        if restarted {
            self.offset = 0;
        }
        self.identity = identity;
        let mut lines = Lines::new(self.offset);
        source.seek(self.offset)?;
        let mut buffer = vec![0; BUFFER];
        let mut stopped_at = None;
        while stopped_at.is_none() {
            let count = match source.reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // A compressed file that is still being written: what is there was read.
                Err(error) if source.compressed && error.kind() == io::ErrorKind::UnexpectedEof => {
                    break;
                }
                Err(error) => return Err(error),
            };
            let bytes = buffer.get(..count).unwrap_or_default();
            lines.push(bytes, &mut |offset, bytes| {
                if stopped_at.is_none() && line(offset, bytes).is_break() {
                    stopped_at = Some(offset);
                }
            });
        }
        let begun = self.offset;
        self.offset = stopped_at.unwrap_or_else(|| lines.line_offset());
        Ok(Progress {
            bytes: self.offset - begun,
            too_long: lines.too_long(),
            restarted,
            stopped: stopped_at.is_some(),
        })
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
    /// The file was truncated or replaced: reading began again at 0, and whatever was assembled
    /// from it must be thrown away before the lines of this call are used.
    pub restarted: bool,
    /// There are lines that were not taken: the caller wanted no more.
    pub stopped: bool,
}

/// One opening of the file. Offsets are those of the text, in a compressed file too.
struct Source {
    path: PathBuf,
    reader: Box<dyn Read>,
    compressed: bool,
}

impl Source {
    fn open(path: &Path) -> io::Result<Self> {
        let compressed = path.extension().is_some_and(|extension| extension == "zst");
        Ok(Self {
            path: path.to_owned(),
            reader: reader(path, compressed, 0)?,
            compressed,
        })
    }

    fn seek(&mut self, offset: u64) -> io::Result<()> {
        self.reader = reader(&self.path, self.compressed, offset)?;
        Ok(())
    }

    /// Whether the text reaches `offset`: its length, or `offset` itself where finding the length
    /// would mean to decompress all of it.
    fn len_from(&mut self, offset: u64) -> io::Result<u64> {
        if !self.compressed {
            return Ok(std::fs::metadata(&self.path)?.len());
        }
        let mut reader = reader(&self.path, true, 0)?;
        io::copy(&mut reader.by_ref().take(offset), &mut io::sink())
    }

    /// Reads the first line.
    fn identity(&mut self) -> io::Result<Option<FileIdentity>> {
        let mut first = None;
        let mut lines = Lines::new(0);
        let mut buffer = vec![0; FIRST];
        let mut reader = reader(&self.path, self.compressed, 0)?;
        while first.is_none() {
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if self.compressed && error.kind() == io::ErrorKind::UnexpectedEof => {
                    break;
                }
                Err(error) => return Err(error),
            };
            lines.push(buffer.get(..count).unwrap_or_default(), &mut |_, line| {
                first.get_or_insert_with(|| FileIdentity::of(line));
            });
        }
        Ok(first)
    }
}

const FIRST: usize = 32 * 1024;

fn reader(path: &Path, compressed: bool, offset: u64) -> io::Result<Box<dyn Read>> {
    let mut file = File::open(path)?;
    if !compressed {
        file.seek(SeekFrom::Start(offset))?;
        return Ok(Box::new(file));
    }
    let mut reader = zstd::Decoder::new(file)?;
    io::copy(&mut reader.by_ref().take(offset), &mut io::sink())?;
    Ok(Box::new(reader))
}
