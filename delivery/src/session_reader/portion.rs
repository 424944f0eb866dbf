//! How much of a rollout is read at a time.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;

use codex_tracing_transcript::{Assembler, Scrub, Turn};

/// Lines are handed on in portions of about this many bytes, so that finished turns can leave
/// memory before the rest of a long file is read.
const PORTION: u64 = 8 << 20;
/// How often, in bytes, finished turns are asked for within a portion.
const ASK_EVERY: u64 = 1 << 20;

/// One bounded stretch of lines on their way into the assembler.
pub(super) struct Portion<'a> {
    pub(super) assembler: &'a mut Assembler,
    pub(super) ready: &'a mut VecDeque<Turn>,
    pub(super) scrub: &'a Arc<dyn Scrub>,
    /// The assembler has lines of a file.
    pub(super) begun: &'a mut bool,
    pub(super) taken: u64,
    pub(super) asked: u64,
}

impl Portion<'_> {
    /// Takes the line that begins at `offset`, or none as soon as this is enough.
    pub(super) fn take(&mut self, offset: u64, line: &[u8]) -> ControlFlow<()> {
        if offset == 0 && *self.begun {
            // The file was replaced: these are the first lines of another one.
            *self.assembler = Assembler::new(Arc::clone(self.scrub));
            self.ready.clear();
            self.taken = 0;
        }
        *self.begun = true;
        if self.taken >= PORTION && !self.ready.is_empty() {
            return ControlFlow::Break(());
        }
        self.assembler.push(offset, line);
        self.taken += line.len() as u64 + 1;
        self.asked += line.len() as u64 + 1;
        if self.asked >= ASK_EVERY {
            self.asked = 0;
            put(self.ready, self.assembler.take_turns());
        }
        ControlFlow::Continue(())
    }
}

/// Adds turns. One that comes again, because a late record changed it, takes its former place.
pub(super) fn put(ready: &mut VecDeque<Turn>, turns: Vec<Turn>) {
    for turn in turns {
        match ready.iter_mut().find(|known| known.number == turn.number) {
            Some(known) => *known = turn,
            None => ready.push_back(turn),
        }
    }
}
