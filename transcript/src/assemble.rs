//! Records into the session model, line by line.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Scrub, Session, Skipped, Turn, Usage};

/// The incremental state machine from rollout lines to the session model.
///
/// Feed whole lines in file order with [`Assembler::push`]; take finished turns with
/// [`Assembler::take_turns`]; look at the running one with [`Assembler::open_turn`].
pub struct Assembler {
    session: Option<Session>,
    skipped: Skipped,
}

/// What crosses a context boundary: enough to go on from a later offset of the same rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Carry {
    /// Byte offset of the line to continue with.
    pub offset: u64,
    /// Number of the last turn begun before the boundary.
    pub turns: u32,
    /// Tokens spent before the boundary, as the rollout totals them.
    pub totals: Usage,
    /// Header of the thread.
    pub session: Option<Session>,
}

impl Assembler {
    /// Starts at the beginning of a rollout.
    pub fn new(_scrub: Arc<dyn Scrub>) -> Self {
        Self {
            session: None,
            skipped: Skipped::default(),
        }
    }

    /// Goes on from a boundary.
    pub fn resume(scrub: Arc<dyn Scrub>, carry: Carry) -> Self {
        Self {
            session: carry.session,
            ..Self::new(scrub)
        }
    }

    /// Takes the line that begins at `offset`, without its newline. Total: any bytes will do.
    pub fn push(&mut self, _offset: u64, _line: &[u8]) {}

    /// The thread's header, once seen.
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Turns that ended since the last call, in order. A turn that got a late record after it was
    /// handed out comes again, whole, under the same number.
    pub fn take_turns(&mut self) -> Vec<Turn> {
        Vec::new()
    }

    /// The running turn as it stands, if any.
    pub fn open_turn(&self) -> Option<Turn> {
        None
    }

    /// Declares that nothing more will come: a turn still open ends as cut off, at its last
    /// record's time, and the next [`Assembler::take_turns`] has it.
    pub fn cut_off(&mut self) {}

    /// The latest place to continue from such that every turn numbered above `settled` is read
    /// again in full, with what its model calls saw.
    pub fn carry(&self, _settled: u32) -> Option<Carry> {
        None
    }

    /// Tokens spent in this thread as the rollout totals them, without a fork's inherited part.
    pub fn totals(&self) -> Usage {
        Usage::default()
    }

    /// What was skipped so far.
    pub fn skipped(&self) -> &Skipped {
        &self.skipped
    }
}
