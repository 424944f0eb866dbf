//! The executables that go into a bundle.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::command;

/// One executable.
#[derive(Debug, Clone)]
pub(crate) struct Binary {
    /// The target triple it is for.
    pub(crate) target: String,
    /// Where it lies.
    pub(crate) path: PathBuf,
}

impl Binary {
    pub(super) fn is_windows(&self) -> bool {
        self.target.contains("windows")
    }
}

/// Builds, or finds, an executable per target.
pub(super) fn collect(
    targets: &[String],
    given: &[String],
    skip_build: bool,
) -> anyhow::Result<Vec<Binary>> {
    let mut binaries = if given.is_empty() {
        built(targets, skip_build)?
    } else {
        let given = given.iter().map(|argument| parse(argument));
        given.collect::<anyhow::Result<Vec<_>>>()?
    };
    binaries.sort_by(|a, b| a.target.cmp(&b.target));
    for binary in &binaries {
        if !binary.path.is_file() {
            bail!("there is no {}; build it first", binary.path.display());
        }
    }
    if binaries
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a.target == b.target))
    {
        bail!("two executables for one target");
    }
    Ok(binaries)
}

fn parse(argument: &str) -> anyhow::Result<Binary> {
    let (target, path) = match argument.split_once('=') {
        Some((target, path)) => (target.to_owned(), path),
        None => (host()?, argument),
    };
    let path = Path::new(path)
        .canonicalize()
        .with_context(|| format!("there is no {path}"))?;
    Ok(Binary { target, path })
}

fn built(targets: &[String], skip_build: bool) -> anyhow::Result<Vec<Binary>> {
    let build = codex_tracing_tests::target_dir();
    let build_one = |target: Option<&String>| {
        if skip_build {
            return Ok(());
        }
        let mut cargo = command::cargo();
        cargo.args([
            "build",
            "--release",
            "--locked",
            "--package",
            "codex-tracing",
        ]);
        if let Some(target) = target {
            cargo.args(["--target", target]);
        }
        command::run(&mut cargo)
    };
    if targets.is_empty() {
        build_one(None)?;
        let target = host()?;
        let path = build.join("release").join(file_name(&target));
        return Ok(vec![Binary { target, path }]);
    }
    let mut binaries = Vec::new();
    for target in targets {
        build_one(Some(target))?;
        let path = build.join(target).join("release").join(file_name(target));
        let target = target.clone();
        binaries.push(Binary { target, path });
    }
    Ok(binaries)
}

/// The executable's name on a target.
pub(super) fn file_name(target: &str) -> &'static str {
    if target.contains("windows") {
        "codex-tracing.exe"
    } else {
        "codex-tracing"
    }
}

/// This machine's target triple.
fn host() -> anyhow::Result<String> {
    let told = command::output(std::process::Command::new("rustc").arg("-vV"))?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}
