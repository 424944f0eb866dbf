//! Reading `config.toml`.

use std::io::ErrorKind;
use std::path::Path;

use crate::Error;

/// The user's `config.toml`; empty if there is none.
pub fn read_config(codex_home: &Path) -> Result<toml::Table, Error> {
    let file = codex_home.join("config.toml");
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(toml::Table::new()),
        Err(error) => return Err(Error::read(&file)(error)),
    };
    text.parse().map_err(|error: toml::de::Error| {
        let at = error.span().map(|span| span.start);
        Error::not_toml(&file, &text, at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_empty_and_a_broken_one_is_told_by_its_line_alone() {
        let home = tempfile::tempdir().unwrap();
        assert!(read_config(home.path()).unwrap().is_empty());
        let file = home.path().join("config.toml");
        std::fs::write(&file, "a = 1\n\n[secret-word\n").unwrap();
        let words = read_config(home.path()).unwrap_err().to_string();
        let expected = format!("{} is not TOML, near line 3", file.display());
        assert_eq!(words, expected);
    }
}
