//! BENCHMARKS.md: each measurement between its two markers, everything else untouched.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// Puts `text` between the markers of `name`; adds a section where there is none.
pub(super) fn write(file: &Path, name: &str, command: &str, text: &str) -> anyhow::Result<()> {
    let before = if file.exists() {
        fs::read_to_string(file)?
    } else {
        "# Benchmarks\n\nWritten by the commands named in each section; the machine is named there too.\n".to_owned()
    };
    let machine = machine();
    let section = format!("`{command}`, on {machine}:\n\n{text}");
    fs::write(file, placed(&before, name, &section))
        .with_context(|| format!("cannot write {}", file.display()))
}

fn placed(before: &str, name: &str, section: &str) -> String {
    let (open, close) = (
        format!("<!-- bench:{name} -->"),
        format!("<!-- /bench:{name} -->"),
    );
    let inner = format!("{open}\n{section}\n{close}");
    let around = before
        .split_once(&open)
        .and_then(|(head, rest)| Some((head, rest.split_once(&close)?.1)));
    match around {
        Some((head, tail)) => format!("{head}{inner}{tail}"),
        None => format!("{}\n\n## {name}\n\n{inner}\n", before.trim_end()),
    }
}

/// System, architecture and cores: enough to know what a number is worth.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (system, architecture) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{system} {architecture}, {cores} cores")
}

#[cfg(test)]
mod tests {
    use super::placed;

    #[test]
    fn a_section_is_added_once_and_then_replaced() {
        let first = placed("# Benchmarks\n\nIntro.\n", "hook", "one");
        assert!(first.starts_with("# Benchmarks\n\nIntro.\n\n## hook\n"));
        let other = placed(&first, "wire", "two");
        let again = placed(&other, "hook", "three");
        assert!(!again.contains("one") && again.contains("three") && again.contains("two"));
        assert_eq!(again.matches("## hook").count(), 1);
        assert_eq!(placed(&again, "hook", "three"), again);
    }
}
