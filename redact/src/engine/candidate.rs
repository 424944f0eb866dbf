//! From an anchor to the place where a match may begin.

use std::ops::Range;

use crate::rules::{Lead, Rule};

/// Where a match with this anchor begins; `None` if there can be none, or none after `floor`.
pub(super) fn start(lead: Lead, text: &[u8], anchor: &Range<usize>, floor: usize) -> Option<usize> {
    let start = match lead {
        Lead::Here | Lead::Pem => anchor.start,
        Lead::Word if begins_word(text, anchor.start) => anchor.start,
        Lead::Word => return None,
        Lead::Name if is_assigned(text, anchor.end) => {
            let run = run_start(text, anchor.start, floor, is_name);
            run + text.get(run..)?.iter().position(|&byte| is_word(byte))?
        }
        Lead::Name => return None,
        Lead::Scheme => {
            let run = run_start(text, anchor.start, floor, is_scheme);
            let scheme = text.get(run..anchor.start)?;
            run + scheme.iter().position(u8::is_ascii_alphabetic)?
        }
        Lead::Run => run_start(text, anchor.start, floor, is_token),
    };
    (start >= floor).then_some(start)
}

/// From where a rule that failed at `anchor` may be tried again. Rules whose match can be long
/// before it fails must skip what they have seen, or a hostile text takes quadratic time.
pub(super) fn give_up(rule: &Rule, text: &[u8], anchor: &Range<usize>) -> usize {
    let run = |class: fn(u8) -> bool| {
        let rest = text.get(anchor.end..).unwrap_or_default();
        let length = rest.iter().position(|&byte| !class(byte));
        anchor.end + length.unwrap_or(rest.len())
    };
    match rule.lead {
        // What follows the name decides, so it fails for each keyword in it.
        Lead::Name => run(is_name),
        // `eyJeyJeyJ…`: only what follows the run decides.
        Lead::Here if rule.anchors == ["eyJ"] => run(|byte| is_token(byte) && byte != b'.'),
        _ => anchor.start + 1,
    }
}

/// The beginning of the run of `class` that ends at `end`, not before `floor`.
fn run_start(text: &[u8], end: usize, floor: usize, class: fn(u8) -> bool) -> usize {
    let floor = floor.min(end);
    let before = text.get(floor..end).unwrap_or_default();
    before
        .iter()
        .rposition(|&byte| !class(byte))
        .map_or(floor, |position| floor + position + 1)
}

/// Whether a word begins here; an escape such as `\n` before it counts as a break.
fn begins_word(text: &[u8], at: usize) -> bool {
    match text.get(..at) {
        Some([.., b'\\', b'n' | b'r' | b't' | b'f' | b'b']) | Some([]) | None => true,
        Some([.., last]) => !is_word(*last),
    }
}

/// Whether the name that ends at `end` or later is followed by `:` or `=`.
fn is_assigned(text: &[u8], end: usize) -> bool {
    let rest = text.get(end..).unwrap_or_default();
    let mut rest = rest
        .iter()
        .copied()
        .skip_while(|&byte| is_name(byte))
        .peekable();
    while rest.next_if_eq(&b'\\').is_some() {}
    let _quote = rest.next_if(|byte| matches!(byte, b'"' | b'\''));
    // A space beyond ASCII begins with such a byte; the pattern decides then.
    while rest.next_if(u8::is_ascii_whitespace).is_some() {}
    rest.next()
        .is_some_and(|byte| matches!(byte, b':' | b'=' | 0x0B) || !byte.is_ascii())
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

const fn is_name(byte: u8) -> bool {
    is_word(byte) || matches!(byte, b'.' | b'-')
}

const fn is_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-')
}

const fn is_token(byte: u8) -> bool {
    is_word(byte) || matches!(byte, b'.' | b'-' | b'~')
}
