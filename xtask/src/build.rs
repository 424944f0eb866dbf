//! `cargo xtask build`: the executable that ships. Bundles, installations, measurements and releases
//! all take it from here, so that what is measured is what ships.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::command;

/// On Linux the hook's time is mostly the loader's: half of it went into some 13,000 relocations of a
/// position-independent executable. This one lies where it was linked to.
const STATIC_POSITION: [&str; 2] = ["-C", "relocation-model=static"];
/// With glibc, the unwinder comes along instead of in a library of its own, whose start asks the
/// processor for its features over and over: slow wherever that question goes to a hypervisor.
const OWN_UNWINDER: [&str; 2] = ["-l", "dylib:+verbatim=libgcc_eh.a"];

/// Builds the executable that ships, and names it.
#[derive(Debug, Args)]
pub(crate) struct Build {
    /// For this target instead of this machine's.
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
}

impl Build {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        say!("{}", build(self.target.as_deref())?.display());
        Ok(())
    }
}

/// Builds for `target`, or for this machine, and gives the executable.
pub(crate) fn build(target: Option<&str>) -> anyhow::Result<PathBuf> {
    let mut cargo = command::cargo();
    cargo.args(["rustc", "--release", "--locked"]);
    cargo.args(["--package", "codex-tracing", "--bin", "codex-tracing"]);
    if let Some(target) = target {
        cargo.args(["--target", target]);
    }
    let built_for = target.map_or_else(host, |target| Ok(target.to_owned()))?;
    cargo.arg("--").args(flags(&built_for));
    command::run(&mut cargo)?;
    Ok(place(target, &built_for))
}

/// Where a build for `target` puts the executable.
pub(crate) fn built(target: Option<&str>) -> anyhow::Result<PathBuf> {
    let built_for = target.map_or_else(host, |target| Ok(target.to_owned()))?;
    Ok(place(target, &built_for))
}

fn place(target: Option<&str>, built_for: &str) -> PathBuf {
    let mut folder = codex_tracing_tests::target_dir();
    if let Some(target) = target {
        folder.push(target);
    }
    folder.join("release").join(file_name(built_for))
}

/// What the compiler is told for the executable alone: procedural macros cannot do with it.
fn flags(target: &str) -> Vec<&'static str> {
    let mut flags = Vec::new();
    if target.contains("-linux-") {
        flags.extend(STATIC_POSITION);
    }
    if target.contains("-linux-gnu") {
        flags.extend(OWN_UNWINDER);
    }
    flags
}

/// The executable's name on a target.
pub(crate) fn file_name(target: &str) -> &'static str {
    if target.contains("windows") {
        "codex-tracing.exe"
    } else {
        "codex-tracing"
    }
}

/// This machine's target triple.
pub(crate) fn host() -> anyhow::Result<String> {
    let told = command::output(std::process::Command::new("rustc").arg("-vV"))?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_linux_has_a_static_position_and_only_glibc_an_unwinder_elsewhere() {
        let gnu = [STATIC_POSITION, OWN_UNWINDER].concat();
        assert_eq!(flags("x86_64-unknown-linux-gnu"), gnu);
        assert_eq!(flags("aarch64-unknown-linux-musl"), STATIC_POSITION);
        assert!(flags("aarch64-apple-darwin").is_empty());
        assert!(flags("x86_64-pc-windows-msvc").is_empty());
    }
}
