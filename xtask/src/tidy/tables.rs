//! Tables in documents that are rendered from the code: between `<!-- <name>:start -->` and
//! `<!-- <name>:end -->` stands what [`TABLES`] says, and `cargo xtask tidy --fix` puts it there.

use std::path::Path;

use codex_tracing_config::{Product, env_table_markdown, file_keys_markdown};

/// The document that must hold every table.
const COMPLETE: &str = "docs/configuration.md";

/// A table's name and how it is rendered.
type Table = (&'static str, fn() -> String);

const TABLES: [Table; 3] = [
    ("env-table", env_table_markdown),
    ("langsmith-keys", || file_keys_markdown(Product::LangSmith)),
    ("braintrust-keys", || {
        file_keys_markdown(Product::Braintrust)
    }),
];

/// `text` with its tables rendered anew.
pub(super) fn rendered(text: &str) -> String {
    let mut text = text.to_owned();
    for (name, table) in TABLES {
        if let Some((before, after)) = around(&text, name) {
            text = format!("{before}\n\n{}\n{after}", table());
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
    for (table, _) in TABLES {
        if name == COMPLETE && around(text, table).is_none() {
            problems.push(format!("{name}: has no place for the table {table}"));
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
        let stale = "# A\n<!-- env-table:start -->\nold\n<!-- env-table:end -->\nB\n";
        let mut problems = Vec::new();
        check("README.md", stale, &mut problems);
        assert_eq!(problems.len(), 1, "{problems:?}");
        let fresh = rendered(stale);
        assert!(fresh.contains("`TRACE_TO_LANGSMITH`"), "{fresh}");
        assert!(fresh.starts_with("# A\n") && fresh.ends_with("\nB\n"));
        assert_eq!(rendered(&fresh), fresh);
        problems.clear();
        check("README.md", &fresh, &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn the_complete_document_must_have_every_table() {
        let mut problems = Vec::new();
        check(COMPLETE, "nothing", &mut problems);
        assert_eq!(problems.len(), TABLES.len(), "{problems:?}");
        problems.clear();
        check("README.md", "nothing", &mut problems);
        assert!(problems.is_empty());
    }
}
