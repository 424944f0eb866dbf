//! The commands that README.md tells its readers, so that tests run those and no others.

use anyhow::{Context as _, bail};

use crate::surroundings::repository;

/// What a reader types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// `cargo xtask <arguments>`.
    Xtask(Vec<String>),
    /// `export <name>=<value>`; a value such as `<your key>` is for the reader to fill in.
    Export(String, String),
    /// `codex <arguments>`.
    Codex(Vec<String>),
}

/// The commands of the first shell block below a heading of README.md.
///
/// # Errors
///
/// If there is no such heading or block, or a command is none that a test could follow.
pub fn readme_commands(heading: &str) -> anyhow::Result<Vec<Typed>> {
    let text = std::fs::read_to_string(repository().join("README.md"))?;
    commands(&text, heading).with_context(|| format!("README.md, {heading:?}"))
}

fn commands(text: &str, heading: &str) -> anyhow::Result<Vec<Typed>> {
    let title = format!("## {heading}");
    let mut lines = text.lines().skip_while(|line| **line != *title).skip(1);
    let section = lines.by_ref().take_while(|line| !line.starts_with("## "));
    let block: Vec<&str> = section
        .skip_while(|line| *line != "```bash")
        .skip(1)
        .take_while(|line| *line != "```")
        .collect();
    if block.is_empty() {
        bail!("no commands");
    }
    block.into_iter().map(typed).collect()
}

fn typed(line: &str) -> anyhow::Result<Typed> {
    // A remark stands behind blanks.
    let command = line.split(" #").next().unwrap_or_default().trim();
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    if let Some(assignment) = command.strip_prefix("export ") {
        let (name, value) = assignment.split_once('=').context("export of nothing")?;
        return Ok(Typed::Export(name.to_owned(), value.to_owned()));
    }
    let words: Vec<&str> = command.split_whitespace().collect();
    match words.as_slice() {
        ["cargo", "xtask", rest @ ..] => Ok(Typed::Xtask(owned(rest))),
        ["codex", rest @ ..] => Ok(Typed::Codex(owned(rest))),
        _ => bail!("{line:?} is no command that a test can follow"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_a_section_are_told_apart_and_those_of_others_left_out() {
        let text = "## One\n\nWords.\n\n```bash\ncargo xtask install one   # builds\nexport KEY=<your key>\n\
                    codex\n```\n\n```bash\ncodex no\n```\n\n## Two\n\nWords.\n";
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let expected = [
            Typed::Xtask(words(&["install", "one"])),
            Typed::Export("KEY".to_owned(), "<your key>".to_owned()),
            Typed::Codex(Vec::new()),
        ];
        assert_eq!(commands(text, "One").unwrap(), expected);
        assert!(commands(text, "Two").is_err(), "it has no block");
        assert!(commands(text, "Three").is_err());
        assert!(commands("## A\n```bash\nrm -r /\n```\n", "A").is_err());
    }
}
