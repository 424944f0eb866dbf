//! What could not be used, and why. No message holds a value: settings hold secrets, and a value
//! in the wrong place may be one.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::layer::{Origin, Place};
use crate::value::begins_key;

/// What is wrong with a value, a file or a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Not what the setting takes.
    #[error("expected {expected}, found {found}; the value is left out")]
    #[non_exhaustive]
    Unexpected {
        /// What the setting takes.
        expected: &'static str,
        /// What was found.
        found: Found,
    },
    /// JSON text in a variable does not parse.
    #[error("expected {expected}, but the text is not valid JSON; the value is left out")]
    #[non_exhaustive]
    NotJson {
        /// What the setting takes.
        expected: &'static str,
    },
    /// The whole file does not parse.
    #[error("not valid {format} (line {line}{}); the whole file is left out", reason_of(*.reason))]
    #[non_exhaustive]
    MalformedFile {
        /// `JSON` or `TOML`.
        format: &'static str,
        /// First line that does not parse, from 1.
        line: usize,
        /// What is wrong there, where that can be told without quoting the file.
        reason: Option<&'static str>,
    },
    /// Codex's own configuration is not TOML.
    #[error("is not valid TOML, so no project counts as trusted")]
    CodexConfigBroken,
    /// The file cannot be read.
    #[error("cannot be read ({reason}); the whole file is left out")]
    #[non_exhaustive]
    Unreadable {
        /// The system's words, or what the file is instead.
        reason: String,
    },
    /// No setting has this key.
    #[error("unknown key{}; docs/configuration.md has them all", meant(*.nearest))]
    #[non_exhaustive]
    UnknownKey {
        /// A key that is spelled almost so.
        nearest: Option<&'static str>,
    },
    /// No setting has this variable, although its name begins as if one had.
    #[error("unknown variable{}; the README has them all", meant(*.nearest))]
    #[non_exhaustive]
    UnknownVariable {
        /// A variable that is spelled almost so.
        nearest: Option<&'static str>,
    },
    /// A destination of which something needed cannot be used.
    #[error(
        "this destination is left out as a whole: without that value traces would go somewhere else \
         than written"
    )]
    DestinationLeftOut,
    /// A setting of another product, in a file read for both.
    #[error("is a setting of another product")]
    OtherProducts,
    /// The same key stands in one file more than once. As everywhere in JSON, the last one counts.
    #[error("stands in this file more than once; the last one counts")]
    Repeated,
    /// The same setting stands twice in one file under two spellings.
    #[error("the same setting stands twice in this file; this one is left out")]
    Twice,
    /// The file has a sibling that is read instead.
    #[error("not read, because the .json file beside it is; keep one of the two")]
    Shadowed,
    /// Empty text in a file.
    #[error("is blank and counts as unset")]
    Blank,
    /// A variable that takes text holds other bytes.
    #[error("is not UTF-8 text and counts as unset")]
    NotText,
    /// A setting of the original plugin that has no meaning here.
    #[error("has no meaning here: {reason}")]
    #[non_exhaustive]
    NoMeaning {
        /// Why.
        reason: &'static str,
    },
    /// A project file's field that needs trust.
    #[error(
        "needs a project that Codex trusts, and this one has no entry; the value is left out. \
         Trust the project in Codex, set CODEX_TRACING_TRUST_PROJECT=1, or set it in your own file"
    )]
    NeedsTrust,
    /// A project file's field that would weaken a protection.
    #[error(
        "would weaken a protection, which needs a project that Codex trusts; the value is left out"
    )]
    Weakens,
    /// The project is marked untrusted.
    #[error("ignored, because Codex's config.toml marks this project as untrusted")]
    Untrusted,
    /// A key would go to an endpoint of a less trusted layer.
    #[error(
        "the key is not sent to {host}, which the project file set: a key goes only to the host it \
         was configured for. Set the endpoint in your own file or the environment, or give the \
         project a key of its own"
    )]
    #[non_exhaustive]
    KeyNotForHost {
        /// Host (and port) of the endpoint.
        host: String,
    },
    /// A key of another product.
    #[error("this is a key of another product; it is left out")]
    ForeignKey,
    /// The key is the placeholder of some documentation.
    #[error("looks like a placeholder; put your own key there")]
    Placeholder,
    /// A key that is spelled like a reference to a variable, in a notation or a place that is none.
    #[error("looks like a reference to a variable: {}", reference_of(*.in_file))]
    #[non_exhaustive]
    NoReference {
        /// Whether it stands in a file, where references are read.
        in_file: bool,
    },
    /// `${VAR}` names a variable that is not set.
    #[error("refers to ${{{name}}}, which is not set; the value is left out")]
    #[non_exhaustive]
    UnsetVariable {
        /// The variable.
        name: String,
    },
    /// `${…}` holds something else than a variable's name, perhaps the key itself.
    #[error(
        "has no variable's name between ${{ and }}: put the key there without the braces, or the \
         name of the variable that holds it; the value is left out"
    )]
    NoVariable,
    /// A key travels unencrypted.
    #[error(
        "is plain http to another machine: key and conversations travel unencrypted; use https, or \
         an address of this machine"
    )]
    Unencrypted,
    /// A file with a key that others can read.
    #[error("holds a key and can be read by others (mode {mode:03o}); run: chmod 600 on it")]
    #[non_exhaustive]
    ReadableByOthers {
        /// Permission bits.
        mode: u32,
    },
    /// A file with a key that git tracks.
    #[error("holds a key and is tracked by git; move the key out or use ${{VAR}} in its place")]
    TrackedByGit,
}

