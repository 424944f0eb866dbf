//! One thread's rollout, read as it grows.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use codex_tracing_transcript::{
    Assembler, Carry, Delegation, FileIdentity, Scrub, Session, Skipped, Tail, Turn,
};

use super::portion::{Portion, put};

/// First lines hold base instructions; a longer one is not read ahead.
const HEADER_LIMIT: u64 = 4 << 20;

/// Where reading of a thread begins.
#[derive(Debug, Clone, Default)]
pub(crate) struct ThreadStart {
    /// Where its rollout was last seen.
    pub(crate) path: Option<PathBuf>,
    /// Which file that was.
    pub(crate) identity: Option<FileIdentity>,
    /// Where to go on.
    pub(crate) carry: Option<Carry>,
    /// Everything up to this offset is dealt with: a file of just this size has nothing new.
    pub(crate) read_to: Option<u64>,
}

/// Follows one rollout and hands out its turns.
pub(crate) struct ThreadReader {
    id: String,
    start: ThreadStart,
    tail: Option<Tail>,
    assembler: Assembler,
    ready: VecDeque<Turn>,
    seen: Option<(u64, Option<SystemTime>)>,
    more: bool,
    /// The assembler has lines of a file.
    begun: bool,
    foreign: bool,
    too_long: u64,
    /// Header of a thread that is not held in memory.
    parked: Option<Session>,
    /// The running turn as it was put together last, if nothing came since.
    looked: Option<Rc<Turn>>,
}

/// A running turn.
pub(crate) struct OpenTurn {
    pub(crate) turn: Rc<Turn>,
    /// Something came since the last look at it.
    pub(crate) has_changed: bool,
}

/// What a look at a rollout showed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Growth {
    /// There were new lines.
    pub(crate) grew: bool,
    /// There are more that were not taken yet.
    pub(crate) more: bool,
    /// Bytes read.
    pub(crate) bytes: u64,
    /// There is no such file.
    pub(crate) missing: bool,
}

impl ThreadReader {
    pub(crate) fn new(id: String, start: ThreadStart, scrub: &Arc<dyn Scrub>) -> Self {
        Self {
            id,
            start,
            tail: None,
            assembler: Assembler::new(Arc::clone(scrub)),
            ready: VecDeque::new(),
            seen: None,
            more: false,
            begun: false,
            foreign: false,
            too_long: 0,
            parked: None,
            looked: None,
        }
    }

    /// Frees what the thread holds in memory. Should its rollout grow, it is read again from
    /// where the cursor says.
    pub(crate) fn park(&mut self, identity: FileIdentity, carry: Carry, scrub: &Arc<dyn Scrub>) {
        self.parked.clone_from(&carry.session);
        self.start.identity = Some(identity);
        self.start.carry = Some(carry);
        self.start.read_to = None;
        self.tail = None;
        self.looked = None;
        self.assembler = Assembler::new(Arc::clone(scrub));
    }

    /// Whether a thread that was done in an earlier run has stayed as it was.
    fn is_unchanged(&mut self, len: u64) -> bool {
        let unchanged = self.tail.is_none() && self.start.read_to.take() == Some(len);
        if unchanged {
            let carry = self.start.carry.as_ref();
            self.parked = carry.and_then(|carry| carry.session.clone());
        }
        unchanged && self.parked.is_some()
    }

    /// Reads what is new. A rollout that is not there (yet, or any more) is no error: it is missing
    /// and has not grown.
    pub(crate) fn poll(&mut self, scrub: &Arc<dyn Scrub>) -> io::Result<Growth> {
        if self.foreign {
            return Ok(Growth::default());
        }
        // Size and time: cheap, and enough to see that nothing happened.
        let Some(stat) = self.start.path.as_deref().and_then(stat) else {
            self.more = false;
            return Ok(Growth {
                missing: true,
                ..Growth::default()
            });
        };
        if self.seen == Some(stat) && !self.more {
            return Ok(Growth::default());
        }
        if self.is_unchanged(stat.0) {
            self.seen = Some(stat);
            return Ok(Growth::default());
        }
        self.looked = None;
        if let Err(error) = self.open_once(scrub) {
            self.more = false;
            return Err(error);
        }
        // Where reading fails it is tried again, though the file may stay as it is.
        self.seen = None;
        let bytes = self.read(scrub)?;
        self.seen = Some(stat);
        Ok(Growth {
            grew: bytes > 0,
            more: self.more,
            bytes,
            missing: false,
        })
    }

    /// Takes a rollout found by thread id. Moved to the archive or compressed, it has the same
    /// lines under another name.
    pub(crate) fn found(&mut self, path: PathBuf) {
        if self.start.path.as_ref() != Some(&path)
            && let Some(tail) = self.tail.take()
        {
            self.start.identity = tail.identity();
            self.start.carry = None;
            self.seen = None;
        }
        self.start.path = Some(path);
    }

    fn open_once(&mut self, scrub: &Arc<dyn Scrub>) -> io::Result<()> {
        if self.tail.is_some() {
            return Ok(());
        }
        let path = self.start.path.clone().unwrap_or_default();
        let resumed = match (&self.start.identity, &self.start.carry) {
            (Some(identity), Some(carry)) => {
                let tail = Tail::resume(&path, identity, carry.offset)?;
                (tail.offset() == carry.offset).then(|| (tail, carry.clone()))
            }
            _ => None,
        };
        if let Some((tail, mut carry)) = resumed {
            // The header is kept without base instructions; the file has them.
            if let Some(header) = read_header(&path, scrub) {
                carry.session = Some(header);
            }
            self.begun = carry.offset > 0;
            self.assembler = Assembler::resume(Arc::clone(scrub), carry);
            self.tail = Some(tail);
        } else {
            self.begun = false;
            self.assembler = Assembler::new(Arc::clone(scrub));
            self.tail = Some(Tail::open(&path)?);
        }
        Ok(())
    }

