//! Every turn of one rollout and of its subagents' rollouts, without journal, cursor or network.
//!
//! For `export` and `view`: pure in the sense that the same files give the same turns in the same
//! order. A turn without an end is given as cut off.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use codex_tracing_redact::{project_session, project_turn};
use codex_tracing_transcript::{Assembler, Git, Scrub, Session, Skipped, Tail, Turn};
use jiff::Timestamp;

use crate::session_reader::{OpenTurn, SessionReader, ThreadStart};
use crate::{Ancestor, Backend, Destination, HookFacts, Item, Mode, View};

/// A rollout could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file system said no.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No header in the first lines.
    #[error("{path} is no Codex session: its first line is no session_meta record")]
    NoSession {
        /// The file.
        path: PathBuf,
    },
}

/// What is not among the turns that were handed out.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct LeftOut {
    /// Records, by reason.
    pub skipped: Skipped,
    /// Rollouts that cannot be read to their end, each with why.
    pub unread: Vec<String>,
}

/// A turn with its place in the session.
#[derive(Debug, Clone)]
pub struct SessionTurn {
    /// Header of the thread the export began with.
    pub root: Arc<Session>,
    /// Header of the turn's thread.
    pub session: Arc<Session>,
    /// The turn.
    pub turn: Turn,
    /// Where the thread hangs, root first.
    pub lineage: Vec<Ancestor>,
    /// The latest end of any turn handed out so far, this one included.
    pub session_ended_at: Option<Timestamp>,
}

impl SessionTurn {
    /// The items a backend makes of the turn.
    pub fn items(
        &self,
        backend: &dyn Backend,
        destination: &Destination,
        hooks: &HookFacts,
        git: &Git,
        mode: Mode,
    ) -> Vec<Item> {
        let view = View {
            root: &self.root,
            session: &self.session,
            turn: &self.turn,
            lineage: &self.lineage,
            hooks,
            git: self.session.git.as_ref().unwrap_or(git),
            mode,
            session_ended_at: self.session_ended_at,
            was_cut_off: false,
        };
        if mode == Mode::Full {
            return backend.map(destination, &view);
        }
        let bare = View {
            root: &project_session(&self.root),
            session: &project_session(&self.session),
            turn: &project_turn(&self.turn),
            git: &Git::default(),
            ..view
        };
        backend.map(destination, &bare)
    }
}

/// Hands every turn of `rollout` and of the threads it spawned to `each`: a thread's turns in
/// order, a turn before those of the threads it spawned. Children are looked for beside the
/// rollout, then below `codex_home`.
pub fn read_session(
    codex_home: &Path,
    rollout: &Path,
    scrub: &Arc<dyn Scrub>,
    each: &mut dyn FnMut(SessionTurn),
) -> Result<LeftOut, ExportError> {
    let root = thread_id_of(rollout, scrub)?;
    let mut reader = SessionReader::new(codex_home.to_owned(), Arc::clone(scrub), root.clone());
    reader.read_anywhere();
    let start = ThreadStart {
        path: Some(rollout.to_owned()),
        ..ThreadStart::default()
    };
    reader.add(&root, start, None);
    let mut ended_at = None;
    let mut cut: BTreeSet<String> = BTreeSet::new();
    loop {
        let growth = reader.poll();
        while let Some(turn) = reader.next_turn() {
            adopt(&mut reader, &turn);
            ended_at = ended_at.max(turn.window.ended_at);
            for above in reader.delegations_above(&turn.thread_id) {
                reader.note_follow_ups(above);
            }
            if let Some(turn) = place(&reader, turn, ended_at) {
                each(turn);
            }
        }
        if growth.grew || growth.more {
            continue;
        }
        // At the end of every file: what is still open was cut off, and may have spawned more. Where a
        // file cannot be read on, the end of its turn may stand there.
        let mut any = false;
        for OpenTurn { turn, .. } in reader.open_turns() {
            if cut.insert(turn.thread_id.clone()) {
                if reader.is_unread(&turn.thread_id) {
                    adopt(&mut reader, &turn);
                } else {
                    reader.cut_off(&turn.thread_id);
                }
                any = true;
            }
        }
        if !any {
            break;
        }
    }
    let mut left_out = LeftOut::default();
    for id in reader.thread_ids() {
        for (reason, count) in reader.skipped(id).counts {
            *left_out.skipped.counts.entry(reason).or_default() += count;
        }
    }
    let unread = reader.unread();
    left_out.unread.extend(unread.map(|it| it.words().into()));
    Ok(left_out)
}

fn adopt(reader: &mut SessionReader, turn: &Turn) {
    for child in reader.children(turn) {
        reader.add(
            &child.thread_id,
            ThreadStart::default(),
            Some(child.spawned),
        );
    }
    reader.note_follow_ups(turn.delegation());
}

fn place(
    reader: &SessionReader,
    turn: Turn,
    session_ended_at: Option<Timestamp>,
) -> Option<SessionTurn> {
    Some(SessionTurn {
        root: Arc::new(reader.root_header()?.clone()),
        session: Arc::new(reader.header(&turn.thread_id)?.clone()),
        lineage: reader.lineage(&turn)?,
        turn,
        session_ended_at,
    })
}

fn thread_id_of(rollout: &Path, scrub: &Arc<dyn Scrub>) -> Result<String, ExportError> {
    let failed = |source| ExportError::Read {
        path: rollout.to_owned(),
        source,
    };
    let mut assembler = Assembler::new(Arc::clone(scrub));
    let mut lines = 0;
    Tail::open(rollout)
        .and_then(|mut tail| {
            tail.read_while(&mut |offset, line| {
                // The header is the first line; a few more are forgiven.
                if lines == 10 || assembler.session().is_some() {
                    return ControlFlow::Break(());
                }
                lines += 1;
                assembler.push(offset, line);
                ControlFlow::Continue(())
            })
        })
        .map_err(failed)?;
    assembler
        .session()
        .map(|session| session.thread_id.clone())
        .ok_or_else(|| ExportError::NoSession {
            path: rollout.to_owned(),
        })
}
