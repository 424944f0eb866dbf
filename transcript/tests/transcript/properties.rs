//! What holds whatever the bytes and however they arrive.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use codex_tracing_transcript::{Assembler, Lines, Turn, TurnStatus, Verbatim};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use crate::corpus::{all, assemble};
use crate::invariants::check_turn;

/// A handful of sessions that differ most.
fn samples() -> Vec<(String, Vec<u8>)> {
    let wanted = [
        "0.128.0 auto-compact 0",
        "0.128.0 review 0",
        "0.140.0 mcp-tool 0",
        "0.147.0 tui-interrupt-compact 0",
        "0.155.0 fork 1",
        "0.169.0 code-mode 0",
        "0.169.0 auto-compact 0",
        "0.169.0 tui-interrupt-compact 0",
        "0.169.0 subagents-v2 1",
    ];
    let chosen: Vec<_> = all()
        .into_iter()
        .filter(|(name, _)| wanted.contains(&name.as_str()))
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect();
    assert_eq!(chosen.len(), wanted.len());
    chosen
}

/// Everything the assembler gives, in one value.
fn outcome(bytes: &[u8], cuts: &[usize]) -> (Vec<Turn>, Option<Turn>, String) {
    let (assembler, turns) = assemble(bytes, cuts);
    let rest = format!(
        "{:?} {:?} {:?}",
        assembler.totals(),
        assembler.skipped(),
        assembler.session()
    );
    (turns, assembler.open_turn(), rest)
}

/// Sessions shorter than this are cut at every single byte.
const EVERY_BYTE: usize = 16_000;

#[test]
fn truncation_at_any_byte_invents_no_completed_turn() {
    for (name, bytes) in samples() {
        let (_, whole) = assemble(&bytes, &[]);
        let ended = |turns: &[Turn]| -> BTreeSet<(u32, String)> {
            turns
                .iter()
                .filter(|turn| turn.status == TurnStatus::Completed)
                .map(|turn| (turn.number, turn.id.clone()))
                .collect()
        };
        let completed = ended(&whole);
        // A place within a line gives what its beginning gives: one per line will do, and for a short
        // session every byte shows it.
        let ends: Vec<usize> = if bytes.len() < EVERY_BYTE {
            (0..=bytes.len()).collect()
        } else {
            let lines = memchr_lines(&bytes).into_iter();
            lines.flat_map(|end| [end, end.saturating_sub(7)]).collect()
        };
        for end in ends {
            let (mut assembler, mut turns) = assemble(&bytes[..end], &[]);
            turns.extend(assembler.open_turn());
            assembler.cut_off();
            turns.extend(assembler.take_turns());
            assert!(ended(&turns).is_subset(&completed), "{name} cut at {end}");
            for turn in &turns {
                check_turn(&name, turn);
            }
        }
    }
}

fn memchr_lines(bytes: &[u8]) -> Vec<usize> {
    let newlines = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    newlines.map(|(at, _)| at + 1).collect()
}

#[test]
fn reading_on_from_any_carry_gives_the_same_later_turns() {
    for (name, bytes) in samples() {
        let (assembler, whole) = assemble(&bytes, &[]);
        let last = whole.iter().map(|turn| turn.number).max().unwrap_or(0);
        for settled in 0..=last {
            let carry = assembler.carry(settled).expect("read from the beginning");
            let carry = serde_json::from_str(&serde_json::to_string(&carry).unwrap()).unwrap();
            let (resumed, turns) = resume(&bytes, carry);
            let later = |turns: &[Turn]| -> Vec<Turn> {
                turns
                    .iter()
                    .filter(|turn| turn.number > settled)
                    .cloned()
                    .collect()
            };
            assert_eq!(later(&turns), later(&whole), "{name} from turn {settled}");
            assert_eq!(
                resumed.totals(),
                assembler.totals(),
                "{name} from turn {settled}"
            );
            assert_eq!(resumed.open_turn(), assembler.open_turn(), "{name}");
        }
    }
}

