//! Recorded hook events, handed to the hook once more.

use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, bail};
use codex_tracing_braintrust::parse_record_line;

/// Runs every event of a recording through `hook braintrust`, in order, with the settings and the
/// key of now. The rollouts must still be where the events say.
pub(crate) fn run(events: &Path) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(events)
        .with_context(|| format!("cannot read the recording {}", events.display()))?;
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let mut count = 0_usize;
    for (number, line) in text.lines().enumerate() {
        let event = parse_record_line(line)
            .with_context(|| format!("{} line {}", events.display(), number + 1))?;
        let Some(event) = event else { continue };
        let mut child = Command::new(&program)
            .args(["hook", "braintrust"])
            .stdin(Stdio::piped())
            .spawn()
            .context("cannot start the hook")?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin
                .write_all(event.as_bytes())
                .context("cannot hand the event to the hook")?;
        }
        let status = child.wait().context("cannot wait for the hook")?;
        if !status.success() {
            bail!(
                "the hook failed on line {} of {}",
                number + 1,
                events.display()
            );
        }
        count += 1;
    }
    super::print(&format!(
        "replayed {count} events; `codex-tracing status` tells the rest\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}
