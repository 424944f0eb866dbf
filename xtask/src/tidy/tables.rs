//! Tables in documents that are rendered from the code: between `<!-- <name>:start -->` and
//! `<!-- <name>:end -->` stands what [`TABLES`] says, and `cargo xtask tidy --fix` puts it there.

use std::path::Path;

use codex_tracing_config::{Product, env_summary_markdown, env_table_markdown, file_keys_markdown};

/// A table of a document.
struct Table {
    name: &'static str,
    /// The document that must have it; others may.
    document: &'static str,
    render: fn() -> String,
}

const TABLES: [Table; 4] = [
    Table {
        name: "env-summary",
        document: "README.md",
        render: env_summary_markdown,
    },
    Table {
        name: "env-table",
        document: "docs/configuration.md",
        render: env_table_markdown,
    },
    Table {
        name: "langsmith-keys",
        document: "docs/configuration.md",
        render: || file_keys_markdown(Product::LangSmith),
    },
    Table {
        name: "braintrust-keys",
        document: "docs/configuration.md",
        render: || file_keys_markdown(Product::Braintrust),
    },
];

/// `text` with its tables rendered anew.
pub(super) fn rendered(text: &str) -> String {
    let mut text = text.to_owned();
    for Table { name, render, .. } in TABLES {
        if let Some((before, after)) = around(&text, name) {
            text = format!("{before}\n\n{}\n{after}", render());
        }
    }
    text
}

/// Tables of the document that are stale or missing.
pub(super) fn check(name: &str, text: &str, problems: &mut Vec<String>) {
    if rendered(text) != text {
        problems.push(format!(
            "{name}: a table is not what the code says; run `cargo xtask tidy --fix`"
        ));
    }
    for table in TABLES {
        if name == table.document && around(text, table.name).is_none() {
            problems.push(format!("{name}: has no place for the table {}", table.name));
        }
    }
}

/// Renders the tables of a file anew.
pub(super) fn fix(file: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file)?;
    let fresh = rendered(&text);
    if fresh != text {
        std::fs::write(file, fresh)?;
    }
    Ok(())
}

/// What stands before a table's place and behind it, each with its mark.
fn around<'t>(text: &'t str, name: &str) -> Option<(&'t str, &'t str)> {
    let start = format!("<!-- {name}:start -->");
    let begins = text.find(&start)? + start.len();
    let ends = begins + text.get(begins..)?.find(&format!("<!-- {name}:end -->"))?;
    Some((text.get(..begins)?, text.get(ends..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_table_is_found_and_rendered_anew() {
        for table in TABLES {
            let (name, document) = (table.name, "docs/some.md");
            let stale = format!("# A\n<!-- {name}:start -->\nold\n<!-- {name}:end -->\nB\n");
            let mut problems = Vec::new();
            check(document, &stale, &mut problems);
            assert_eq!(problems.len(), 1, "{problems:?}");
            let fresh = rendered(&stale);
            assert!(fresh.contains(&(table.render)()), "{fresh}");
            assert!(fresh.starts_with("# A\n") && fresh.ends_with("\nB\n"));
            assert_eq!(rendered(&fresh), fresh);
            problems.clear();
            check(document, &fresh, &mut problems);
            assert!(problems.is_empty(), "{problems:?}");
        }
    }

    #[test]
    fn a_document_must_have_its_tables() {
        let missing = |name: &str| {
            let mut problems = Vec::new();
            check(name, "nothing", &mut problems);
            problems.len()
        };
        assert_eq!(missing("README.md"), 1);
        assert_eq!(missing("docs/configuration.md"), 3);
        assert_eq!(missing("docs/privacy.md"), 0);
    }

    #[test]
    fn the_readme_as_it_is_passes_and_with_one_default_changed_fails() {
        let file = crate::command::repository().join("README.md");
        let readme = std::fs::read_to_string(file).unwrap();
        let problems_of = |text: &str| {
            let mut problems = Vec::new();
            check("README.md", text, &mut problems);
            problems
        };
        assert_eq!(problems_of(&readme), Vec::<String>::new());
        let row = "| `BRAINTRUST_REDACT` | `true` |";
        let stale = readme.replace(row, "| `BRAINTRUST_REDACT` | `false` |");
        assert_ne!(stale, readme, "README.md has no row {row}");
        assert_eq!(problems_of(&stale).len(), 1);
    }
}
