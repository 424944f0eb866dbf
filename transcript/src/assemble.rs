//! Records into the session model, line by line.

mod compaction;
mod conversation;
mod dispatch;
mod late;
mod model_call;
mod session;
mod subagent;
mod tool_call;
mod turn;
mod usage;

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::conversation::{Boundary, Conversation};
use self::late::Late;
use self::session::Thread;
use self::turn::{Ending, OpenTurn};
use self::usage::Meter;
use crate::{Delegation, Scrub, Session, Skipped, Turn, TurnError, TurnStatus, Usage, record};

/// The incremental state machine from rollout lines to the session model.
///
/// Feed whole lines in file order with [`Assembler::push`]; take finished turns with
/// [`Assembler::take_turns`]; look at the running one with [`Assembler::open_turn`].
///
/// It holds the conversation since the last context boundary, the open turn, and the finished
/// turns that were not taken yet; not the file.
pub struct Assembler {
    scrub: Arc<dyn Scrub>,
    thread: Thread,
    conversation: Conversation,
    meter: Meter,
    /// Model in force: `/compact` and reviews record no settings of their own.
    model: Option<String>,
    open: Option<OpenTurn>,
    /// The open turn was handed out as cut off, and nothing came since.
    is_cut: bool,
    finished: Vec<Turn>,
    late: Late,
    /// Number of the last turn begun.
    turns: u32,
    /// Turns begun here: a repeated `task_started` begins none.
    begun: HashSet<String>,
    reading: Reading,
    skipped: Skipped,
}

/// Whose records are being read while no turn is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// This thread's.
    Own,
    /// The rest of a turn that lies before the boundary reading began at.
    Settled,
    /// Those of another thread, copied into this file.
    Copied,
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
    /// The part of `totals` that a fork inherited.
    #[serde(default)]
    pub inherited: Usage,
    /// Model in force at the boundary.
    #[serde(default)]
    pub model: Option<String>,
}

impl Assembler {
    /// Starts at the beginning of a rollout.
    pub fn new(scrub: Arc<dyn Scrub>) -> Self {
        Self::at(
            scrub,
            Boundary {
                offset: 0,
                turns: 0,
                raw: Usage::default(),
                inherited: Usage::default(),
                model: None,
            },
        )
    }

    fn at(scrub: Arc<dyn Scrub>, boundary: Boundary) -> Self {
        Self {
            scrub,
            thread: Thread::default(),
            meter: Meter::default(),
            model: boundary.model.clone(),
            turns: boundary.turns,
            conversation: Conversation::starting_at(boundary),
            open: None,
            is_cut: false,
            finished: Vec::new(),
            late: Late::default(),
            begun: HashSet::new(),
            reading: Reading::Own,
            skipped: Skipped::default(),
        }
    }

    /// Goes on from a boundary.
    pub fn resume(scrub: Arc<dyn Scrub>, carry: Carry) -> Self {
        if carry.offset == 0 {
            return Self::new(scrub);
        }
        let boundary = Boundary {
            offset: carry.offset,
            turns: carry.turns,
            raw: carry.totals,
            inherited: carry.inherited,
            model: carry.model,
        };
        Self {
            thread: Thread::resume(carry.session),
            meter: Meter::resume(carry.totals, carry.inherited),
            reading: Reading::Settled,
            ..Self::at(scrub, boundary)
        }
    }

    /// Takes the line that begins at `offset`, without its newline. Total: any bytes will do.
    pub fn push(&mut self, offset: u64, line: &[u8]) {
        let Ok(text) = std::str::from_utf8(line) else {
            self.skipped.count("not_utf8");
            return;
        };
        if text.trim().is_empty() {
            return;
        }
        let scrub = Arc::clone(&self.scrub);
        match record::read(text, &*scrub) {
            Ok(record) => self.apply(offset, record),
            Err(reason) => self.skipped.count(reason),
        }
    }

    /// The thread's header, once seen.
    pub fn session(&self) -> Option<&Session> {
        self.thread.header()
    }

    /// Turns that ended since the last call, in order. A turn that got a late record after it was
    /// handed out comes again, whole, under the same number.
    pub fn take_turns(&mut self) -> Vec<Turn> {
        std::mem::take(&mut self.finished)
    }

    /// The running turn as it stands, if any. Not the parent of a review up to 0.140: it is written
    /// at its end, and its beginning is known only then.
    pub fn open_turn(&self) -> Option<Turn> {
        let open = self.visible()?.clone();
        Some(open.close(self.conversation.items(), None))
    }

    /// What the turn that [`Assembler::open_turn`] gives has given older threads to do so far; for a
    /// small part of the cost, `None` if that is nothing.
    pub fn open_delegation(&self) -> Option<Delegation> {
        self.visible()?.delegation()
    }

    /// Whether [`Assembler::open_turn`] gives one.
    pub fn has_open_turn(&self) -> bool {
        self.visible().is_some()
    }

    fn visible(&self) -> Option<&OpenTurn> {
        let open = self.open.as_ref().filter(|_| !self.is_cut)?;
        (!open.is_told_at_its_end()).then_some(open)
    }

    /// Declares that nothing more will come: a turn still open ends as cut off, at its last
    /// record's time, and the next [`Assembler::take_turns`] has it. Should records of it come
    /// nevertheless, it goes on, and comes again under the same number when it ends.
    pub fn cut_off(&mut self) {
        if self.is_cut {
            return;
        }
        if let Some(open) = self.open.clone() {
            let ending = cut_off(&open);
            let turn = open.close(self.conversation.items(), Some(&ending));
            self.finished.push(turn);
            self.is_cut = true;
        }
    }

    /// The latest place to continue from such that every turn numbered above `settled` is read
    /// again in full, with what its model calls saw. `None` if reading began behind it.
    pub fn carry(&self, settled: u32) -> Option<Carry> {
        let boundary = self.conversation.boundary(settled)?;
        Some(Carry {
            offset: boundary.offset,
            turns: boundary.turns,
            totals: boundary.raw,
            session: self.thread.header().cloned(),
            inherited: boundary.inherited,
            model: boundary.model.clone(),
        })
    }

    /// Tokens spent in this thread as the rollout totals them, without a fork's inherited part.
    pub fn totals(&self) -> Usage {
        self.meter.own()
    }

    /// What was skipped so far.
    pub fn skipped(&self) -> &Skipped {
        &self.skipped
    }
}

/// How a turn ends whose end Codex never wrote.
fn cut_off(open: &OpenTurn) -> Ending {
    Ending::stopped(
        open.last_at,
        TurnStatus::CutOff,
        TurnError {
            message: "Codex went away before the turn ended".to_owned(),
            code: None,
        },
    )
}
