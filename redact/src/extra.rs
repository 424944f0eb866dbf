//! Rules of the user's, and of repositories that nobody has looked at yet.
//!
//! So what they cost has bounds: how many they are, what they take when compiled, and how much longer
//! they may make a text. Beyond a bound a rule is not used, or puts nothing in place of what it takes
//! out; what it takes out never stays.

use std::borrow::Cow;
use std::cell::Cell;

use regex::{Match, Regex, RegexBuilder};

use crate::{ExtraRule, RuleProblem};

/// What an extra rule puts in place of a match, unless it says otherwise.
const DEFAULT_REPLACEMENT: &str = "[redacted]";

/// Rules used at most.
const MOST_RULES: usize = 100;

/// Longest pattern, in bytes: what it takes while it is read is a multiple.
const PATTERN_BYTES: usize = 8 << 10;

/// Memory a compiled rule may take, in bytes. What it takes is known by which of these it keeps to;
/// the last is enough for any rule a person writes, too little for `(a{1000}){1000}`.
const SIZES: [usize; 4] = [16 << 10, 64 << 10, 256 << 10, 1 << 20];

/// The same for all rules together. One that proves too large has taken as much, and the time for it.
const TOTAL_SIZE: usize = 16 << 20;

/// By how many times its length a text may grow: [`DEFAULT_REPLACEMENT`] fits in place of each of its
/// characters.
const GROWTH: usize = 9;

/// By how many bytes more any text may grow: room for a name in place of a letter.
const SPARE: usize = 128;

/// An extra rule, compiled.
#[derive(Debug, Clone)]
pub(crate) struct Extra {
    pattern: Regex,
    replacement: String,
    /// Places in the replacement that may stand for the match or a part of it.
    references: usize,
}

/// Compiles what can be compiled and says what is wrong with the rest.
pub(crate) fn compile(rules: &[ExtraRule]) -> (Vec<Extra>, Vec<RuleProblem>) {
    let used = rules.get(..MOST_RULES).unwrap_or(rules);
    // Of the memory for matching, which is taken when it is needed.
    let share = TOTAL_SIZE / used.len().max(1);
    let mut left = TOTAL_SIZE;
    let mut compiled = Vec::new();
    let mut problems = Vec::new();
    for (index, rule) in used.iter().enumerate() {
        match pattern(&rule.pattern, &mut left, share) {
            Ok(pattern) => compiled.push(Extra::new(pattern, rule.replace.clone())),
            Err(reason) => problems.push(RuleProblem { index, reason }),
        }
    }
    if rules.len() > used.len() {
        let reason = format!(
            "{MOST_RULES} rules are used, and none of the {} from here on; put some into one",
            rules.len() - used.len()
        );
        problems.push(RuleProblem {
            index: used.len(),
            reason,
        });
    }
    (compiled, problems)
}

/// The pattern compiled, or why not. What that takes is taken from `left`.
fn pattern(text: &str, left: &mut usize, share: usize) -> Result<Regex, String> {
    if text.len() > PATTERN_BYTES {
        return Err(format!(
            "the pattern is longer than {PATTERN_BYTES} bytes; make it shorter"
        ));
    }
    let room = *left;
    for size in SIZES.into_iter().take_while(|size| *size <= room) {
        let built = RegexBuilder::new(text)
            .size_limit(size)
            .dfa_size_limit(share.min(1 << 20))
            .build();
        match built {
            Err(regex::Error::CompiledTooBig(_)) if Some(&size) != SIZES.last() => {}
            Err(error @ regex::Error::Syntax(_)) => return Err(reason(&error)),
            outcome => {
                *left = room - size;
                return outcome.map_err(|error| reason(&error));
            }
        }
    }
    Err(format!(
        "the rules before it take the {TOTAL_SIZE} bytes that compiled patterns may take; make \
         them simpler"
    ))
}

/// The error in one line; the pattern itself may be confidential and is not repeated.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(limit) => {
            format!("the pattern takes more than {limit} bytes when compiled; make it simpler")
        }
        regex::Error::Syntax(message) => {
            let last = message.lines().last().unwrap_or_default();
            let what = last.strip_prefix("error: ").unwrap_or(last);
            format!("{what}; write the pattern in the syntax of Rust's regex crate")
        }
        _ => "the pattern does not compile".into(),
    }
}

/// By how many bytes the rules may make `text` longer, all together.
pub(crate) fn allowance(text: &str) -> Cell<usize> {
    Cell::new(text.len().saturating_mul(GROWTH).saturating_add(SPARE))
}

/// Rules on their way over one text and all that is in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pass<'r> {
    rules: &'r [Extra],
    allowance: &'r Cell<usize>,
}

impl<'r> Pass<'r> {
    /// `rules`, which may add as much as `allowance` still holds.
    pub(crate) fn new(rules: &'r [Extra], allowance: &'r Cell<usize>) -> Self {
        Self { rules, allowance }
    }

    /// Whether there are no rules.
    pub(crate) fn is_empty(self) -> bool {
        self.rules.is_empty()
    }

    /// The same text without any rules.
    pub(crate) fn done(self) -> Self {
        Self { rules: &[], ..self }
    }

    /// Runs all rules, in order, each once.
    pub(crate) fn apply(self, text: Cow<'_, str>) -> Cow<'_, str> {
        self.rules.iter().fold(text, |text, rule| {
            match rule.replace_all(&text, self.allowance) {
                Some(new) => Cow::Owned(new),
                None => text,
            }
        })
    }
}

impl Extra {
    fn new(pattern: Regex, replacement: Option<String>) -> Self {
        let replacement = replacement.unwrap_or_else(|| DEFAULT_REPLACEMENT.into());
        Self {
            references: replacement.matches('$').count(),
            pattern,
            replacement,
        }
    }

    /// The text with every match replaced; `None` if there is none.
    fn replace_all(&self, text: &str, allowance: &Cell<usize>) -> Option<String> {
        let mut result = String::new();
        let mut copied = None;
        let mut put = |found: Match<'_>, expand: &dyn Fn(&mut String)| {
            let between = text.get(copied.unwrap_or(0)..found.start());
            result.push_str(between.unwrap_or_default());
            self.put(found.len(), expand, &mut result, allowance);
            copied = Some(found.end());
        };
        if self.references == 0 {
            let verbatim = |result: &mut String| result.push_str(&self.replacement);
            self.pattern
                .find_iter(text)
                .for_each(|found| put(found, &verbatim));
        } else {
            for captures in self.pattern.captures_iter(text) {
                let expand = |result: &mut String| captures.expand(&self.replacement, result);
                put(captures.get_match(), &expand);
            }
        }
        result.push_str(text.get(copied?..).unwrap_or_default());
        Some(result)
    }

    /// Puts the replacement for a match of `taken` bytes, as far as the text may grow.
    fn put(
        &self,
        taken: usize,
        expand: &dyn Fn(&mut String),
        result: &mut String,
        allowance: &Cell<usize>,
    ) {
        let room = taken.saturating_add(allowance.get());
        let before = result.len();
        // A group lies within its match.
        let longest = taken
            .saturating_mul(self.references)
            .saturating_add(self.replacement.len());
        if longest <= room {
            expand(result);
        } else if DEFAULT_REPLACEMENT.len() <= room {
            result.push_str(DEFAULT_REPLACEMENT);
        }
        let added = (result.len() - before).saturating_sub(taken);
        allowance.set(allowance.get().saturating_sub(added));
    }
}
