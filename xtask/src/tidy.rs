//! `cargo xtask tidy`: what compiler and clippy do not see.

mod tables;

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use anyhow::bail;
use clap::Args;

use crate::command;

/// The most lines a source file may have.
const LONGEST: usize = 400;

/// Words that must not stand in this repository's own texts, and why. Written in two halves, since
/// this file is checked too.
const FORBIDDEN: [(&str, &str, &str); 3] = [
    ("todo", "!", "unfinished code"),
    ("unimple", "mented!", "unfinished code"),
    ("FIX", "ME", "unfinished code"),
];

/// Checks sources and documents.
#[derive(Debug, Default, Args)]
pub(crate) struct Tidy {
    /// Renders the documents' tables from the code first
    #[arg(long)]
    fix: bool,
}

impl Tidy {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if self.fix {
            fix(command::repository())?;
        }
        let problems = problems(command::repository())?;
        if problems.is_empty() {
            return Ok(());
        }
        bail!("{} found\n{}", problems.len(), problems.join("\n"));
    }
}

/// The names of the repository's own files, a line each.
fn listed(root: &Path) -> anyhow::Result<String> {
    command::output(
        std::process::Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard"])
            .current_dir(root),
    )
}

fn fix(root: &Path) -> anyhow::Result<()> {
    for name in listed(root)?.lines() {
        let file = root.join(name);
        let is_document = !is_data(name) && file.extension().is_some_and(|ext| ext == "md");
        if is_document && file.is_file() {
            tables::fix(&file)?;
        }
    }
    Ok(())
}

/// Everything untidy, as `file:line: what`.
pub(crate) fn problems(root: &Path) -> anyhow::Result<Vec<String>> {
    let listed = listed(root)?;
    let mut problems = Vec::new();
    for name in listed.lines() {
        let file = root.join(name);
        if is_data(name) || !file.is_file() {
            continue;
        }
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        match file.extension().and_then(OsStr::to_str) {
            Some("rs") => rust(name, &text, &mut problems),
            Some("md") => {
                links(root, name, &text, &mut problems);
                tables::check(name, &text, &mut problems);
            }
            _ => {}
        }
        words(name, &text, &mut problems);
    }
    Ok(problems)
}

/// Recordings and snapshots are data: they hold what others wrote.
fn is_data(name: &str) -> bool {
    name.contains("corpus/") || name.contains("/snapshots/") || name == "Cargo.lock"
}

fn rust(name: &str, text: &str, problems: &mut Vec<String>) {
    let lines = text.lines().count();
    if lines > LONGEST {
        problems.push(format!(
            "{name}: {lines} lines; split it (at most {LONGEST})"
        ));
    }
    if name.ends_with("/mod.rs") {
        problems.push(format!("{name}: modules are `foo.rs` with `foo/`"));
    }
    let tests =
        name.contains("/tests/") || name.ends_with("/tests.rs") || name.ends_with("_tests.rs");
    if !tests && !text.starts_with("//!") {
        problems.push(format!("{name}: no module documentation at its top"));
    }
}

fn words(name: &str, text: &str, problems: &mut Vec<String>) {
    for (number, line) in text.lines().enumerate() {
        for (head, tail, why) in FORBIDDEN {
            let found = line.match_indices(head).any(|(at, _)| {
                let rest = line.get(at + head.len()..).unwrap_or_default();
                rest.starts_with(tail)
            });
            if found {
                let number = number + 1;
                problems.push(format!("{name}:{number}: `{head}{tail}` is {why}"));
            }
        }
    }
}

/// Relative links must lead somewhere, and `#fragments` to a heading.
fn links(root: &Path, name: &str, text: &str, problems: &mut Vec<String>) {
    let folder = root.join(name);
    let folder = folder.parent().unwrap_or(root);
    for (number, line) in text.lines().enumerate() {
        for link in line.split("](").skip(1) {
            let Some((link, _)) = link.split_once(')') else {
                continue;
            };
            if link.contains("://") || link.starts_with("mailto:") || link.is_empty() {
                continue;
            }
            let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() {
                root.join(name)
            } else {
                folder.join(path)
            };
            let number = number + 1;
            // Texts of bundles link to files that lie beside them only there.
            if name.contains("/templates/") {
                continue;
            }
            if !target.exists() {
                problems.push(format!("{name}:{number}: the link to {path} leads nowhere"));
            } else if !fragment.is_empty() && !has_heading(&target, fragment) {
                problems.push(format!(
                    "{name}:{number}: {path} has no heading #{fragment}"
                ));
            }
        }
    }
}

fn has_heading(file: &Path, fragment: &str) -> bool {
    let Ok(text) = fs::read_to_string(file) else {
        return false;
    };
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let mut anchors = headings.map(|line| anchor(line.trim_start_matches('#').trim()));
    anchors.any(|anchor| anchor == fragment)
}

/// A heading's anchor, as the usual renderers make it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::{anchor, links, rust, words};

    #[test]
    fn untidy_sources_are_named() {
        let check = |name: &str, text: &str, expected: &str| {
            let mut problems = Vec::new();
            rust(name, text, &mut problems);
            words(name, text, &mut problems);
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].contains(expected), "{problems:?}");
        };
        check("a/src/b.rs", "fn main() {}", "no module documentation");
        check("a/src/mod.rs", "//! A.", "foo.rs");
        check(
            "a/src/b.rs",
            &format!("//! A.{}", "\n".repeat(500)),
            "split it",
        );
        check(
            "a/src/b.rs",
            &format!("//! A.\nfn f() {{ {}!() }}", "todo"),
            "b.rs:2",
        );
        let mut none = Vec::new();
        rust("a/tests/b.rs", "fn main() {}", &mut none);
        words("README.md", "nothing to do", &mut none);
        assert!(none.is_empty(), "{none:?}");
    }

    #[test]
    fn dead_links_are_named() {
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::write(folder.path().join("there.md"), "# A title, or two\n").unwrap();
        let text = "[a](there.md) [b](there.md#a-title-or-two) [c](https://example.com)\n[d](gone.md) [e](there.md#gone)";
        let mut problems = Vec::new();
        links(folder.path(), "README.md", text, &mut problems);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains("README.md:2: the link to gone.md"));
        assert!(problems[1].contains("no heading #gone"));
        assert_eq!(anchor("`x` & y-z"), "x--y-z");
    }
}
