//! A file that several processes append to and that never outgrows its limit by much.
//!
//! Rotation needs no lock file: who finds the file too long locks the file itself and, if the
//! path still leads to it, renames it. The others go on appending to the renamed file until their
//! next line, find it too long too, see that the path leads elsewhere, and open that.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use same_file::Handle;
use tracing_subscriber::fmt::MakeWriter;

use crate::secure_file;

/// The log as one process sees it. Clones share it.
#[derive(Clone)]
pub(super) struct LogFile {
    open: Arc<Mutex<Open>>,
}

struct Open {
    path: PathBuf,
    limit: u64,
    file: File,
    /// `{"pid":123,`: what each line begins with.
    head: Vec<u8>,
}

/// Writes one line.
pub(super) struct LineWriter<'a> {
    log: &'a LogFile,
}

impl LogFile {
    pub(super) fn open(path: &Path, limit: u64) -> io::Result<Self> {
        let open = Open {
            path: path.to_owned(),
            limit,
            file: secure_file::open_append(path)?,
            head: format!("{{\"pid\":{},", std::process::id()).into_bytes(),
        };
        Ok(Self {
            open: Arc::new(Mutex::new(open)),
        })
    }
}

impl Open {
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.file.metadata()?.len() >= self.limit {
            self.rotate()?;
        }
        // One write for the whole line, so that lines of several processes do not mix.
        match line.strip_prefix(b"{") {
            Some(rest) => {
                let mut whole = self.head.clone();
                whole.extend_from_slice(rest);
                self.file.write_all(&whole)
            }
            None => self.file.write_all(line),
        }
    }

    /// Renames the file, unless somebody else did or is doing it, and opens the new one.
    fn rotate(&mut self) -> io::Result<()> {
        if self.file.try_lock().is_err() {
            // Another process is at it; this line still goes to the old file.
            return Ok(());
        }
        if self.is_in_place()? {
            let mut old = self.path.clone().into_os_string();
            old.push(".1");
            std::fs::rename(&self.path, PathBuf::from(old))?;
        }
        // Dropping the old file gives up its lock.
        self.file = secure_file::open_append(&self.path)?;
        Ok(())
    }

    /// Whether the path itself, not through a symlink, still leads to the file that is open here.
    fn is_in_place(&self) -> io::Result<bool> {
        let mine = Handle::from_file(self.file.try_clone()?)?;
        let is_file = std::fs::symlink_metadata(&self.path).is_ok_and(|meta| meta.is_file());
        Ok(is_file && Handle::from_path(&self.path).is_ok_and(|there| there == mine))
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> LineWriter<'a> {
        LineWriter { log: self }
    }
}

impl Write for LineWriter<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut open = self.log.open.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk or a folder that is gone costs the line and nothing else.
        let _ = open.append(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
