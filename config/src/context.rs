//! Everything that settings depend on, taken once at the edge of the program.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::platform;
use crate::value::mask_keys;

/// A snapshot of environment variables. Blank ones count as unset. `Debug` shows names only.
///
/// Values need not be UTF-8: a home may be called by bytes of another encoding.
#[derive(Clone, Default)]
pub struct Environment {
    vars: BTreeMap<String, OsString>,
}

impl Environment {
    /// From pairs.
    pub fn from_pairs<I, K, V>(pairs: I) -> Self
    where
        I: IntoIterator<Item = (K, V)>,
        K: Into<String>,
        V: Into<OsString>,
    {
        Self {
            vars: pairs
                .into_iter()
                .map(|(name, value)| {
                    let name: String = name.into();
                    (platform::variable(&name).into_owned(), value.into())
                })
                .collect(),
        }
    }

    /// The text of a variable, unless unset, blank or not UTF-8.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_os(name)?.to_str()
    }

    /// The value of a variable as it is, unless unset or blank: for paths.
    pub fn get_os(&self, name: &str) -> Option<&OsStr> {
        let value = self.vars.get(&*platform::variable(name))?;
        (!is_blank(value)).then_some(value)
    }

    /// The names of the variables that are set and not blank, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let set = self.vars.iter().filter(|(_, value)| !is_blank(value));
        set.map(|(name, _)| name.as_str())
    }

    /// The names of those whose value is not UTF-8.
    pub(crate) fn not_text(&self) -> impl Iterator<Item = &str> {
        let odd = self
            .vars
            .iter()
            .filter(|(_, value)| value.to_str().is_none());
        odd.map(|(name, _)| name.as_str())
    }
}

fn is_blank(value: &OsStr) -> bool {
    value.to_str().is_some_and(|text| text.trim().is_empty())
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.vars.keys().map(|name| mask_keys(name));
        f.debug_set().entries(names).finish()
    }
}

/// Everything settings depend on; built once at the edge of the program.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Context {
    /// The user's home, if known.
    pub home: Option<PathBuf>,
    /// Codex's home: `CODEX_HOME` if it is UTF-8, else `<home>/.codex`. Without either a relative path, below
    /// which no settings are read.
    pub codex_home: PathBuf,
    /// Working directory of the session (the hook's `cwd` field, not the process's).
    pub cwd: PathBuf,
    /// `PLUGIN_DATA`, where Codex gave one.
    pub plugin_data: Option<PathBuf>,
    /// Folder of the team files; `/etc/codex` (on Windows `%ProgramData%\OpenAI\Codex`) but in tests.
    pub team_dir: PathBuf,
    /// The environment.
    pub env: Environment,
}

impl Context {
    /// From this process: the one place that reads the environment. `cwd` is the session's
    /// working directory where a hook named one, else the process's is taken.
    pub fn from_process(cwd: Option<PathBuf>) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment"
        )]
        let env = Environment::from_pairs(
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))),
        );
        Self::new(
            env,
            cwd.or_else(|| std::env::current_dir().ok())
                .unwrap_or_default(),
        )
    }

    /// From given parts; paths are derived from `env` as for a process.
    pub fn new(env: Environment, cwd: PathBuf) -> Self {
        let home = platform::HOMES.iter().find_map(|name| env.get_os(name));
        let home = home.map(PathBuf::from);
        // As Codex reads it: to one that is not text it prefers the usual folder.
        let codex_home = env
            .get("CODEX_HOME")
            .map(PathBuf::from)
            .or_else(|| home.as_ref().map(|home| home.join(".codex")))
            .unwrap_or_else(|| PathBuf::from(".codex"));
        let plugin_data = env.get_os("PLUGIN_DATA").map(PathBuf::from);
        Self {
            home,
            codex_home,
            cwd,
            plugin_data,
            team_dir: platform::team_dir(&env),
            env,
        }
    }
}
