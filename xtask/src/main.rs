//! The project's tasks: `cargo xtask <task>`. One file per task; nothing of this ships.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tasks talk to whoever runs them"
)]

mod command;
mod dist;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's tasks")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the bundles that Codex accepts as marketplaces.
    Dist(dist::Dist),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Dist(task) => task.run(),
    }
}
