//! `cargo xtask test`: everything that must pass, counted.

mod again;
mod count;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::command;
use crate::dist::Dist;
use count::Count;

/// The variable that says from where proptest draws its cases.
const CASES: &str = "PROPTEST_RNG_SEED";

/// Runs every check and every test.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Leave out what needs the real Codex CLI.
    #[arg(long, conflicts_with = "require_codex")]
    fast: bool,
    /// Fail, instead of skipping, where the real Codex CLI cannot be installed.
    #[arg(long)]
    require_codex: bool,
}

impl Test {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let mut count = Count::default();
        let _ = std::fs::remove_file(codex_tracing_tests::skips_file());
        check(&mut count, "fmt", cargo(&["fmt", "--all", "--check"]));
        let clippy = [
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ];
        check(&mut count, "clippy", cargo(&clippy));
        count.step("tidy", crate::tidy::Tidy::default().run());
        deny(&mut count);
        let mut docs = cargo(&[
            "doc",
            "--workspace",
            "--no-deps",
            "--document-private-items",
            "--locked",
        ]);
        docs.env("RUSTDOCFLAGS", "-D warnings");
        check(&mut count, "doc", docs);
        let dist = Dist {
            out: codex_tracing_tests::target_dir().join("test-bundles"),
            binaries: vec![debug_binary()?],
            folders_only: true,
            ..Dist::default()
        };
        let bundles = dist.write()?;
        run_tests(&mut count, |tests| {
            tests.env("CODEX_TRACING_DIST", &bundles);
            // The same cases for every change: what `cargo test` and the fuzz targets find by chance
            // is no verdict on it.
            if codex_tracing_tests::variable(CASES).is_none() {
                tests.env(CASES, "1");
            }
            if self.require_codex {
                tests.env("CODEX_TRACING_REQUIRE_CODEX", "1");
            }
            if self.fast {
                tests.env("CODEX_TRACING_SKIP_CODEX", "1");
            }
        })?;
        if let Ok(skips) = std::fs::read_to_string(codex_tracing_tests::skips_file()) {
            for line in skips.lines() {
                eprintln!("{line}");
                // A test that skipped itself was counted as passed by its harness.
                count.passed = count.passed.saturating_sub(1);
                count.skipped += 1;
            }
        }
        count.report()
    }
}

fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = command::cargo();
    cargo.args(arguments);
    cargo
}

fn check(count: &mut Count, name: &str, mut command: Command) {
    say!("── {name}");
    let started = Instant::now();
    let outcome = command::run(&mut command);
    say!("── {name}: {:.1} s", started.elapsed().as_secs_f64());
    count.step(name, outcome);
}

/// Licences, sources and duplicate crates; without network.
fn deny(count: &mut Count) {
    if codex_tracing_tests::program("cargo-deny").is_none() {
        eprintln!("SKIPPED deny: cargo-deny is not installed (cargo install cargo-deny)");
        count.skipped += 1;
        return;
    }
    let arguments = ["deny", "--offline", "check", "bans", "licenses", "sources"];
    check(count, "deny", cargo(&arguments));
}

/// The debug build that end-to-end tests install.
fn debug_binary() -> anyhow::Result<String> {
    command::run(&mut cargo(&[
        "build",
        "--package",
        "codex-tracing",
        "--locked",
    ]))?;
    let name = format!("debug/codex-tracing{}", std::env::consts::EXE_SUFFIX);
    Ok(codex_tracing_tests::target_dir()
        .join(name)
        .display()
        .to_string())
}

/// Runs cargo's tests in the surroundings that `prepare` gives to a run, and adds up their results.
fn run_tests(count: &mut Count, prepare: impl Fn(&mut Command)) -> anyhow::Result<()> {
    say!("── test");
    let mut command = cargo_test(&["--no-fail-fast"]);
    prepare(&mut command);
    let mut first = Count::default();
    let mut failed = Vec::new();
    let ended = follow(command, |line| {
        first.add_result(line);
        failed.extend(again::failed(line).map(str::to_owned));
    })?;
    let status = ended.status;
    if first.passed == 0 && status.success() {
        bail!("cargo test ran no test");
    }
    if again::is_allowed(&first, &failed, &ended.failed_programs) {
        again::run(&mut first, &failed, prepare)?;
    }
    first.close_programs();
    if !status.success() && first.failed == 0 && !first.has_second_run() {
        // It did not come as far as a result: a test does not compile.
        first.step("test", Err(anyhow::anyhow!("cargo test failed ({status})")));
    }
    count.add(first);
    Ok(())
}

/// The workspace's tests, or those that the arguments select.
fn cargo_test(arguments: &[&str]) -> Command {
    let mut tests = cargo(&["test", "--workspace", "--locked"]);
    tests.args(arguments);
    tests
}

/// How a run of cargo's tests ended.
struct Ended {
    status: ExitStatus,
    /// What cargo says to pass in order to run a failed test program again, for each of them.
    failed_programs: Vec<String>,
}

/// Runs cargo's tests to their end; each line is passed on, and those of the tests given to `see`.
fn follow(mut command: Command, mut see: impl FnMut(&str)) -> anyhow::Result<Ended> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run cargo test")?;
    let stderr = child.stderr.take().context("cargo test has no stderr")?;
    let beside = thread::spawn(move || {
        let mut failed_programs = Vec::new();
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            eprintln!("{line}");
            failed_programs.extend(failed_program(&line).map(str::to_owned));
        }
        failed_programs
    });
    let stdout = child.stdout.take().context("cargo test has no output")?;
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        say!("{line}");
        see(&line);
    }
    let status = child.wait()?;
    let failed_programs = beside.join();
    Ok(Ended {
        status,
        failed_programs: failed_programs
            .ok()
            .context("cargo's words were not read")?,
    })
}

/// What is to be passed to cargo, by its own words, to run a failed test program again.
fn failed_program(line: &str) -> Option<&str> {
    let (_, named) = line.split_once("to rerun pass `")?;
    Some(named.split('`').next().unwrap_or(named))
}

#[cfg(test)]
mod tests {
    use super::failed_program;

    #[test]
    fn cargo_names_each_test_program_that_failed() {
        let line = "error: test failed, to rerun pass `-p codex-tracing-tests --test e2e`";
        let named = failed_program(line);
        assert_eq!(named, Some("-p codex-tracing-tests --test e2e"));
        assert_eq!(failed_program("     Running tests/e2e.rs"), None);
    }
}
