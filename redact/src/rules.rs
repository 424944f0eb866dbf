//! The table of what counts as a secret.
//!
//! A rule is found through its *anchors*, literals of which at least one is part of every match.
//! One automaton looks for all anchors of all rules in a single pass; only where an anchor stands
//! is the rule's pattern tried, anchored at the place its [`Lead`] names. What a pattern's group
//! `s` matches (without such a group: the whole match) is replaced.

/// Names that say secret: the published list, and a few more of the same kind.
macro_rules! keywords {
    () => {
        concat!(
            "api[_-]?key|secret|token|password|passwd|private[_-]?key|access[_-]?key",
            "|auth[_-]?token|client[_-]?secret",
            "|secret[_-]?key|passphrase|(?:encryption|signing|master|account)[_-]?key|_pwd",
            "|(?:app|shared)[_-]?key|client[_-]key[_-]data",
            "|(?:admin|auth|basic|become|db|e?mail|ftp|https?|imap|key|ldap|mongo|mysql|pg|postgres",
            "|proxy|redis|root|sasl|smtp|ssh|store|sudo|user)[_-]?pass",
        )
    };
}

mod assigned;
mod commands;
mod further;
mod named;
mod official;

use std::ops::Range;

pub(crate) use named::{end_of_quoted, key_names_secret, names_secret_exactly};

/// What stands in place of a secret.
pub(crate) const PLACEHOLDER: &str = "[SECRET_DETECTED]";

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// Name for people.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "names the rule in test failures")
    )]
    pub(crate) name: &'static str,
    /// Literals; each match contains one of them. ASCII.
    pub(crate) anchors: &'static [&'static str],
    /// Whether anchors count in any case.
    pub(crate) any_case: bool,
    /// Where a match begins, seen from the anchor.
    pub(crate) lead: Lead,
    /// The pattern; it is compiled with `\A` in front.
    pub(crate) pattern: &'static str,
    /// Says of a match whether it is harmless after all.
    pub(crate) harmless: Option<fn(&Found<'_>) -> bool>,
}

/// Where a match begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lead {
    /// At the anchor, whatever stands before it.
    Here,
    /// At the anchor, which must begin a word.
    Word,
    /// At the beginning of the name (`[A-Za-z0-9_.-]`) the anchor is part of; an assignment must
    /// follow the name.
    Name,
    /// At the beginning of the URL scheme that ends where the anchor begins.
    Scheme,
    /// At the beginning of the run of `class` that ends where the anchor begins, at most `most`
    /// bytes before it.
    Before {
        /// The bytes of the run; ASCII.
        class: fn(u8) -> bool,
        /// Their number.
        most: usize,
    },
    /// At the anchor, a PEM header: the end is looked for once, not once for each header.
    Pem,
}

/// A match of a rule in its text.
#[derive(Debug)]
pub(crate) struct Found<'t> {
    /// The whole text.
    pub(crate) text: &'t str,
    /// The match.
    pub(crate) whole: Range<usize>,
    /// The part to replace.
    pub(crate) secret: Range<usize>,
}

impl<'t> Found<'t> {
    /// The part to replace.
    pub(crate) fn secret(&self) -> &'t str {
        self.text.get(self.secret.clone()).unwrap_or_default()
    }

    /// What the match has before it.
    pub(crate) fn prefix(&self) -> &'t str {
        self.text
            .get(self.whole.start..self.secret.start)
            .unwrap_or_default()
    }

    /// What stands behind the secret.
    pub(crate) fn rest(&self) -> &'t str {
        self.text.get(self.secret.end..).unwrap_or_default()
    }
}

/// All rules, the published ones first.
pub(crate) fn all() -> impl Iterator<Item = &'static Rule> {
    let further = [further::RULES, assigned::RULES, commands::RULES];
    official::RULES.iter().chain(further.into_iter().flatten())
}

/// Whether a random token is unlikely to be a word: it has letters and digits.
fn lacks_digit_or_letter(found: &Found<'_>) -> bool {
    let secret = found.secret().as_bytes();
    !(secret.iter().any(u8::is_ascii_digit) && secret.iter().any(u8::is_ascii_alphabetic))
}

/// A token with a prefix that begins a word.
const fn token(
    name: &'static str,
    anchors: &'static [&'static str],
    pattern: &'static str,
) -> Rule {
    Rule {
        name,
        anchors,
        any_case: false,
        lead: Lead::Word,
        pattern,
        harmless: None,
    }
}

/// A token whose prefix is not telling enough: words are let through.
const fn mixed(
    name: &'static str,
    anchors: &'static [&'static str],
    pattern: &'static str,
) -> Rule {
    Rule {
        name,
        anchors,
        any_case: false,
        lead: Lead::Word,
        pattern,
        harmless: Some(lacks_digit_or_letter),
    }
}

/// A setting or a command-line option, in any case.
const fn setting(
    name: &'static str,
    anchors: &'static [&'static str],
    pattern: &'static str,
    harmless: Option<fn(&Found<'_>) -> bool>,
) -> Rule {
    Rule {
        name,
        anchors,
        any_case: true,
        lead: Lead::Here,
        pattern,
        harmless,
    }
}
