//! Tests that cannot run here, counted: a skip is written to stderr and to a file that
//! `cargo xtask test` sums up.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use crate::surroundings;

/// Where skips are noted, one line each.
pub fn skips_file() -> PathBuf {
    surroundings::target_dir().join("skipped-tests.txt")
}

/// Notes that the running test is skipped, and why.
pub fn skip(reason: &str) {
    let thread = std::thread::current();
    let line = format!("SKIPPED {}: {reason}\n", thread.name().unwrap_or("a test"));
    let _ = std::io::stderr().write_all(line.as_bytes());
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(skips_file());
    if let Ok(mut file) = file {
        let _ = file.write_all(line.as_bytes());
    }
}
