//! A whole rollout at once, for looking at and exporting it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use crate::{Assembler, Scrub, Session, Skipped, Tail, Turn, Usage};

/// All there is in one rollout.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rollout {
    /// The thread's header, if the file has one.
    pub session: Option<Session>,
    /// Its turns in order; the last one is running if the file ends within it.
    pub turns: Vec<Turn>,
    /// What was left out.
    pub skipped: Skipped,
    /// Tokens as the rollout totals them, without a fork's inherited part.
    pub totals: Usage,
}

/// Reads a rollout, plain or compressed, to its end. Every text passes `scrub`. Fails only where
/// the file cannot be read.
pub fn read_rollout(path: &Path, scrub: Arc<dyn Scrub>) -> io::Result<Rollout> {
    let mut tail = Tail::open(path)?;
    let mut assembler = Assembler::new(scrub);
    let progress = tail.read(&mut |offset, line| assembler.push(offset, line))?;
    let mut turns: Vec<Turn> = Vec::new();
    let ended = assembler.take_turns().into_iter();
    for turn in ended.chain(assembler.open_turn()) {
        match turns.iter_mut().find(|known| known.number == turn.number) {
            Some(known) => *known = turn,
            None => turns.push(turn),
        }
    }
    let mut skipped = assembler.skipped().clone();
    for _ in 0..progress.too_long {
        skipped.count("too_long");
    }
    Ok(Rollout {
        session: assembler.session().cloned(),
        turns,
        skipped,
        totals: assembler.totals(),
    })
}
