//! What this process was started with, as far as tests may depend on it.

use std::path::{Path, PathBuf};

use codex_tracing_config::Context;

/// A variable of this process's environment, unless blank: a setting of a test run
/// (`CODEX_TRACING_KILLS`, …).
pub fn variable(name: &str) -> Option<String> {
    Context::from_process(None).env.get(name).map(str::to_owned)
}

/// Where an executable of this name lies in `PATH`.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = variable("PATH")?;
    let suffix = std::env::consts::EXE_SUFFIX;
    let names = [format!("{name}{suffix}"), format!("{name}.cmd")];
    let names = if suffix.is_empty() {
        &names[..1]
    } else {
        &names[..]
    };
    std::env::split_paths(&path)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|file| file.is_file())
}

/// The root of this repository.
pub fn repository() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests)
}

/// The build folder: `CARGO_TARGET_DIR`, else `target` in the repository.
pub fn target_dir() -> PathBuf {
    let given = variable("CARGO_TARGET_DIR").map(PathBuf::from);
    given.map_or_else(|| repository().join("target"), |dir| repository().join(dir))
}

/// What a Rust toolchain needs of the environment when `HOME` is a sandbox's.
pub fn toolchain() -> Vec<(&'static str, String)> {
    let context = Context::from_process(None);
    let place = |name: &'static str, folder: &str| {
        let default = || Some(context.home.as_ref()?.join(folder));
        let place = variable(name).map(PathBuf::from).or_else(default)?;
        place.is_dir().then(|| (name, place.display().to_string()))
    };
    [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")]
        .into_iter()
        .filter_map(|(name, folder)| place(name, folder))
        .collect()
}
