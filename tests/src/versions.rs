//! Which versions of Codex the end-to-end suites run on.

use crate::surroundings;

/// The oldest supported version.
pub const OLDEST: &str = "0.128.0";
/// The newest version that was measured.
pub const NEWEST: &str = "0.169.0";

/// The versions in `CODEX_TRACING_TEST_VERSIONS`, separated by commas; else the oldest and the
/// newest supported one. `cargo xtask matrix` sets it.
pub fn versions() -> Vec<String> {
    let asked = asked();
    if asked.is_empty() {
        [OLDEST, NEWEST].map(str::to_owned).to_vec()
    } else {
        asked
    }
}

/// Whether tests may use this version: any, unless the variable names some.
pub(crate) fn is_asked(version: &str) -> bool {
    let asked = asked();
    asked.is_empty() || asked.iter().any(|asked| asked == version)
}

fn asked() -> Vec<String> {
    let asked = surroundings::variable("CODEX_TRACING_TEST_VERSIONS").unwrap_or_default();
    let asked = asked.split(',').map(str::trim);
    let asked = asked.filter(|version| !version.is_empty());
    asked.map(str::to_owned).collect()
}
