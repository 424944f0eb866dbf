//! From an anchor to the place where a match may begin.

use std::ops::Range;

use crate::rules::{Lead, Rule};

/// Where a match with this anchor begins. If there can be none: from where on the rule may be
/// tried again.
pub(super) fn start(
    lead: Lead,
    text: &[u8],
    anchor: &Range<usize>,
    floor: usize,
) -> Result<usize, usize> {
    if anchor.start < floor {
        return Err(floor);
    }
    let start = match lead {
        Lead::Here | Lead::Pem => Some(anchor.start),
        Lead::Word => begins_word(text, anchor.start).then_some(anchor.start),
        Lead::Name => {
            let end = run_end(text, anchor.end, is_name);
            if !is_assigned(text, end) {
                // What follows the name decides, so it fails for each keyword in it.
                return Err(end);
            }
            let run = run_start(text, anchor.start, floor, is_name);
            first_in(text, run, anchor.end, is_word)
        }
        Lead::Scheme => {
            let run = run_start(text, anchor.start, floor, is_scheme);
            first_in(text, run, anchor.start, |byte| byte.is_ascii_alphabetic())
        }
        Lead::Before { class, most } => {
            let floor = floor.max(anchor.start.saturating_sub(most));
            Some(run_start(text, anchor.start, floor, class))
        }
    };
    start.ok_or(anchor.start + 1)
}

/// The first byte of `class` between two offsets.
fn first_in(text: &[u8], from: usize, to: usize, class: fn(u8) -> bool) -> Option<usize> {
    let position = text.get(from..to)?.iter().position(|&byte| class(byte))?;
    Some(from + position)
}

/// From where a rule that failed at `anchor` may be tried again. Rules whose match can be long
/// before it fails must skip what they have seen, or a hostile text takes quadratic time.
pub(super) fn give_up(rule: &Rule, text: &[u8], anchor: &Range<usize>) -> usize {
    match rule.lead {
        Lead::Name => run_end(text, anchor.end, is_name),
        // `eyJeyJeyJ…`: only what follows the run decides.
        Lead::Here if rule.anchors == ["eyJ"] => run_end(text, anchor.end, is_base64url),
        _ => anchor.start + 1,
    }
}

/// The end of the run of `class` that begins at `from`.
fn run_end(text: &[u8], from: usize, class: fn(u8) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let length = rest.iter().position(|&byte| !class(byte));
    from + length.unwrap_or(rest.len())
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
        Some([.., b'\\', b'n' | b'r' | b't' | b'f' | b'b'] | []) | None => true,
        Some([.., last]) => !is_word(*last),
    }
}

/// Whether the name that ends at `end` is followed by `:` or `=`.
fn is_assigned(text: &[u8], end: usize) -> bool {
    let rest = text.get(end..).unwrap_or_default();
    let mut rest = rest.iter().copied().peekable();
    while rest.next_if_eq(&b'\\').is_some() {}
    let _quote = rest.next_if(|byte| matches!(byte, b'"' | b'\''));
    // `ENV["TOKEN"] = …`
    let _bracket = rest.next_if_eq(&b']');
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

const fn is_base64url(byte: u8) -> bool {
    is_word(byte) || byte == b'-'
}
