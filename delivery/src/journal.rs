//! Hook events of a session, one JSON object per line; no prompts, outputs, arguments or keys.
//!
//! Each line is written by one `write` in append mode, so that hooks that run at the same time do
//! not mix. Readers take whole lines only; a torn or foreign line is skipped and counted. Lines of
//! a newer version are read as far as their fields are known.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Mode, ProcessMark, SessionDir, StateError};
use crate::{failpoint, secure_file};

/// Version of the line format.
pub const JOURNAL_VERSION: u32 = 1;
/// Longer lines are not ours.
const LINE_LIMIT: usize = 64 * 1024;
/// What one read takes at most; the rest comes with the next.
const READ_LIMIT: u64 = 4 << 20;

/// One hook event, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// [`JOURNAL_VERSION`] of the writer.
    #[serde(rename = "v")]
    pub version: u32,
    /// When the hook ran.
    pub at: Timestamp,
    /// `hook_event_name`.
    pub event: String,
    /// `session_id`: the root thread (before Codex 0.140: the thread).
    pub session_id: String,
    /// `agent_id`: the subagent's thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// `transcript_path`; not always that of `session_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript_path: Option<PathBuf>,
    /// `agent_transcript_path` of `SubagentStop`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_transcript_path: Option<PathBuf>,
    /// `turn_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_id: Option<String>,
    /// `cwd`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<PathBuf>,
    /// `source` of `SessionStart`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `permission_mode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission_mode: Option<String>,
    /// `trigger` of `PreCompact` and `PostCompact`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// `reason` of `SessionEnd`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The Codex process that ran the hook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessMark>,
    /// How much of the turn may leave, as decided when the hook ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The hook holds the turn until it is delivered: its word that the turn is over is to be
    /// taken, because the end record comes only after the hook.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closes_turn: bool,
    /// The prompt was a command to us, which the hook has answered: no turn of anybody's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub command: bool,
    /// The prompt was a command to another product, whose hook answers it where it is installed: then
    /// nothing more comes of the turn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub others_command: bool,
}

impl JournalEntry {
    /// An event with nothing but its name, session and time.
    pub fn new(event: impl Into<String>, session_id: impl Into<String>, at: Timestamp) -> Self {
        Self {
            version: JOURNAL_VERSION,
            at,
            event: event.into(),
            session_id: session_id.into(),
            agent_id: None,
            transcript_path: None,
            agent_transcript_path: None,
            turn_id: None,
            cwd: None,
            source: None,
            permission_mode: None,
            trigger: None,
            reason: None,
            process: None,
            mode: None,
            closes_turn: false,
            command: false,
            others_command: false,
        }
    }

    /// Whether this event tells that a Codex process has taken the session up. Its environment
    /// may be another than that of the process before, so its hook starts a worker of its own and
    /// a worker of that before makes way.
    pub fn begins_process(&self) -> bool {
        self.event == "SessionStart" && self.source.as_deref() != Some("compact")
    }
}

/// Appends `entry` to the session's journal, making the session's folder if need be. A line that
/// an earlier crash or full disk left torn is closed first. Gives the byte offset behind the entry.
/// Synchronous: part of the hook path.
pub fn append_journal(session: &SessionDir, entry: &JournalEntry) -> Result<u64, StateError> {
    session.create()?;
    let path = session.journal_file();
    failpoint::hit("before_journal");
    let end = append_line(&path, entry).map_err(|source| StateError::Write { path, source })?;
    failpoint::hit("after_journal");
    Ok(end)
}

fn append_line(path: &Path, entry: &JournalEntry) -> io::Result<u64> {
    let mut file = secure_file::open_append(path)?;
    let mut line = Vec::with_capacity(512);
    if ends_torn(&mut file)? {
        line.push(b'\n');
    }
    serde_json::to_writer(&mut line, entry)?;
    line.push(b'\n');
    // One write: either the whole line is there or, on a full disk, a torn one that is skipped.
    if file.write(&line)? < line.len() {
        return Err(io::Error::new(io::ErrorKind::StorageFull, "line cut short"));
    }
    // Appending has set it behind what was written, whoever else appended meanwhile.
    file.stream_position()
}

fn ends_torn(file: &mut std::fs::File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [b'\n'];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != [b'\n'])
}

/// Follows a session's journal as it grows.
#[derive(Debug, Clone)]
pub struct JournalReader {
    path: PathBuf,
    offset: u64,
    skipped: u64,
}

impl JournalReader {
    /// From the beginning; touches nothing yet.
    pub fn new(session: &SessionDir) -> Self {
        Self {
            path: session.journal_file(),
            offset: 0,
            skipped: 0,
        }
    }

    /// From `offset`, behind a line that [`JournalReader::read`] has given.
    pub(crate) fn resume(session: &SessionDir, offset: u64) -> Self {
        Self {
            offset,
            ..Self::new(session)
        }
    }

    /// Entries that came since the last call; none if there is no journal. A journal that was
    /// replaced by a shorter one is read from its beginning.
    pub fn read(&mut self) -> Result<Vec<JournalEntry>, StateError> {
        let entries = self.read_with_offsets()?;
        Ok(entries.into_iter().map(|(_, entry)| entry).collect())
    }

    /// The same, each with the byte offset of its line.
    pub(crate) fn read_with_offsets(&mut self) -> Result<Vec<(u64, JournalEntry)>, StateError> {
        let mut entries = Vec::new();
        loop {
            let before = self.offset;
            self.read_some(&mut entries)
                .map_err(|source| StateError::Read {
                    path: self.path.clone(),
                    source,
                })?;
            if self.offset == before {
                return Ok(entries);
            }
        }
    }

    fn read_some(&mut self, entries: &mut Vec<(u64, JournalEntry)>) -> io::Result<()> {
        let mut file = match secure_file::open_read(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let len = file.metadata()?.len();
        if len < self.offset {
            self.offset = 0;
        }
        if len == self.offset {
            return Ok(());
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        file.take(READ_LIMIT).read_to_end(&mut bytes)?;
        let full = bytes.len() as u64 == READ_LIMIT;
        let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else {
            if full {
                // Megabytes without a newline are no journal line: jump over them.
                self.offset += READ_LIMIT;
                self.skipped += 1;
            }
            return Ok(());
        };
        let lines = bytes.get(..end).unwrap_or_default();
        for line in lines.split(|byte| *byte == b'\n') {
            self.take_line(line, entries);
            self.offset += line.len() as u64 + 1;
        }
        Ok(())
    }

    fn take_line(&mut self, line: &[u8], entries: &mut Vec<(u64, JournalEntry)>) {
        if line.is_empty() {
            return;
        }
        match (line.len() <= LINE_LIMIT).then(|| serde_json::from_slice(line)) {
            Some(Ok(entry)) => entries.push((self.offset, entry)),
            _ => self.skipped += 1,
        }
    }

    /// Leaves what begins at `offset` to a later read.
    pub(crate) fn go_back_to(&mut self, offset: u64) {
        self.offset = offset;
    }

    /// How long the journal is now.
    pub(crate) fn len(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |meta| meta.len())
    }

    /// Byte offset behind the last whole line read.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Lines passed over because they were torn, foreign or too long.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }
}
