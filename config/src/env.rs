//! Every environment variable that is read, in one table. The README's section is rendered from
//! it, so the two cannot differ.

use std::sync::LazyLock;

use crate::field::{Field, Kind, fields};
use crate::product::Product;
use crate::span_environment;

/// One environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvVar {
    /// Its name.
    pub name: &'static str,
    /// The products it is for; empty for variables that no setting of a product belongs to.
    pub products: Vec<Product>,
    /// What it does: one sentence or more in Markdown.
    pub about: &'static str,
    /// What holds if neither it nor a file sets the value.
    pub default: Option<&'static str>,
    /// Whether the variable is one of the original plugins' that has no meaning here.
    pub without_effect: bool,
    /// The variable that is read if this one is unset.
    pub falls_back_to: Option<&'static str>,
    /// The key in the settings files that sets the same.
    pub key: Option<&'static str>,
    /// Whether the value is JSON text.
    pub json: bool,
}

impl EnvVar {
    /// Whether what happens with this product's sessions may depend on the user's setting the variable.
    /// What is only looked at, or says no more than where things are on this machine, is not meant.
    pub fn concerns(&self, product: Product) -> bool {
        let is_common = self.products.is_empty() && self.name.starts_with("CODEX_");
        (is_common || self.products.contains(&product)) && !self.is_detected()
    }

    /// Whether it is only looked at to tell what kind of machine this is.
    pub(crate) fn is_detected(&self) -> bool {
        self.about == DETECTED
    }
}

/// Every variable: first the products' settings, then what is common, then what is only looked at
/// to tell build servers and hosts apart.
///
/// ```
/// let table = codex_tracing_config::env_table();
/// let key = table.iter().find(|var| var.name == "LANGSMITH_CODEX_API_KEY").unwrap();
/// assert_eq!(key.falls_back_to, Some("LANGSMITH_API_KEY"));
/// ```
pub fn env_table() -> &'static [EnvVar] {
    static TABLE: LazyLock<Vec<EnvVar>> = LazyLock::new(|| {
        let mut table = Vec::new();
        for product in Product::all() {
            for field in fields(product) {
                add_field(&mut table, product, field);
            }
        }
        table.extend(OTHERS.iter().map(|(name, about, default)| EnvVar {
            products: match name.strip_prefix("BRAINTRUST_") {
                Some(_) => vec![Product::Braintrust],
                None => Vec::new(),
            },
            default: *default,
            ..plain(name, about)
        }));
        let detected = span_environment::HOSTS.iter().map(|(name, _, _)| *name);
        for name in detected.chain(span_environment::OTHERS.iter().copied()) {
            table.push(EnvVar {
                products: vec![Product::Braintrust],
                ..plain(name, DETECTED)
            });
        }
        table
    });
    &TABLE
}

const DETECTED: &str = "Looked at to tell what kind of machine the session runs on.";

/// Variables that belong to no setting: name, about, default.
const OTHERS: &[(&str, &str, Option<&str>)] = &[
    (
        "CODEX_TRACING_TEAM_CONFIG",
        "Team file to read in place of `/etc/codex/<product>.json`, or a folder with such files. \
         A file named `langsmith.*` or `braintrust.*` is read for that product alone.",
        None,
    ),
    (
        "CODEX_TRACING_TRUST_PROJECT",
        "`1` trusts the project's settings file where Codex's config.toml has no entry for the \
         project.",
        Some("0"),
    ),
    (
        "CODEX_TRACING_LOG",
        "What is written to the log file: `off`, `error`, `warn`, `info` or `debug`.",
        Some("info"),
    ),
    (
        "BRAINTRUST_ENVIRONMENT_TYPE",
        "What kind of machine the session runs on: `ci`, `server` or `local`. Unset: detected.",
        None,
    ),
    (
        "BRAINTRUST_ENVIRONMENT_NAME",
        "Name of that machine or service. Unset: detected.",
        None,
    ),
    (
        "HOME",
        "The user's home. If it is unset, `USERPROFILE` is read; on Windows the other way round.",
        None,
    ),
    ("USERPROFILE", "The user's home on Windows.", None),
    (
        "PROGRAMDATA",
        "On Windows the team files lie in `OpenAI\\Codex` below this folder.",
        Some("C:\\ProgramData"),
    ),
    (
        "CODEX_HOME",
        "Codex's home, with the user's files.",
        Some("~/.codex"),
    ),
    (
        "PLUGIN_DATA",
        "The plugin's data folder, given by Codex; holds state, logs and Braintrust's \
         `config.json`.",
        Some("$CODEX_HOME/codex-tracing/<product>"),
    ),
];

/// Variables of the tools this project is developed and tested with, which may stand in the
/// environment of a developer's Codex. They set nothing here and are no misspelling.
const DEVELOPMENT: [&str; 7] = [
    "CODEX_TRACING_CODEX_CACHE",
    "CODEX_TRACING_DIST",
    "CODEX_TRACING_FAIL_AT",
    "CODEX_TRACING_KILLS",
    "CODEX_TRACING_REQUIRE_CODEX",
    "CODEX_TRACING_SKIP_CODEX",
    "CODEX_TRACING_TEST_VERSIONS",
];

fn plain(name: &'static str, about: &'static str) -> EnvVar {
    EnvVar {
        name,
        products: Vec::new(),
        about,
        default: None,
        without_effect: false,
        falls_back_to: None,
        key: None,
        json: false,
    }
}

fn add_field(table: &mut Vec<EnvVar>, product: Product, field: &'static Field) {
    for (index, name) in field.vars.iter().enumerate() {
        if let Some(known) = table.iter_mut().find(|var| var.name == *name) {
            known.products.push(product);
            if known.default != field.default {
                known.default = None;
            }
            continue;
        }
        table.push(EnvVar {
            products: vec![product],
            default: field.default,
            falls_back_to: field.vars.get(index + 1).copied(),
            key: Some(field.documented_key()),
            json: field.kind.is_json(),
            without_effect: matches!(field.kind, Kind::NoMeaning(_)),
            about: match field.kind {
                Kind::NoMeaning(reason) => reason,
                _ => field.about,
            },
            ..plain(name, "")
        });
    }
}

/// The names in the table.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    env_table().iter().map(|var| var.name)
}

/// Whether a variable is in the table, or one of those that only a developer has.
pub(crate) fn is_known(name: &str) -> bool {
    DEVELOPMENT.contains(&name) || env_table().iter().any(|var| var.name == name)
}
