//! The contract between delivery and a backend.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use codex_tracing_transcript::{AgentCall, Git, Session, Turn};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Request, Response, Verdict};

/// A tracing product: how it names, encodes and judges. Every method is pure.
///
/// Exactly-once rests on one rule: the id of each [`Item`] is a function of what Codex recorded
/// (thread, turn, kind, key, and what of the start is final once the turn is over) and of the
/// destination, so that sending again overwrites and never doubles.
pub trait Backend: Send + Sync {
    /// `langsmith` or `braintrust`; names state folders and log fields.
    fn name(&self) -> &'static str;

    /// Where to send. Stable while the settings are.
    fn destinations(&self) -> &[Destination];

    /// Whether running turns are mapped and sent as they grow.
    fn is_live(&self) -> bool;

    /// The items of one turn for one destination. For a running turn: what is known so far.
    /// Items whose bytes have not changed since they were last acknowledged are not sent again.
    fn map(&self, destination: &Destination, view: &View<'_>) -> Vec<Item>;

    /// The next request that must be answered before items can be sent, or `None` if `facts`
    /// (see [`Backend::learn`]) already hold all that is needed and are fresh at `now`.
    fn handshake(
        &self,
        destination: &Destination,
        facts: &Facts,
        now: Timestamp,
    ) -> Option<Request>;

    /// Takes what a handshake response tells. [`Verdict::Acknowledged`] means "go on" (also where
    /// a failure is harmless and defaults were put into `facts`).
    fn learn(
        &self,
        destination: &Destination,
        facts: &mut Facts,
        response: &Response,
        now: Timestamp,
    ) -> Verdict;

    /// A harmless request that the server refuses with 401 or 403 if it does not take the key; for
    /// `doctor`. `None` if the destination is not this backend's.
    fn probe(&self, destination: &Destination) -> Option<Request>;

    /// How much one batch may hold.
    fn limits(&self, destination: &Destination, facts: &Facts) -> Limits;

    /// The first request that carries `items`; never called with none.
    fn request(&self, destination: &Destination, facts: &Facts, items: &[&Item]) -> Request;

    /// What the response means. `step` counts the responses of this batch from 0.
    /// [`Step::Next`] asks for a further request (an overflow upload, a fall-back endpoint).
    fn settle(
        &self,
        destination: &Destination,
        facts: &mut Facts,
        items: &[&Item],
        step: usize,
        response: &Response,
    ) -> Step;

    /// Where the product we replace listed the turns of `rollout` that it has sent, if it did.
    fn sidecar(&self, _rollout: &Path) -> Option<PathBuf> {
        None
    }

    /// The turn ids in the text of such a list; those turns are not sent again.
    fn sidecar_turns(&self, _text: &str) -> BTreeSet<String> {
        BTreeSet::new()
    }
}

/// Where traces go: an endpoint with a key and a project. Keys stay inside the backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Stable, file-name-safe id: a hash over endpoint, organisation or workspace, and project.
    /// The key is no part of it, so that a corrected key delivers the backlog.
    pub id: String,
    /// Position in [`Backend::destinations`].
    pub index: usize,
    /// For people: host and project.
    pub label: String,
    /// Whether a key is at hand; without one nothing is sent and `status` says so.
    pub has_key: bool,
}

/// One turn with all that mapping needs.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Header of the root thread of the session.
    pub root: &'a Session,
    /// Header of the turn's thread (the same as `root` for the root thread's turns).
    pub session: &'a Session,
    /// The turn.
    pub turn: &'a Turn,
    /// Where the thread hangs, root first; empty for turns of the root thread.
    pub lineage: &'a [Ancestor],
    /// What only hooks know.
    pub hooks: &'a HookFacts,
    /// Repository facts: the rollout's, or asked of git where the rollout has none.
    pub git: &'a Git,
    /// How much may leave.
    pub mode: Mode,
    /// The latest end of any turn of the session seen so far.
    pub session_ended_at: Option<Timestamp>,
    /// The turn was sent as cut off before, and with it perhaps errors that are none: a server that
    /// merges must be told that there is no error, for what is left out stays as it was.
    pub was_cut_off: bool,
}

/// A thread above that of the turn being mapped: which of its turns spawned the next thread down,
/// and which led to the turn there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ancestor {
    /// Thread of the ancestor turn.
    pub thread_id: String,
    /// The turn that spawned the next thread down.
    pub turn_id: String,
    /// Its number in its thread.
    pub turn_number: u32,
    /// Its start.
    pub turn_started_at: Timestamp,
    /// The tool call that spawned the next thread down.
    pub call_id: Option<String>,
    /// The thread spawned: the next ancestor's, or at the end the mapped turn's own thread.
    pub child_thread_id: String,
    /// Start of that spawned thread (its `session_meta`).
    pub child_started_at: Timestamp,
    /// What led to the turn one thread down: the spawn, or, for a later turn of that thread, a
    /// call that gave it more to do.
    pub cause: Cause,
}

/// The turn, and the call in it, that a subagent's turn comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The turn; its thread is the [`Ancestor`]'s.
    pub turn_id: String,
    /// Its start.
    pub turn_started_at: Timestamp,
    /// The call; `None` if no record tells which (a review's thread).
    pub call: Option<CausingCall>,
}

/// A tool call that a subagent's turn comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CausingCall {
    /// Its id.
    pub id: String,
    /// Where it stands in its turn.
    pub at: AgentCall,
}

/// What hooks say and the rollout does not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookFacts {
    /// `source` of the first `SessionStart`.
    pub source: Option<String>,
    /// `permission_mode` of the first hook.
    pub permission_mode: Option<String>,
    /// Rollout of the root thread.
    pub transcript_path: Option<String>,
    /// The first turn of the root thread that a hook told of, but for turns that were nothing but a
    /// command to us or another product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_turn_id: Option<String>,
    /// By turn id: trigger of compactions (`auto`, `manual`).
    pub compaction_triggers: BTreeMap<String, String>,
}

/// How much of a turn may leave; decided at the turn's launch and never raised later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Everything, redacted.
    Full,
    /// Topology, times, names, usage, status; contents are replaced by a notice before mapping,
    /// and the backend leaves out custom metadata, paths, git and errors.
    Metadata,
}

/// An encoded thing to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Run or row id.
    pub id: String,
    /// One JSON object: what `export` prints and what requests are built from.
    pub body: Vec<u8>,
    /// Whether this process knows that the destination has an earlier state of it. Backends leave
    /// it `false`; delivery sets it.
    pub known: bool,
}

/// How much one batch may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Items per request.
    pub items: usize,
    /// Bytes of item bodies per request; a single larger item is shrunk.
    pub bytes: usize,
}

/// What follows a response to a batch.
#[derive(Debug, Clone)]
pub enum Step {
    /// Send this too before the batch is settled.
    Next(Request),
    /// The batch is settled.
    Done(Verdict),
}

/// What a server told, kept on disk between runs; never a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Named facts, such as `project_id`.
    pub values: BTreeMap<String, String>,
    /// When they were learned.
    pub learned_at: Option<Timestamp>,
    /// What batches under way have to remember, by name. Belongs to one sender: it is never on
    /// disk, where senders of other sessions would take it for theirs.
    #[serde(skip)]
    pub passing: BTreeMap<String, String>,
}

impl Facts {
    /// Whether both would be the same on disk.
    pub(crate) fn lasts_as(&self, other: &Self) -> bool {
        self.values == other.values && self.learned_at == other.learned_at
    }
}
