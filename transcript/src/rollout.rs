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
    /// Why the file cannot be read to its end; what stands behind that place is missing here.
    pub unread: Option<String>,
}

/// Reads a rollout, plain or compressed, to its end, or as far as it can be read. Every text passes
/// `scrub`. Fails only where nothing can be read.
pub fn read_rollout(path: &Path, scrub: Arc<dyn Scrub>) -> io::Result<Rollout> {
    let mut tail = Tail::open(path)?;
    let mut assembler = Assembler::new(scrub);
    let read = tail.read(&mut |offset, line| assembler.push(offset, line));
    let (too_long, unread) = match read {
        Ok(progress) => (progress.too_long, None),
        Err(error) if assembler.session().is_some() => (0, Some(error.to_string())),
        Err(error) => return Err(error),
    };
    let mut turns: Vec<Turn> = Vec::new();
    let ended = assembler.take_turns().into_iter();
    for turn in ended.chain(assembler.open_turn()) {
        match turns.iter_mut().find(|known| known.number == turn.number) {
            Some(known) => *known = turn,
            None => turns.push(turn),
        }
    }
    let mut skipped = assembler.skipped().clone();
    for _ in 0..too_long {
        skipped.count("too_long");
    }
    Ok(Rollout {
        session: assembler.session().cloned(),
        turns,
        skipped,
        totals: assembler.totals(),
        unread,
    })
}
