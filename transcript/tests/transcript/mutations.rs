//! The fuzz target's run over recorded sessions with random damage, for a bounded number of
//! rounds: what continuous integration can afford.

use std::fs;

use proptest::prelude::*;
use proptest::sample::Index;

use crate::corpus::all;
use crate::exercise::exercise;

/// One piece of damage.
#[derive(Debug, Clone)]
enum Damage {
    /// Another byte in place of one.
    Byte(Index, u8),
    /// A stretch left out.
    Cut(Index, u16),
    /// A stretch written twice.
    Twice(Index, u16),
    /// One JSON word in place of another.
    Word(Index, usize),
    /// Two lines in each other's place.
    Swap(Index, Index),
}

/// Words to put in place of the next string or number.
const WORDS: [&str; 10] = [
    "null",
    "-1",
    "1e99",
    "[]",
    "{}",
    "\"\"",
    "true",
    "18446744073709551615",
    "\"\\ud800\"",
    "\"compacted\"",
];

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        (any::<Index>(), 1..600_u16).prop_map(|(at, len)| Damage::Cut(at, len)),
        (any::<Index>(), 1..6000_u16).prop_map(|(at, len)| Damage::Twice(at, len)),
        (any::<Index>(), 0..WORDS.len()).prop_map(|(at, word)| Damage::Word(at, word)),
        (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Damage::Swap(a, b)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    if bytes.is_empty() {
        return;
    }
    let end = |at: usize, len: u16| (at + usize::from(len)).min(bytes.len());
    match damage {
        Damage::Byte(at, byte) => {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        Damage::Cut(at, len) => {
            let at = at.index(bytes.len());
            let end = end(at, *len);
            bytes.drain(at..end);
        }
        Damage::Twice(at, len) => {
            let at = at.index(bytes.len());
            let copy = bytes[at..end(at, *len)].to_vec();
            bytes.splice(at..at, copy);
        }
        Damage::Word(at, word) => {
            let at = at.index(bytes.len());
            let Some(colon) = bytes[at..].iter().position(|byte| *byte == b':') else {
                return;
            };
            let start = at + colon + 1;
            let stop = bytes[start..]
                .iter()
                .position(|byte| matches!(byte, b',' | b'}'));
            let stop = stop.map_or(bytes.len(), |len| start + len);
            bytes.splice(start..stop, WORDS[*word].bytes());
        }
        Damage::Swap(a, b) => {
            let mut lines: Vec<Vec<u8>> = bytes
                .split_inclusive(|byte| *byte == b'\n')
                .map(<[u8]>::to_vec)
                .collect();
            let (a, b) = (a.index(lines.len()), b.index(lines.len()));
            lines.swap(a, b);
            *bytes = lines.concat();
        }
    }
}

#[test]
fn what_the_fuzzer_came_upon_is_taken() {
    let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/assemble");
    let seeds: Vec<_> = std::fs::read_dir(seeds).unwrap().collect();
    assert!(seeds.len() > 20, "{seeds:?}");
    for seed in seeds {
        let bytes = std::fs::read(seed.unwrap().path()).unwrap();
        exercise(&bytes);
    }
}

#[test]
fn damaged_sessions_break_no_rule() {
    let seeds: Vec<Vec<u8>> = all()
        .into_iter()
        .map(|(_, path)| fs::read(path).unwrap())
        .filter(|seed| seed.len() < 40_000)
        .collect();
    for seed in &seeds {
        exercise(seed);
    }
    let config = ProptestConfig {
        cases: 600,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let strategy = (any::<Index>(), prop::collection::vec(damage(), 1..8));
    proptest!(config, |((which, damages) in strategy)| {
        let mut bytes = which.get(&seeds).clone();
        for damage in &damages {
            apply(&mut bytes, damage);
        }
        exercise(&bytes);
    });
}