    fn read(&mut self, scrub: &Arc<dyn Scrub>) -> io::Result<u64> {
        let Some(tail) = &mut self.tail else {
            return Ok(0);
        };
        let mut portion = Portion {
            assembler: &mut self.assembler,
            ready: &mut self.ready,
            scrub,
            begun: &mut self.begun,
            taken: 0,
            asked: 0,
        };
        let begun = tail.offset();
        let progress = tail.read_while(&mut |offset, line| portion.take(offset, line));
        put(&mut self.ready, self.assembler.take_turns());
        let bytes = match progress {
            Ok(progress) => {
                self.more = progress.stopped;
                self.too_long += progress.too_long;
                progress.bytes
            }
            // What comes before a broken place is as good as ever; the next call tells of the place.
            Err(_) if tail.offset() != begun => {
                self.more = true;
                tail.offset().abs_diff(begun)
            }
            Err(error) => {
                self.more = false;
                return Err(error);
            }
        };
        if self
            .assembler
            .session()
            .is_some_and(|session| session.thread_id != self.id)
        {
            tracing::warn!(thread = self.id, path = %tail.path().display(), "rollout belongs to another thread, ignored");
            self.foreign = true;
            self.ready.clear();
            return Ok(0);
        }
        Ok(bytes)
    }

    pub(crate) fn next_turn(&mut self) -> Option<Turn> {
        self.ready.pop_front()
    }

    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Whether lines are known to wait behind the portion read last.
    pub(crate) fn has_more(&self) -> bool {
        self.more
    }

    /// The running turn; put together anew only if something came since the last time.
    pub(crate) fn open_turn(&mut self) -> Option<OpenTurn> {
        if self.foreign || self.more {
            return None;
        }
        let has_changed = self.looked.is_none();
        if has_changed {
            self.looked = self.assembler.open_turn().map(Rc::new);
        }
        let turn = Rc::clone(self.looked.as_ref()?);
        Some(OpenTurn { turn, has_changed })
    }

    /// What the running turn has given to others, if anything.
    pub(crate) fn open_delegation(&self) -> Option<Delegation> {
        if self.foreign || self.more {
            return None;
        }
        self.assembler.open_delegation()
    }

    pub(crate) fn cut_off(&mut self) {
        self.looked = None;
        self.assembler.cut_off();
        put(&mut self.ready, self.assembler.take_turns());
    }

    pub(crate) fn header(&self) -> Option<&Session> {
        let header = self.assembler.session().or(self.parked.as_ref());
        header.filter(|_| !self.foreign)
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.start.path.as_deref()
    }

    /// Takes a path that a hook named, if none is known yet.
    pub(crate) fn hint(&mut self, path: &Path) {
        if self.start.path.is_none() {
            self.start.path = Some(path.to_owned());
        }
    }

    /// Where to go on after turn `settled`: file identity and carry, without base instructions.
    pub(crate) fn mark(&self, settled: u32) -> Option<(FileIdentity, Carry)> {
        let identity = self.tail.as_ref()?.identity()?;
        let mut carry = self.assembler.carry(settled)?;
        if let Some(session) = &mut carry.session {
            session.base_instructions = None;
        }
        Some((identity, carry))
    }

    /// Everything up to this offset is dealt with, if nothing is open or waits.
    pub(crate) fn read_to(&self) -> Option<u64> {
        let busy = self.more || self.has_ready() || self.assembler.has_open_turn();
        self.tail.as_ref().filter(|_| !busy).map(Tail::offset)
    }

    /// What was left out of the part read by this process, by reason.
    pub(crate) fn skipped(&self) -> Skipped {
        let mut skipped = self.assembler.skipped().clone();
        if self.too_long > 0 {
            skipped.counts.insert("too_long".to_owned(), self.too_long);
        }
        skipped
    }
}

fn stat(path: &Path) -> Option<(u64, Option<SystemTime>)> {
    let meta = std::fs::metadata(path)
        .ok()
        .filter(std::fs::Metadata::is_file)?;
    Some((meta.len(), meta.modified().ok()))
}

/// The header from the first line of a rollout.
pub(super) fn read_header(path: &Path, scrub: &Arc<dyn Scrub>) -> Option<Session> {
    // Opening a FIFO would wait for a writer.
    stat(path)?;
    let line = if path.extension().is_some_and(|extension| extension == "zst") {
        first_compressed_line(path)?
    } else {
        first_line(path)?
    };
    let mut assembler = Assembler::new(Arc::clone(scrub));
    assembler.push(0, &line);
    assembler.session().cloned()
}

fn first_line(path: &Path) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    BufReader::new(file.take(HEADER_LIMIT))
        .read_until(b'\n', &mut line)
        .ok()?;
    (line.pop() == Some(b'\n')).then_some(line)
}

fn first_compressed_line(path: &Path) -> Option<Vec<u8>> {
    let mut line = None;
    let mut tail = Tail::open(path).ok()?;
    tail.read_while(&mut |_, bytes| {
        line = (bytes.len() as u64 <= HEADER_LIMIT).then(|| bytes.to_vec());
        ControlFlow::Break(())
    })
    .ok()?;
    line
}
