//! Finds secrets: one pass of one automaton, then the few patterns whose anchors occurred.
//!
//! Time is linear in the text for any text: a rule that failed inside a run of characters is not
//! tried again in the same run, and the end of a PEM block is looked for once.

mod candidate;
mod pem;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::Regex;

use crate::rules::{self, Found, Lead, PLACEHOLDER, Rule};
use pem::PemEnds;

/// More rounds than any text needs; each round but the last one removed a secret.
const ROUNDS: usize = 8;

/// The table of rules, compiled once per process.
static ENGINE: LazyLock<Option<Engine>> = LazyLock::new(Engine::build);

/// Text without what the built-in rules know as secrets. Borrowed if there are none.
///
/// Rules are run until they find nothing more, so doing it twice changes nothing.
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    let Some(engine) = ENGINE.as_ref() else {
        // The table did not compile: a test rules it out. Nothing may pass unseen.
        return Cow::Borrowed(PLACEHOLDER);
    };
    let mut current = Cow::Borrowed(text);
    for _ in 0..ROUNDS {
        let secrets = engine.secrets(&current);
        if secrets.is_empty() {
            break;
        }
        let next = replace(&current, secrets);
        if next == *current {
            break;
        }
        current = Cow::Owned(next);
    }
    current
}

/// Whether any anchor or an escape that could hide one occurs: `false` means that
/// [`redact`] would change nothing, whatever way the text is escaped.
pub(crate) fn is_suspicious(text: &str) -> bool {
    ENGINE
        .as_ref()
        .is_none_or(|engine| engine.automaton.is_match(text))
}

/// The table in the form that is run.
struct Engine {
    automaton: AhoCorasick,
    /// For each pattern of the automaton: the anchor and the rules it belongs to.
    anchors: Vec<Anchor>,
    rules: Vec<Compiled>,
}

struct Anchor {
    text: &'static str,
    rules: Vec<usize>,
}

struct Compiled {
    rule: &'static Rule,
    pattern: Regex,
    /// Number of the group that is replaced; 0 for the whole match.
    group: usize,
}

impl Engine {
    fn build() -> Option<Self> {
        let mut anchors: Vec<Anchor> = Vec::new();
        let mut compiled = Vec::new();
        for (index, rule) in rules::all().enumerate() {
            let pattern = Regex::new(&format!(r"\A(?:{})", rule.pattern)).ok()?;
            let group = pattern
                .capture_names()
                .position(|name| name == Some("s"))
                .unwrap_or(0);
            compiled.push(Compiled {
                rule,
                pattern,
                group,
            });
            for text in rule.anchors {
                match anchors.iter_mut().find(|anchor| anchor.text == *text) {
                    Some(anchor) => anchor.rules.push(index),
                    None => anchors.push(Anchor {
                        text,
                        rules: vec![index],
                    }),
                }
            }
        }
        // Escapes of JSON that could stand inside an anchor.
        for text in [r"\u00", r"\/"] {
            if !anchors.iter().any(|anchor| anchor.text == text) {
                anchors.push(Anchor {
                    text,
                    rules: Vec::new(),
                });
            }
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(anchors.iter().map(|anchor| anchor.text))
            .ok()?;
        Some(Self {
            automaton,
            anchors,
            rules: compiled,
        })
    }

    /// Where secrets stand, in no particular order.
    fn secrets(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut search = Search {
            text,
            next: Vec::new(),
            pem_ends: PemEnds::default(),
        };
        for hit in self.automaton.find_overlapping_iter(text) {
            let Some(anchor) = self.anchors.get(hit.pattern().as_usize()) else {
                continue;
            };
            for &index in &anchor.rules {
                let Some(compiled) = self.rules.get(index) else {
                    continue;
                };
                if compiled.rule.any_case || text.get(hit.range()) == Some(anchor.text) {
                    if search.next.is_empty() {
                        search.next.resize(self.rules.len(), 0);
                    }
                    found.extend(search.attempt(index, compiled, hit.range()));
                }
            }
        }
        found
    }
}

/// The state of one pass over one text.
struct Search<'t> {
    text: &'t str,
    /// For each rule, before which offset it need not be tried again.
    next: Vec<usize>,
    pem_ends: PemEnds,
}

impl Search<'_> {
    /// Tries one rule at one anchor.
    fn attempt(
        &mut self,
        index: usize,
        compiled: &Compiled,
        anchor: Range<usize>,
    ) -> Option<Range<usize>> {
        let next = self.next.get_mut(index)?;
        let start = match candidate::start(compiled.rule.lead, self.text.as_bytes(), &anchor, *next)
        {
            Ok(start) => start,
            Err(later) => {
                *next = later;
                return None;
            }
        };
        let tail = self.text.get(start..)?;
        let (whole, secret) = if compiled.group == 0 {
            let whole = compiled.pattern.find(tail).map(|found| found.range());
            (whole.clone(), whole)
        } else {
            let captures = compiled.pattern.captures(tail);
            let range = |group| Some(captures.as_ref()?.get(group)?.range());
            (range(0), range(compiled.group))
        };
        let (Some(whole), Some(secret)) = (whole, secret) else {
            *next = candidate::give_up(compiled.rule, self.text.as_bytes(), &anchor);
            return None;
        };
        let shift = |range: Range<usize>| range.start + start..range.end + start;
        let (mut whole, mut secret) = (shift(whole), shift(secret));
        if matches!(compiled.rule.lead, Lead::Pem) {
            whole.end = self.pem_ends.block_end(self.text, whole.end);
            secret.end = whole.end;
        }
        if matches!(compiled.rule.lead, Lead::Name) {
            secret.end = rules::end_of_quoted(self.text, &secret);
            whole.end = whole.end.max(secret.end);
        }
        *next = whole.end;
        let found = Found {
            text: self.text,
            whole,
            secret,
        };
        if compiled
            .rule
            .harmless
            .is_some_and(|harmless| harmless(&found))
        {
            return None;
        }
        Some(found.secret)
    }
}

/// Puts the placeholder in place of each secret; secrets that overlap become one.
fn replace(text: &str, mut secrets: Vec<Range<usize>>) -> String {
    secrets.sort_unstable_by_key(|secret| (secret.start, secret.end));
    let mut result = String::with_capacity(text.len());
    let mut written = 0;
    let mut open: Option<Range<usize>> = None;
    let mut put = |secret: &Range<usize>| {
        result.push_str(text.get(written..secret.start).unwrap_or_default());
        result.push_str(PLACEHOLDER);
        written = secret.end;
    };
    for secret in secrets {
        match &mut open {
            Some(last) if secret.start < last.end => last.end = last.end.max(secret.end),
            _ => {
                if let Some(last) = open.replace(secret) {
                    put(&last);
                }
            }
        }
    }
    if let Some(last) = open {
        put(&last);
    }
    result.push_str(text.get(written..).unwrap_or_default());
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_pattern_compiles() {
        for rule in rules::all() {
            let pattern = Regex::new(&format!(r"\A(?:{})", rule.pattern));
            assert!(pattern.is_ok(), "{}: {:?}", rule.name, pattern.err());
            assert!(
                rule.anchors
                    .iter()
                    .all(|anchor| anchor.is_ascii() && !anchor.is_empty())
            );
        }
        assert!(Engine::build().is_some());
    }

    #[test]
    fn overlapping_secrets_become_one() {
        assert_eq!(
            replace("0123456789", vec![4..8, 2..5, 9..10]),
            "01[SECRET_DETECTED]8[SECRET_DETECTED]"
        );
    }
}
