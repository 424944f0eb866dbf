//! The executables that go into a bundle.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::build;

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
        None => (build::host()?, argument),
    };
    let path = Path::new(path)
        .canonicalize()
        .with_context(|| format!("there is no {path}"))?;
    Ok(Binary { target, path })
}

fn built(targets: &[String], skip_build: bool) -> anyhow::Result<Vec<Binary>> {
    let one = |target: Option<&str>| {
        let path = if skip_build {
            build::built(target)
        } else {
            build::build(target)
        };
        Ok(Binary {
            target: target.map_or_else(build::host, |target| Ok(target.to_owned()))?,
            path: path?,
        })
    };
    if targets.is_empty() {
        return Ok(vec![one(None)?]);
    }
    targets.iter().map(|target| one(Some(target))).collect()
}
