//! Which versions of Codex the end-to-end suites run on.

use crate::surroundings;

/// The oldest supported version.
pub const OLDEST: &str = "0.128.0";
/// The newest version that was measured.
pub const NEWEST: &str = "0.169.0";

/// The versions in `CODEX_TRACING_TEST_VERSIONS`, separated by commas; else the oldest and the
/// newest supported one. `cargo xtask matrix` sets it.
pub fn versions() -> Vec<String> {
    let asked = surroundings::variable("CODEX_TRACING_TEST_VERSIONS");
    let asked = asked.as_deref().unwrap_or_default();
    let mut versions: Vec<String> = asked
        .split(',')
        .map(str::trim)
        .filter(|version| !version.is_empty())
        .map(str::to_owned)
        .collect();
    if versions.is_empty() {
        versions = [OLDEST, NEWEST].map(str::to_owned).to_vec();
    }
    versions
}
