//! The real Codex CLI, pinned versions from npm, kept below `target/codex/<version>`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use codex_tracing_codex_home::CodexVersion;

use crate::{skip, surroundings, versions};

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
