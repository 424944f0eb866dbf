//! COMPATIBILITY.md.

use std::fmt::Write as _;

use super::Column;
use super::measure::{FEATURES, Seen};

/// The hooks that the bundles register.
const HOOKS: [&str; 9] = [
    "SessionStart",
    "UserPromptSubmit",
    "Stop",
    "SubagentStart",
    "SubagentStop",
    "PreCompact",
    "PostCompact",
    "Interrupt",
    "SessionEnd",
];

/// What was found out about the versions, beyond what is measured here.
const LACKS: &str = include_str!("lacks.md");

/// The whole file.
pub(super) fn markdown(columns: &[Column]) -> String {
    let mut text = String::from(
        "# Compatibility\n\n\
         Written by `cargo xtask matrix`, which runs the end-to-end suites with the real Codex CLI on\n\
         each of these versions, and looks at what arrives. Versions between them behave like one of\n\
         their neighbours. CI runs the oldest and the newest.\n\n\
         ## The suites\n\n",
    );
    head(&mut text, "", columns);
    row(
        &mut text,
        "end-to-end tests that pass",
        columns,
        |column| match &column.suites {
            None => "not run".to_owned(),
            Some(suites) => format!(
                "{} of {}",
                suites.passed,
                suites.passed + suites.failed.len()
            ),
        },
    );
    row(
        &mut text,
        "tests of what this version does not have, or that look at one version only",
        columns,
        |column| match &column.suites {
            None => "not run".to_owned(),
            Some(suites) => suites.skipped.to_string(),
        },
    );
    for column in columns {
        for failed in column.suites.iter().flat_map(|suites| &suites.failed) {
            let _ = writeln!(text, "\nNot passed on {}: `{failed}`.", column.version);
        }
    }
    text.push_str("\n## Hooks that fire\n\n");
    head(&mut text, "event", columns);
    for hook in HOOKS {
        let fired = |column: &Column| column.measured.hooks.contains(hook);
        row(&mut text, hook, columns, |column| {
            if fired(column) { "✓" } else { "–" }.to_owned()
        });
    }
    text.push_str(
        "\nEarlier versions ignore the names they do not know. A turn is delivered whichever of its\n\
         hooks fires: they tell when to look, and the session's file tells what happened.\n\n\
         ## What is traced\n\n",
    );
    head(&mut text, "", columns);
    for (position, feature) in FEATURES.iter().enumerate() {
        row(&mut text, feature.name, columns, |column| {
            match column.measured.features.get(position) {
                Some(Seen::Yes) => "✓",
                Some(Seen::No) => "no, see below",
                Some(Seen::Absent) | None => "–",
            }
            .to_owned()
        });
    }
    text.push_str("\n–: this Codex does not have it.\n\n");
    text.push_str(LACKS);
    text
}

fn head(text: &mut String, corner: &str, columns: &[Column]) {
    row(text, corner, columns, |column| column.version.clone());
    let _ = writeln!(text, "|{}", "---|".repeat(columns.len() + 1));
}

fn row(text: &mut String, name: &str, columns: &[Column], cell: impl Fn(&Column) -> String) {
    let _ = write!(text, "| {name} |");
    for column in columns {
        let _ = write!(text, " {} |", cell(column));
    }
    text.push('\n');
}
