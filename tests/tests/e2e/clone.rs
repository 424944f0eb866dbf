//! A clone of this repository, made as a user makes one, and `cargo` run in it.
//!
//! Two things differ from what a user has. Compiled dependencies are taken from the build folder of
//! these tests, and the release is built without optimising it: else each run would compile for many
//! minutes what differs in speed only.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use codex_tracing_tests::{CodexHome, Output, repository, skip, target_dir, toolchain};

/// How long a build may take on a slow machine.
const PATIENCE: Duration = Duration::from_mins(30);

/// What makes the builds of a clone bearable.
const QUICK: [(&str, &str); 4] = [
    ("CARGO_INCREMENTAL", "0"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
];

/// The clone of all tests of this process: what is built in it is built once.
static CLONE: Mutex<Option<Cloned>> = Mutex::new(None);

/// A folder with a clone of what is committed here.
pub(super) struct Cloned {
    folder: PathBuf,
}

/// The clone, for one test at a time; `None`, counted as a skip, if these sources are in no repository.
pub(super) fn clone() -> Option<MutexGuard<'static, Option<Cloned>>> {
    if !repository().join(".git").exists() {
        skip("these sources are no git repository");
        return None;
    }
    let mut clone = CLONE.lock().unwrap_or_else(PoisonError::into_inner);
    if clone.is_none() {
        *clone = Some(Cloned::new());
    }
    Some(clone)
}

impl Cloned {
    fn new() -> Self {
        // Not among temporary files: nothing would take it away, and with its builds it is large.
        let above = target_dir().join("clone");
        let _ = std::fs::remove_dir_all(&above);
        std::fs::create_dir_all(&above).unwrap();
        // Whoever runs the tests need not be the one whom the repository belongs to, for which git
        // looks into this file alone.
        let config = "[safe]\n\tdirectory = *\n";
        std::fs::write(above.join(".gitconfig"), config).unwrap();
        let folder = above.join("codex-tracing");
        let output = Command::new("git")
            .args(["clone", "--quiet"])
            .args([repository(), &folder])
            .env("HOME", &above)
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git clone: {words}");
        Self { folder }
    }

    /// `cargo xtask <arguments>` there, by the user of `home`; must succeed.
    pub(super) fn xtask(&self, home: &CodexHome, arguments: &[&str]) -> Output {
        let mut command = Command::new("sh");
        command
            .args(["-c", r#"cd "$0" && exec nice cargo xtask "$@""#])
            .arg(&self.folder)
            .args(arguments);
        let built = target_dir().display().to_string();
        let tools = toolchain();
        let mut env = QUICK.to_vec();
        env.push(("CARGO_BUILD_BUILD_DIR", &built));
        env.extend(tools.iter().map(|(name, value)| (*name, value.as_str())));
        let output = home.run_within(PATIENCE, command, &env).unwrap();
        assert_eq!(
            output.code,
            Some(0),
            "cargo xtask {arguments:?}\n{}{}",
            output.stdout,
            output.stderr
        );
        output
    }
}
