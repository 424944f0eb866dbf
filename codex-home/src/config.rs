//! Reading `config.toml`, the user's and those of projects.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::Error;

/// Codex's configuration as it holds in one folder: the user's file, and over it those of trusted
/// projects, which switch features in every version we know, and plugins from
/// [`CodexVersion::PROJECT_PLUGINS`](crate::CodexVersion::PROJECT_PLUGINS) on. Whether hooks are
/// trusted or switched off one by one is asked of the user's file alone (measured on 0.128–0.169).
#[derive(Debug, Clone, Default)]
pub struct CodexConfig {
    user: toml::Table,
    /// With their files, the nearest first.
    projects: Vec<(PathBuf, toml::Table)>,
}

/// What the configuration says of a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said<'a> {
    /// What holds.
    pub on: bool,
    /// The project's file that says so; `None` if it is the user's.
    pub project: Option<&'a Path>,
}

impl CodexConfig {
    /// Reads the user's file, and those of `projects`, the nearest first. A file that cannot be read
    /// counts as empty and is told of.
    pub fn read(codex_home: &Path, projects: &[PathBuf]) -> (Self, Vec<Error>) {
        let mut errors = Vec::new();
        let mut read = |file: &Path| {
            read_table(file).unwrap_or_else(|error| {
                errors.push(error);
                toml::Table::new()
            })
        };
        let config = Self {
            user: read(&codex_home.join("config.toml")),
            projects: projects
                .iter()
                .map(|file| (file.clone(), read(file)))
                .collect(),
        };
        (config, errors)
    }

    /// The same for a Codex that asks projects for no plugins.
    #[must_use]
    pub fn without_plugins_of_projects(mut self) -> Self {
        for (_, table) in &mut self.projects {
            table.remove("plugins");
        }
        self
    }

    /// The user's file alone.
    pub fn user(&self) -> &toml::Table {
        &self.user
    }

    /// Whether a feature is switched on or off; `None` if no file says so.
    pub fn feature(&self, name: &str) -> Option<Said<'_>> {
        self.said(&["features", name])
    }

    /// Whether a plugin is switched on, which is what its mere entry says; `None` if no file has one.
    pub fn plugin(&self, id: &str) -> Option<Said<'_>> {
        let said = self.said(&["plugins", id, "enabled"]);
        let entered = || {
            self.layers()
                .any(|(_, table)| at(table, &["plugins", id]).is_some())
        };
        let by_entry = Said {
            on: true,
            project: None,
        };
        said.or_else(|| entered().then_some(by_entry))
    }

    /// The ids (`<plugin>@<marketplace>`) of all plugins that any of the files names.
    pub fn plugin_ids(&self) -> BTreeSet<&str> {
        self.layers()
            .filter_map(|(_, table)| table.get("plugins")?.as_table())
            .flat_map(toml::Table::keys)
            .map(String::as_str)
            .collect()
    }

    fn said(&self, path: &[&str]) -> Option<Said<'_>> {
        self.layers().find_map(|(project, table)| {
            let on = at(table, path)?.as_bool()?;
            Some(Said { on, project })
        })
    }

    /// The strongest first.
    fn layers(&self) -> impl Iterator<Item = (Option<&Path>, &toml::Table)> {
        let projects = self.projects.iter();
        projects
            .map(|(file, table)| (Some(file.as_path()), table))
            .chain([(None, &self.user)])
    }
}

fn at<'a>(table: &'a toml::Table, path: &[&str]) -> Option<&'a toml::Value> {
    let (first, rest) = path.split_first()?;
    let value = table.get(*first)?;
    rest.iter().try_fold(value, |value, name| value.get(name))
}

/// The user's `config.toml`; empty if there is none.
pub fn read_config(codex_home: &Path) -> Result<toml::Table, Error> {
    read_table(&codex_home.join("config.toml"))
}

fn read_table(file: &Path) -> Result<toml::Table, Error> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(toml::Table::new()),
        Err(error) => return Err(Error::read(file)(error)),
    };
    text.parse().map_err(|error: toml::de::Error| {
        let at = error.span().map(|span| span.start);
        Error::not_toml(file, &text, at)
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

    #[test]
    fn the_nearest_file_that_says_something_of_a_switch_is_heard() {
        let home = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let file = home.path().join(name);
            std::fs::write(&file, text).unwrap();
            file
        };
        put(
            "config.toml",
            "[features]\nhooks = false\nplugins = true\n[plugins.\"off@m\"]\nenabled = false\n[plugins.\"on@m\"]\n",
        );
        let near = put("near", "[features]\nhooks = true\n[plugins.\"off@m\"]\n");
        let far = put(
            "far",
            "[features]\nhooks = false\n[plugins.\"off@m\"]\nenabled = true\n[plugins.\"on@m\"]\nenabled = false\n",
        );
        let broken = put("broken", "[");
        let files = [near.clone(), far.clone(), broken];
        let (config, errors) = CodexConfig::read(home.path(), &files);
        assert_eq!(errors.len(), 1, "{errors:?}");
        let said = |on, project| Some(Said { on, project });
        assert_eq!(config.feature("hooks"), said(true, Some(near.as_path())));
        assert_eq!(config.feature("plugins"), said(true, None));
        assert_eq!(config.feature("other"), None);
        assert_eq!(config.plugin("off@m"), said(true, Some(far.as_path())));
        assert_eq!(config.plugin("on@m"), said(false, Some(far.as_path())));
        assert_eq!(config.plugin("other@m"), None);
        let old = config.without_plugins_of_projects();
        assert_eq!(old.plugin("off@m"), said(false, None));
        assert_eq!(old.plugin("on@m"), said(true, None));
        assert_eq!(old.feature("hooks"), said(true, Some(near.as_path())));
    }
}
