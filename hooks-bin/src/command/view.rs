//! placeholder
use std::process::ExitCode;
#[derive(Debug, clap::Parser)]
pub(crate) struct Args {}
pub(crate) fn run(_: &Args) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
