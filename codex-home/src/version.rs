//! Versions of Codex, and from which on it does what.

use std::fmt;
use std::str::FromStr;

/// A released version of Codex, ordered as versions are; what follows the third number is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CodexVersion {
    /// First number.
    pub major: u32,
    /// Second number; the one that counts so far.
    pub minor: u32,
    /// Third number.
    pub patch: u32,
}

impl CodexVersion {
    /// The first with hooks of plugins.
    pub const OLDEST: Self = Self::minor(128);
    /// The first that runs hooks only once they are trusted.
    pub const HOOK_TRUST: Self = Self::minor(129);
    /// The first that runs hooks of plugins without the feature `plugin_hooks`.
    pub const HOOKS_WITHOUT_FLAG: Self = Self::minor(131);
    /// The first with `plugin add`.
    pub const PLUGIN_ADD: Self = Self::minor(132);
    /// The first that does not know the feature `plugin_hooks` any more.
    pub const FLAG_GONE: Self = Self::minor(134);
    /// The first in which a project's config.toml switches plugins on and off (0.150 does not).
    pub const PROJECT_PLUGINS: Self = Self::minor(151);
    /// The first whose trust covers the content of every file of a plugin.
    pub const CONTENT_TRUST: Self = Self::minor(164);

    /// `0.<minor>.0`.
    pub const fn minor(minor: u32) -> Self {
        Self {
            major: 0,
            minor,
            patch: 0,
        }
    }

    /// The first version in `text`, as in `codex-cli 0.169.0`.
    pub fn find(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(|word| {
            let mut parts = word.trim_start_matches('v').splitn(3, '.');
            let mut next = || {
                let part = parts.next()?;
                let end = part
                    .find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(part.len());
                part.get(..end)?.parse().ok()
            };
            Some(Self {
                major: next()?,
                minor: next()?,
                patch: next()?,
            })
        })
    }
}

/// The text names no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no version of Codex")]
pub struct NoVersion(String);

impl FromStr for CodexVersion {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        Self::find(text).ok_or_else(|| NoVersion(text.trim().to_owned()))
    }
}

impl fmt::Display for CodexVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::CodexVersion;

    #[test]
    fn versions_are_read_from_what_the_cli_prints_and_ordered_by_number() {
        let parsed: CodexVersion = "codex-cli 0.169.0\n".parse().unwrap();
        assert_eq!(parsed, CodexVersion::minor(169));
        let alpha: CodexVersion = "0.131.2-alpha.4".parse().unwrap();
        assert_eq!(alpha.to_string(), "0.131.2");
        assert!(CodexVersion::minor(99) < CodexVersion::minor(128));
        assert!("codex".parse::<CodexVersion>().is_err());
    }
}
