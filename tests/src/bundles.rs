//! The bundles under test, made once per process from the sources as they are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

use crate::surroundings::{repository, target_dir, variable};

/// The folder with the bundles (`langsmith-codex-plugins`, …) that tests install: the one that
/// `CODEX_TRACING_DIST` names, else made from a debug build. Its name comes from its content, so that
/// tests running at once never see it change.
pub fn bundles() -> anyhow::Result<PathBuf> {
    static MADE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let made = MADE.get_or_init(|| make().map_err(|error| format!("{error:#}")));
    made.clone().map_err(anyhow::Error::msg)
}

/// As [`bundles`], with an executable that kills itself where `CODEX_TRACING_FAIL_AT` says
/// (`<place>:<passes before>`), or panics there (`…:<words>`). Always made from a debug build.
pub fn bundles_with_fail_points() -> anyhow::Result<PathBuf> {
    static MADE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let made = MADE.get_or_init(|| make_failing().map_err(|error| format!("{error:#}")));
    made.clone().map_err(anyhow::Error::msg)
}

/// The executable under test, as it lies in the bundles.
pub fn binary() -> anyhow::Result<PathBuf> {
    Ok(binary_in(&bundles()?))
}

/// The executable in a folder of [`bundles`].
pub fn binary_in(bundles: &Path) -> PathBuf {
    let bin = bundles.join("codex-tracing/plugins/tracing/bin");
    bin.join(format!("codex-tracing{}", std::env::consts::EXE_SUFFIX))
}

/// The executable of `cargo xtask`, built as it is now.
pub fn xtask() -> anyhow::Result<PathBuf> {
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        cargo(&["build", "--quiet", "--package", "xtask"]).map_err(|error| format!("{error:#}"))
    });
    built.clone().map_err(anyhow::Error::msg)?;
    let name = format!("debug/xtask{}", std::env::consts::EXE_SUFFIX);
    Ok(target_dir().join(name))
}

fn make() -> anyhow::Result<PathBuf> {
    if let Some(given) = variable("CODEX_TRACING_DIST") {
        return Ok(repository().join(given));
    }
    cargo(&["build", "--package", "codex-tracing"])?;
    bundle(&debug_executable())
}

/// The build folder has room for one executable: it is taken out of the way, and the usual one put
/// back, which costs nothing since both are compiled.
fn make_failing() -> anyhow::Result<PathBuf> {
    let folder = target_dir().join("fail-points");
    std::fs::create_dir_all(&folder)?;
    let name = format!("codex-tracing{}", std::env::consts::EXE_SUFFIX);
    let place = folder.join(name);
    let build = ["build", "--package", "codex-tracing"];
    for _ in 0..3 {
        cargo(&[&build[..], &["--features", "failpoints"]].concat())?;
        std::fs::copy(debug_executable(), &place)?;
        cargo(&build)?;
        // Somebody else may have built in between.
        let bytes = std::fs::read(&place)?;
        let variable = b"CODEX_TRACING_FAIL_AT";
        if bytes.windows(variable.len()).any(|part| part == variable) {
            return bundle(&place);
        }
    }
    bail!("the build with fail points has none")
}

fn debug_executable() -> PathBuf {
    let executable = format!("debug/codex-tracing{}", std::env::consts::EXE_SUFFIX);
    target_dir().join(executable)
}

fn bundle(executable: &Path) -> anyhow::Result<PathBuf> {
    let executable = executable.display().to_string();
    let root = target_dir().join("test-dist");
    std::fs::create_dir_all(&root)?;
    let fresh = tempfile::TempDir::new_in(&root)?;
    let out = fresh.path().display().to_string();
    let xtask = ["run", "--quiet", "--package", "xtask", "--", "dist"];
    cargo(
        &[
            &xtask[..],
            &["--folders-only", "--bin", &executable, "--out", &out],
        ]
        .concat(),
    )?;
    let name = content(fresh.path())?;
    let place = root.join(name.get(..16).unwrap_or(&name));
    if !place.exists()
        && let Err(error) = std::fs::rename(fresh.path(), &place)
        && !place.exists()
    {
        return Err(error).with_context(|| format!("cannot make {}", place.display()));
    }
    Ok(place)
}

/// A hash of every file's name and bytes.
fn content(folder: &Path) -> anyhow::Result<String> {
    let mut hash = Sha256::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(folder)?.display().to_string();
            let bytes = std::fs::read(entry.path())?;
            hash.update(format!("{name}\0{}\0", bytes.len()));
            hash.update(bytes);
        }
    }
    Ok(format!("{:x}", hash.finalize()))
}

fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new("cargo")
        .args(arguments)
        .current_dir(repository())
        .stdin(Stdio::null())
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        bail!("cargo {} failed: {reason}", arguments.join(" "));
    }
    Ok(())
}