fn meant(nearest: Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!(", did you mean `{name}`?"))
}

fn reference_of(in_file: bool) -> &'static str {
    if in_file {
        "here that is written ${NAME}"
    } else {
        "in a variable it stands for itself, ${NAME} is read in files only"
    }
}

fn reason_of(reason: Option<&'static str>) -> String {
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}

/// The name that is spelled almost like `written`: a slip or two in a short name, a few in a long one.
pub(crate) fn nearest(
    written: &str,
    names: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    let bound = |name: &str| (name.len() / 4).clamp(1, 3);
    // A hook comes by here, and a file of a cloned repository may hold names of any length.
    let near = names.filter(|name| name.len().abs_diff(written.len()) <= bound(name));
    let counted = near.map(|name| (strsim::damerau_levenshtein(written, name), name));
    let (slips, likeliest) = counted.min()?;
    (slips <= bound(likeliest)).then_some(likeliest)
}

/// What stands in a setting's place, without saying what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// JSON's null.
    Null,
    /// True or false.
    Switch,
    /// A number.
    Number,
    /// Text, but none that the setting takes.
    Text,
    /// An array.
    Array,
    /// An object.
    Object,
    /// An array or object as expected, of which nothing can be used.
    Unusable,
    /// A path, but a relative one.
    RelativePath,
    /// A redaction rule without a pattern.
    NoPattern,
}

impl Found {
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Switch,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::Text,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Switch => "true or false",
            Self::Number => "a number",
            Self::Text => "other text",
            Self::Array => "an array",
            Self::Object => "an object",
            Self::Unusable => "nothing usable in it",
            Self::RelativePath => "a relative one",
            Self::NoPattern => "no pattern",
        })
    }
}

/// How much a warning matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// A value was left out, or something is unsafe.
    Warning,
}

/// Something that could not be used as written. `Display` names the file or variable, the key and
/// what was expected, and never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The file or variable.
    pub origin: Origin,
    /// The key within the file as written there, such as `replicas[1].apiUrl`; `None` for the
    /// whole file or variable.
    pub key: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

impl Warning {
    pub(crate) fn new(origin: Origin, key: Option<String>, problem: Problem) -> Self {
        Self {
            origin,
            key,
            problem,
        }
    }

    /// Whether a whole file counts for nothing because of it.
    pub fn drops_file(&self) -> bool {
        matches!(
            self.problem,
            Problem::MalformedFile { .. } | Problem::Unreadable { .. } | Problem::Unexpected { .. }
        ) && self.key.is_none()
            && matches!(self.origin.place, Place::File(_))
    }

    /// How much it matters.
    pub fn severity(&self) -> Severity {
        match self.problem {
            Problem::NoMeaning { .. }
            | Problem::Blank
            | Problem::OtherProducts
            | Problem::Untrusted
            | Problem::Shadowed => Severity::Note,
            _ => Severity::Warning,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        write!(f, "{}", self.problem)
    }
}

/// Whether a name may be shown: it looks like a name. Anything else may be a secret in the wrong
/// place.
pub(crate) fn is_showable(name: &str) -> bool {
    let has = |is: fn(&u8) -> bool| name.bytes().any(|b| is(&b));
    let is_name = name.len() <= 40
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && digits > 0;
    let looks_drawn = digits >= 8 || (is_mixed && name.len() >= 16);
    is_name && !looks_drawn && !begins_key(name) && !name.starts_with("bt-")
}

/// A file's key fit to be shown.
pub(crate) fn shown_key(key: &str) -> String {
    shown(key, "key")
}

/// A variable's name fit to be shown.
pub(crate) fn shown_variable(name: &str) -> String {
    shown(name, "variable")
}

fn shown(name: &str, what: &str) -> String {
    if is_showable(name) {
        name.to_owned()
    } else {
        format!("(a {what} of {} characters)", name.chars().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_and_what_may_be_a_secret_is_counted() {
        for name in [
            "api_kee",
            "flushOnTurnEnd2",
            "x.y-z",
            "COMPANY_KEY_2",
            "task-id",
        ] {
            assert_eq!(shown_key(name), name);
        }
        for (name, shown) in [
            ("two words", "(a key of 9 characters)"),
            ("ключ", "(a key of 4 characters)"),
            ("lsv2_pt_short", "(a key of 13 characters)"),
            ("bt-short", "(a key of 8 characters)"),
            ("x-sk-short", "(a key of 10 characters)"),
            ("deadbeef01234567", "(a key of 16 characters)"),
            ("AbCdEfGhIjKlMnOp1", "(a key of 17 characters)"),
        ] {
            assert_eq!(shown_key(name), shown);
        }
        assert_eq!(shown_key(&"x".repeat(41)), "(a key of 41 characters)");
        assert_eq!(shown_variable("A b"), "(a variable of 3 characters)");
    }
}