fn resume(bytes: &[u8], carry: codex_tracing_transcript::Carry) -> (Assembler, Vec<Turn>) {
    let offset = carry.offset;
    let mut resumed = Assembler::resume(Arc::new(Verbatim), carry);
    let mut lines = Lines::new(offset);
    let rest = &bytes[usize::try_from(offset).unwrap()..];
    lines.push(rest, &mut |at, line| resumed.push(at, line));
    let turns = resumed.take_turns();
    (resumed, turns)
}

#[test]
fn a_turn_that_was_cut_off_goes_on_under_its_number() {
    for (name, bytes) in samples() {
        let (_, whole) = assemble(&bytes, &[]);
        for end in memchr_lines(&bytes) {
            let mut assembler = Assembler::new(Arc::new(Verbatim));
            let mut lines = Lines::new(0);
            let (head, rest) = bytes.split_at(end);
            lines.push(head, &mut |at, line| assembler.push(at, line));
            assembler.cut_off();
            let early = assembler.take_turns();
            lines.push(rest, &mut |at, line| assembler.push(at, line));
            let mut turns = early;
            turns.extend(assembler.take_turns());
            let mut last: Vec<Turn> = Vec::new();
            for turn in turns {
                last.retain(|known| known.number != turn.number);
                last.push(turn);
            }
            last.sort_by_key(|turn| turn.number);
            let mut expected: Vec<Turn> = Vec::new();
            for turn in whole.iter().cloned() {
                expected.retain(|known| known.number != turn.number);
                expected.push(turn);
            }
            expected.sort_by_key(|turn| turn.number);
            assert_eq!(last, expected, "{name} cut off at {end}");
        }
    }
}

/// The keys of a record, its payload and its item in reverse order.
fn reversed(line: &[u8]) -> Vec<u8> {
    let mut record: Value = serde_json::from_slice(line).unwrap();
    for pointer in ["/payload/item", "/payload", ""] {
        if let Some(Value::Object(map)) = record.pointer_mut(pointer) {
            *map = std::mem::take(map).into_iter().rev().collect();
        }
    }
    let mut line = serde_json::to_vec(&record).unwrap();
    line.push(b'\n');
    line
}

#[test]
fn the_order_of_keys_does_not_matter() {
    for (name, bytes) in samples() {
        let lines = bytes.split(|byte| *byte == b'\n');
        let turned: Vec<u8> = lines
            .filter(|line| !line.is_empty())
            .flat_map(reversed)
            .collect();
        assert_ne!(turned, bytes);
        assert_eq!(outcome(&turned, &[]), outcome(&bytes, &[]), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_of_the_bytes_gives_the_same_model(
        which in any::<Index>(),
        cuts in prop::collection::vec(0usize..4000, 0..60),
    ) {
        let samples = samples();
        let (name, bytes) = which.get(&samples);
        prop_assert_eq!(outcome(bytes, &cuts), outcome(bytes, &[]), "{}", name);
    }

    #[test]
    fn lines_in_any_order_and_number_never_break_it(
        which in any::<Index>(),
        picks in prop::collection::vec(any::<Index>(), 1..120),
    ) {
        let samples = samples();
        let (name, bytes) = which.get(&samples);
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let shuffled: Vec<u8> = picks.iter().flat_map(|pick| pick.get(&lines).to_vec()).collect();
        let (mut assembler, mut turns) = assemble(&shuffled, &[]);
        turns.extend(assembler.open_turn());
        assembler.cut_off();
        turns.extend(assembler.take_turns());
        for turn in &turns {
            check_turn(name, turn);
        }
        for settled in 0..4 {
            let _ = assembler.carry(settled);
        }
    }

    #[test]
    fn any_bytes_will_do(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let (assembler, turns) = assemble(&bytes, &[]);
        prop_assert!(turns.is_empty());
        prop_assert!(assembler.session().is_none());
    }
}
