//! Where values come from.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// A layer of settings, lowest first: a later one hides the values of an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Layer {
    /// What is built in.
    Default,
    /// `/etc/codex/<product>.json` or `.toml` (on Windows in `%ProgramData%\OpenAI\Codex`), or what
    /// `CODEX_TRACING_TEAM_CONFIG` names.
    Team,
    /// `$CODEX_HOME/<product>.json` or `.toml`, else the same below `~/.codex`.
    User,
    /// Braintrust only: `$PLUGIN_DATA/config.json`.
    PluginData,
    /// `.codex/<product>.json` or `.toml` of the project.
    Project,
    /// Environment variables.
    Environment,
}

impl Layer {
    /// Every layer, lowest first.
    pub(crate) const ALL: [Self; 6] = [
        Self::Default,
        Self::Team,
        Self::User,
        Self::PluginData,
        Self::Project,
        Self::Environment,
    ];

    /// The name shown to people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Team => "team",
            Self::User => "user",
            Self::PluginData => "plugin data",
            Self::Project => "project",
            Self::Environment => "environment",
        }
    }

    pub(crate) const fn standing(self) -> Standing {
        match self {
            Self::Project => Standing::Project,
            _ => Standing::Own,
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far a layer is trusted, least first. There are two ranks only: what comes with a
/// repository, and what the user or whoever runs the machine wrote. Between the layers of the
/// second rank there is precedence but no difference in trust: whoever can write one of them can
/// read the keys of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// Came with a repository, even if that repository is trusted.
    Project,
    /// The user's own, the machine's or built in.
    Own,
}

/// Where within a layer a value stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Place {
    /// Nowhere: built in.
    BuiltIn,
    /// In a file.
    File(PathBuf),
    /// In an environment variable.
    Variable(Cow<'static, str>),
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Origin {
    /// The layer.
    pub layer: Layer,
    /// The file or variable.
    pub place: Place,
    /// Variables that a `${VAR}` in the file was read from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<String>,
}

impl Origin {
    pub(crate) fn built_in() -> Self {
        Self::new(Layer::Default, Place::BuiltIn)
    }

    pub(crate) fn variable(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Layer::Environment, Place::Variable(name.into()))
    }

    pub(crate) fn file(layer: Layer, path: PathBuf) -> Self {
        Self::new(layer, Place::File(path))
    }

    fn new(layer: Layer, place: Place) -> Self {
        Self {
            layer,
            place,
            via: Vec::new(),
        }
    }

    /// A value read from the environment by a file's `${VAR}` is the user's own, whatever file
    /// asks for it.
    pub(crate) fn standing(&self) -> Standing {
        if self.via.is_empty() {
            self.layer.standing()
        } else {
            Standing::Own
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::BuiltIn => f.write_str("built in")?,
            Place::File(path) => f.write_str(&plain(&path.display().to_string()))?,
            Place::Variable(name) => f.write_str(name)?,
        }
        if !self.via.is_empty() {
            write!(f, " (${})", self.via.join(", $"))?;
        }
        Ok(())
    }
}

/// The text without control characters: names of folders come with repositories, and a terminal
/// obeys what is printed to it.
fn plain(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folders_name_does_not_reach_the_terminal_as_a_command() {
        let origin = Origin::file(Layer::Project, PathBuf::from("/a\u{1b}[2J/b.json"));
        assert_eq!(origin.to_string(), "/a\u{fffd}[2J/b.json");
    }
}
