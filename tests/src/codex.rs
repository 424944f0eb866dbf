//! The real Codex CLI, pinned versions from npm, kept below `target/codex/<version>`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;

use anyhow::{Context as _, bail};

use crate::{skip, surroundings, versions};

/// A version of Codex, ordered as versions are.
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
    /// `0.<minor>.0`.
    pub const fn minor(minor: u32) -> Self {
        Self {
            major: 0,
            minor,
            patch: 0,
        }
    }
}

impl FromStr for CodexVersion {
    type Err = anyhow::Error;

    /// Reads the last word that looks like a version, as in `codex-cli 0.169.0`.
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let number = |word: &str| {
            let mut numbers = word.split(['.', '-']).map(str::parse::<u32>);
            Some(Self {
                major: numbers.next()?.ok()?,
                minor: numbers.next()?.ok()?,
                patch: numbers.next()?.ok()?,
            })
        };
        let found = text.split_whitespace().rev().find_map(number);
        found.with_context(|| format!("`{text}` names no version"))
    }
}

impl std::fmt::Display for CodexVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// An installed Codex.
#[derive(Debug, Clone)]
pub struct CodexCli {
    program: PathBuf,
    version: CodexVersion,
}

impl CodexCli {
    /// Installs this version from npm if it is not there yet (about 400 MB on disk).
    ///
    /// `Ok(None)` means that npm is missing or the registry cannot be reached: the skip has been
    /// counted, and the test should return. With `CODEX_TRACING_REQUIRE_CODEX=1` that is an error.
    /// `CODEX_TRACING_SKIP_CODEX=1` skips all of them, `CODEX_TRACING_TEST_VERSIONS` all but those it
    /// names;
    /// `CODEX_TRACING_CODEX_CACHE` names another folder than `target/codex`.
    pub fn get(version: &str) -> anyhow::Result<Option<Self>> {
        if surroundings::variable("CODEX_TRACING_SKIP_CODEX").as_deref() == Some("1") {
            skip::skip(&format!(
                "no Codex {version}: tests with the real Codex are left out"
            ));
            return Ok(None);
        }
        if !versions::is_asked(version) {
            skip::skip(&format!(
                "no Codex {version}: this run is of other versions"
            ));
            return Ok(None);
        }
        match Self::install(version) {
            Ok(cli) => Ok(Some(cli)),
            Err(error) if required() => Err(error),
            Err(error) => {
                skip::skip(&format!("no Codex {version}: {error:#}"));
                Ok(None)
            }
        }
    }

    /// A Codex that is installed anyway.
    pub fn at(program: impl Into<PathBuf>) -> anyhow::Result<Self> {
        let program = program.into();
        let output = Command::new(&program)
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let version = String::from_utf8_lossy(&output.stdout).parse()?;
        Ok(Self { program, version })
    }

    /// The executable.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Its version.
    pub fn version(&self) -> CodexVersion {
        self.version
    }

    fn install(version: &str) -> anyhow::Result<Self> {
        let root = surroundings::variable("CODEX_TRACING_CODEX_CACHE")
            .map_or_else(|| surroundings::target_dir().join("codex"), PathBuf::from);
        fs::create_dir_all(&root)?;
        let folder = root.join(version);
        // Tests of one run race for the same version: one installs, the others wait.
        let lock = File::create(root.join(format!("{version}.lock")))?;
        lock.lock()?;
        let complete = folder.join("complete");
        if !complete.is_file() {
            npm_install(&folder, version)?;
            fs::write(&complete, "")?;
        }
        let program = executable(&folder)
            .with_context(|| format!("no codex executable below {}", folder.display()))?;
        Self::at(program)
    }
}

/// Whether a missing Codex is a failure.
fn required() -> bool {
    surroundings::variable("CODEX_TRACING_REQUIRE_CODEX").as_deref() == Some("1")
}

fn npm_install(folder: &Path, version: &str) -> anyhow::Result<()> {
    let npm = surroundings::program("npm").context("npm is not installed")?;
    let output = Command::new(npm)
        .args([
            "install",
            "--no-audit",
            "--no-fund",
            "--no-save",
            "--prefix",
        ])
        .arg(folder)
        .arg(format!("@openai/codex@{version}"))
        .stdin(Stdio::null())
        .output()
        .context("cannot run npm")?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        bail!(
            "npm install @openai/codex@{version} failed: {}",
            reason.trim()
        );
    }
    Ok(())
}

/// The native executable of the platform package, else npm's launcher.
fn executable(folder: &Path) -> Option<PathBuf> {
    let packages = folder.join("node_modules").join("@openai");
    let name = format!("codex{}", std::env::consts::EXE_SUFFIX);
    let native = walkdir::WalkDir::new(packages)
        .max_depth(6)
        .sort_by_file_name()
        .into_iter()
        .filter_map(Result::ok)
        .find(|entry| {
            let vendored = entry
                .path()
                .components()
                .any(|part| part.as_os_str() == "vendor");
            vendored && entry.file_type().is_file() && entry.file_name() == name.as_str()
        });
    let launcher = folder.join("node_modules").join(".bin").join("codex");
    native
        .map(walkdir::DirEntry::into_path)
        .or_else(|| launcher.exists().then_some(launcher))
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
