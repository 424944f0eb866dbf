//! The project's tasks: `cargo xtask <task>`. One file per task; nothing of this ships.
#![expect(clippy::print_stderr, reason = "tasks talk to whoever runs them")]

#[macro_use]
mod say;

mod bench;
mod build;
mod command;
mod demo;
mod dist;
mod install;
mod matrix;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's tasks")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the executable that ships.
    Build(build::Build),
    /// Build the bundles that Codex accepts as marketplaces.
    Dist(dist::Dist),
    /// Show a traced session: tree, hook times, state.
    Demo(demo::Demo),
    /// Measure, and write BENCHMARKS.md.
    Bench(bench::Bench),
    /// Build a bundle and install its plugins into your Codex.
    Install(install::Install),
    /// Take the plugins of a bundle out of your Codex.
    Uninstall(install::Uninstall),
    /// Run the end-to-end suites on every supported Codex and write COMPATIBILITY.md.
    Matrix(matrix::Matrix),
    /// Everything that must pass: format, lints, tests, end to end.
    Test(test::Test),
    /// What compiler and clippy do not see.
    Tidy(tidy::Tidy),
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Build(task) => task.run(),
        Task::Dist(task) => task.run(),
        Task::Demo(task) => task.run(),
        Task::Bench(task) => task.run(),
        Task::Install(task) => task.run(),
        Task::Uninstall(task) => task.run(),
        Task::Matrix(task) => task.run(),
        Task::Test(task) => task.run(),
        Task::Tidy(task) => task.run(),
    }
}
