//! The executables that go into a bundle.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::build;

/// What there are bundles for: what the launcher finds, and Windows.
const TARGETS: [&str; 7] = [
    "x86_64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-gnu",
    "aarch64-unknown-linux-musl",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
];

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

/// Builds, or finds, an executable per target. One that is `given` without a target is for the only one
/// of `targets`, or for this machine.
pub(super) fn collect(
    targets: &[String],
    given: &[String],
    skip_build: bool,
) -> anyhow::Result<Vec<Binary>> {
    for target in targets {
        check_known(target)?;
    }
    let mut binaries = if given.is_empty() {
        built(targets, skip_build)?
    } else {
        let given = given.iter().map(|argument| parse(argument, targets));
        let given = given.collect::<anyhow::Result<Vec<_>>>()?;
        check_complete(targets, &given)?;
        given
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

/// This machine's own target is always known.
fn check_known(target: &str) -> anyhow::Result<()> {
    if TARGETS.contains(&target) || build::host().is_ok_and(|host| host == target) {
        return Ok(());
    }
    let known = TARGETS.join(", ");
    bail!("unknown target {target:?}; known are {known}")
}

/// Whether executables are given for the targets that are named, if any is.
fn check_complete(targets: &[String], given: &[Binary]) -> anyhow::Result<()> {
    let named: BTreeSet<&str> = targets.iter().map(String::as_str).collect();
    let given: BTreeSet<&str> = given.iter().map(|it| it.target.as_str()).collect();
    if !named.is_empty() && named != given {
        bail!("--target names {named:?}, and --bin has executables for {given:?}");
    }
    Ok(())
}

fn parse(argument: &str, targets: &[String]) -> anyhow::Result<Binary> {
    let (target, path) = match (argument.split_once('='), targets) {
        (Some((target, path)), _) => (target.to_owned(), path),
        (None, [only]) => (only.clone(), argument),
        (None, _) => (build::host()?, argument),
    };
    check_known(&target)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_executable_is_for_the_target_that_is_named_and_an_unknown_one_is_refused() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("x");
        std::fs::write(&file, "").unwrap();
        let plain = file.display().to_string();
        let collected = |targets: &[&str], given: &str| {
            let targets: Vec<String> = targets.iter().map(|it| (*it).to_owned()).collect();
            let binaries = collect(&targets, &[given.to_owned()], true);
            binaries
                .map(|all| all.into_iter().map(|it| it.target).collect::<Vec<_>>())
                .map_err(|error| error.to_string())
        };
        let mac = "aarch64-apple-darwin";
        assert_eq!(collected(&[], &plain), Ok(vec![build::host().unwrap()]));
        assert_eq!(collected(&[mac], &plain), Ok(vec![mac.to_owned()]));
        let named = format!("{mac}={plain}");
        assert_eq!(collected(&[mac], &named), Ok(vec![mac.to_owned()]));
        for (targets, given) in [
            (&["nonsense"][..], &plain),
            (&[][..], &format!("nonsense={plain}")),
        ] {
            let error = collected(targets, given).unwrap_err();
            assert!(error.contains("unknown target \"nonsense\""), "{error}");
            assert!(TARGETS.iter().all(|known| error.contains(known)), "{error}");
        }
        let other = collected(&[mac, TARGETS[0]], &named).unwrap_err();
        assert!(other.contains("--bin has executables for"), "{other}");
    }
}
