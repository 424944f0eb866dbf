//! Rules of the user's.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};

use crate::{ExtraRule, RuleProblem};

/// What an extra rule puts in place of a match, unless it says otherwise.
const DEFAULT_REPLACEMENT: &str = "[redacted]";

/// Memory one compiled rule may take, in bytes: enough for any rule a person writes, too little
/// for `(a{1000}){1000}` of a settings file that came with a repository.
const SIZE_LIMIT: usize = 1 << 20;

/// An extra rule, compiled.
#[derive(Debug, Clone)]
pub(crate) struct Extra {
    pattern: Regex,
    replacement: String,
}

/// Compiles what can be compiled and says what is wrong with the rest.
pub(crate) fn compile(rules: &[ExtraRule]) -> (Vec<Extra>, Vec<RuleProblem>) {
    let mut compiled = Vec::new();
    let mut problems = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let pattern = RegexBuilder::new(&rule.pattern)
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(SIZE_LIMIT)
            .build();
        match pattern {
            Ok(pattern) => compiled.push(Extra {
                pattern,
                replacement: rule
                    .replace
                    .clone()
                    .unwrap_or_else(|| DEFAULT_REPLACEMENT.into()),
            }),
            Err(error) => problems.push(RuleProblem {
                index,
                reason: reason(&error),
            }),
        }
    }
    (compiled, problems)
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

/// Runs all extra rules, in order, each once.
pub(crate) fn apply<'t>(rules: &[Extra], text: Cow<'t, str>) -> Cow<'t, str> {
    rules.iter().fold(text, |text, rule| {
        match rule.pattern.replace_all(&text, rule.replacement.as_str()) {
            Cow::Borrowed(_) => text,
            Cow::Owned(new) => Cow::Owned(new),
        }
    })
}
