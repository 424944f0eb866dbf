//! Reproducible archives: sorted names, one date, no owner, two modes.

use std::fs::{self, File};
use std::path::Path;

use flate2::{Compression, GzBuilder};
use tar::{EntryType, Header};

/// The date every entry bears: 2020-01-01.
const DATE: u64 = 1_577_836_800;

/// Packs `folder` as `name/…` into the file `archive`.
pub(super) fn write(folder: &Path, name: &str, archive: &Path) -> anyhow::Result<()> {
    let gzip = GzBuilder::new()
        .mtime(0)
        .write(File::create(archive)?, Compression::best());
    let mut tar = tar::Builder::new(gzip);
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        let inside = entry.path().strip_prefix(folder)?;
        let inside = Path::new(name).join(inside);
        let mut header = Header::new_ustar();
        header.set_mtime(DATE);
        header.set_uid(0);
        header.set_gid(0);
        if entry.file_type().is_dir() {
            header.set_entry_type(EntryType::Directory);
            header.set_mode(0o755);
            header.set_size(0);
            tar.append_data(&mut header, inside.join(""), std::io::empty())?;
        } else {
            let bytes = fs::read(entry.path())?;
            header.set_entry_type(EntryType::Regular);
            header.set_mode(mode(&entry)?);
            header.set_size(bytes.len() as u64);
            tar.append_data(&mut header, inside, bytes.as_slice())?;
        }
    }
    tar.into_inner()?.finish()?;
    Ok(())
}

#[cfg(unix)]
fn mode(entry: &walkdir::DirEntry) -> anyhow::Result<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let executable = entry.metadata()?.permissions().mode() & 0o111 != 0;
    Ok(if executable { 0o755 } else { 0o644 })
}

/// Without mode bits: what lies below `bin` is executable.
#[cfg(not(unix))]
fn mode(entry: &walkdir::DirEntry) -> anyhow::Result<u32> {
    let below_bin = entry
        .path()
        .components()
        .any(|part| part.as_os_str() == "bin");
    Ok(if below_bin { 0o755 } else { 0o644 })
}
