//! The one table of settings: everything else (environment table, schema, loading, documentation)
//! is read off it.

mod braintrust;
mod langsmith;

use crate::product::Product;

pub(crate) use braintrust::BRAINTRUST;
pub(crate) use langsmith::LANGSMITH;

/// What a setting is, independent of a product's names for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Setting {
    Enabled,
    ApiKey,
    ApiUrl,
    AppUrl,
    Project,
    WorkspaceId,
    OrgName,
    Metadata,
    Replicas,
    Redact,
    RedactExtraRules,
    ParentHeaders,
    ParentSpanId,
    RootSpanId,
    FlushOnTurnEnd,
    Live,
    MaxFieldBytes,
    Images,
    DefaultMuted,
    RecordFile,
    /// Settings of the originals without meaning here; several share this id.
    NoMeaning,
}

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Switch,
    Text,
    Key,
    Url,
    Object,
    Replicas,
    Rules,
    Headers,
    Bytes,
    Images,
    Path,
    /// Accepted, explained and not used, with the reason.
    NoMeaning(&'static str),
}

impl Kind {
    pub(crate) const fn expected(self) -> &'static str {
        match self {
            Self::Switch => "true or false (also 1/0, yes/no, on/off)",
            Self::Text => "text",
            Self::Key => "a key: one line of visible ASCII without spaces",
            Self::Url => "an http or https URL without user, password, query or fragment",
            Self::Object => "a JSON object",
            Self::Replicas => "an array of replica objects or an object {url: key}",
            Self::Rules => "an array of objects {pattern, replace}",
            Self::Headers => "an object {\"langsmith-trace\", \"baggage\"}",
            Self::Bytes => "a whole number of bytes (0 for no limit)",
            Self::Images => "keep, reference or omit",
            Self::Path => "a path",
            Self::NoMeaning(_) => "anything",
        }
    }

    /// Whether a variable holds the value as JSON text.
    pub(crate) const fn is_json(self) -> bool {
        matches!(
            self,
            Self::Object | Self::Replicas | Self::Rules | Self::Headers
        )
    }
}

/// What a project file without Codex's trust may do with a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Set it.
    Harmless,
    /// Not set it: it says where data goes, with which key, writes files or makes a turn wait.
    NeedsTrust,
    /// Only switch it off, or say on where the user's own layers do.
    OnlyOff,
    /// Only make it stricter than the layers below have it.
    OnlyStricter,
}

/// One setting of one product.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) id: Setting,
    /// Canonical `snake_case` key.
    pub(crate) key: &'static str,
    /// How the product's own documentation writes the key, if differently.
    pub(crate) written: Option<&'static str>,
    /// Other accepted keys, in `snake_case`.
    pub(crate) aliases: &'static [&'static str],
    /// Variables, the first set one wins.
    pub(crate) vars: &'static [&'static str],
    pub(crate) kind: Kind,
    pub(crate) guard: Guard,
    /// The default as it would be written in a variable.
    pub(crate) default: Option<&'static str>,
    /// One sentence in Markdown.
    pub(crate) about: &'static str,
}

impl Field {
    /// The key as documented.
    pub(crate) fn documented_key(&self) -> &'static str {
        self.written.unwrap_or(self.key)
    }

    pub(crate) fn takes_key(&self, snake: &str) -> bool {
        self.key == snake
            || self.aliases.contains(&snake)
            || self
                .written
                .is_some_and(|written| to_snake(written) == snake)
    }
}

/// The settings of a product.
pub(crate) fn fields(product: Product) -> &'static [Field] {
    match product {
        Product::LangSmith => LANGSMITH,
        Product::Braintrust => BRAINTRUST,
    }
}

/// `apiUrl`, `api-url` and `api_url` all become `api_url`.
pub(crate) fn to_snake(key: &str) -> String {
    let mut snake = String::with_capacity(key.len() + 4);
    let mut after_lower = false;
    for c in key.chars() {
        if c.is_ascii_uppercase() {
            if after_lower {
                snake.push('_');
            }
            snake.push(c.to_ascii_lowercase());
            after_lower = false;
        } else {
            snake.push(if c == '-' { '_' } else { c });
            after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        }
    }
    snake
}

/// `api_url` becomes `apiUrl`.
pub(crate) fn to_camel(key: &str) -> String {
    let mut camel = String::with_capacity(key.len());
    let mut raise = false;
    for c in key.chars() {
        if c == '_' {
            raise = true;
        } else if raise {
            camel.push(c.to_ascii_uppercase());
            raise = false;
        } else {
            camel.push(c);
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_any_spelling_become_snake_case() {
        for (key, snake) in [
            ("apiUrl", "api_url"),
            ("api_url", "api_url"),
            ("api-url", "api_url"),
            ("APIKey", "apikey"),
            ("traceToBraintrust", "trace_to_braintrust"),
            ("langsmith-trace", "langsmith_trace"),
            ("flush_on_turn_end", "flush_on_turn_end"),
        ] {
            assert_eq!(to_snake(key), snake, "{key}");
        }
    }

    #[test]
    fn camel_case_of_every_key_is_read_back_as_that_key() {
        for product in Product::all() {
            for field in fields(product) {
                assert!(
                    field.takes_key(&to_snake(&to_camel(field.key))),
                    "{}",
                    field.key
                );
                assert!(field.takes_key(&to_snake(field.documented_key())));
            }
        }
    }

    #[test]
    fn no_key_and_no_variable_belongs_to_two_settings() {
        for product in Product::all() {
            for field in fields(product) {
                for name in std::iter::once(&field.key).chain(field.aliases) {
                    let owners = fields(product).iter().filter(|f| f.takes_key(name)).count();
                    assert_eq!(owners, 1, "{product}: {name}");
                }
            }
        }
    }
}
