//! Opening and replacing our own small files: never through a symlink, never readable by others.
//!
//! Directories are 0700 and files 0600 whatever the umask; on Windows they inherit what holds for the
//! user's profile. A FIFO or device in place of a file is refused without blocking on it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::platform;

/// Marks temporary files, so that leftovers of a crash can be told and removed.
pub(crate) const TEMP_MARK: &str = ".tmp-";

/// Creates `dir` (and its parents) for this user alone. One that is there already, such as the
/// data folder that Codex made for a plugin, is closed to others. An existing symlink is refused.
pub(crate) fn create_dir(dir: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(dir) {
        Ok(meta) if meta.is_dir() => {
            if platform::is_open_to_others(&meta) {
                // Somebody else's folder stays as it is: what we put into it is closed itself.
                let _ = std::fs::set_permissions(dir, platform::close_to_others(&meta));
            }
            return Ok(());
        }
        Ok(_) => {
            return Err(io::Error::new(
                io::ErrorKind::NotADirectory,
                "not a directory",
            ));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    platform::make_private_dir(dir)
}

/// Opens for appending (and reading), creating the file if need be.
pub(crate) fn open_append(path: &Path) -> io::Result<File> {
    open(
        OpenOptions::new().read(true).append(true).create(true),
        path,
    )
}

/// Appends `bytes` to a file that only this user can read, made if need be. A symlink, FIFO or
/// device in its place is refused.
pub fn append_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    open_append(path)?.write_all(bytes)
}

/// Opens for reading and writing without truncation, creating the file if need be.
pub(crate) fn open_write(path: &Path) -> io::Result<File> {
    open(
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false),
        path,
    )
}

/// Opens for reading.
pub(crate) fn open_read(path: &Path) -> io::Result<File> {
    open(OpenOptions::new().read(true), path)
}

fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = platform::open_flags(options).open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file",
        ));
    }
    if platform::is_open_to_others(&meta) {
        file.set_permissions(platform::close_to_others(&meta))?;
    }
    Ok(file)
}

/// Reads a whole file of at most `limit` bytes; a longer one is an error.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_read(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too large"));
    }
    Ok(bytes)
}

/// Replaces `path` by `bytes` so that a reader (or a crash) sees the old or the new content whole:
/// temporary file in the same directory, fsync, rename, fsync of the directory.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temp = temp_path(path);
    let written = write_temp(&temp, bytes).and_then(|()| {
        crate::failpoint::hit("in_replace");
        std::fs::rename(&temp, path)
    });
    if written.is_err() {
        // The error of the write is the one worth telling; a leftover is removed by retention.
        let _ = std::fs::remove_file(&temp);
    }
    written?;
    match path.parent() {
        // Some file systems cannot sync a directory; the rename is done all the same.
        Some(dir) => File::open(dir).and_then(|dir| dir.sync_all()).or(Ok(())),
        None => Ok(()),
    }
}

fn write_temp(temp: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = open(OpenOptions::new().write(true).create_new(true), temp)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Unique by the process id; a random part keeps apart what threads of one process write, and a
/// leftover of an earlier process with the same id.
fn temp_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(
        "{TEMP_MARK}{}-{:08x}",
        std::process::id(),
        fastrand::u32(..)
    ));
    path.with_file_name(name)
}
