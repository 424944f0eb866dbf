//! What the journal of a session proves: which turns ran under tracing, how much of them may
//! leave, which threads there are, and which process wrote them. Pure.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use codex_tracing_transcript::Window;
use jiff::Timestamp;

use crate::{HookFacts, JournalEntry, Mode, ProcessMark};

/// The journal of one session, digested.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    session_id: String,
    turns: BTreeMap<String, TurnEvidence>,
    /// Time of every event, with the mode it named; ascending.
    events: Vec<(Timestamp, Option<Mode>)>,
    /// Thread id → rollout, as hooks named them.
    threads: BTreeMap<String, PathBuf>,
    facts: HookFacts,
    process: Option<ProcessMark>,
    cwd: Option<PathBuf>,
    ended: bool,
}

/// What the journal says of one turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, not a state"
)]
struct TurnEvidence {
    /// Mode at its first event.
    mode: Option<Mode>,
    /// A `Stop` or `SubagentStop` came.
    stopped: bool,
    /// The hook waits for its delivery.
    closed: bool,
    /// Its prompt was a command to us.
    command: bool,
    /// Its prompt was a command to another product.
    others_command: bool,
}

impl Evidence {
    /// Nothing known yet of session `session_id`.
    pub fn new(session_id: impl Into<String>) -> Self {
        Self {
            session_id: session_id.into(),
            ..Self::default()
        }
    }

    /// Takes one more event. Events of other sessions are ignored.
    pub fn absorb(&mut self, entry: &JournalEntry) {
        if entry.session_id != self.session_id {
            return;
        }
        self.absorb_turn(entry);
        if !entry.command {
            let position = self.events.partition_point(|(at, _)| *at <= entry.at);
            self.events.insert(position, (entry.at, entry.mode));
        }
        self.absorb_threads(entry);
        self.absorb_facts(entry);
        if entry.process.is_some() {
            self.process = entry.process;
        }
        if let Some(cwd) = &entry.cwd {
            self.cwd = Some(cwd.clone());
        }
        self.ended = entry.event == "SessionEnd";
    }

    fn absorb_turn(&mut self, entry: &JournalEntry) {
        let Some(turn_id) = &entry.turn_id else {
            return;
        };
        let turn = self.turns.entry(turn_id.clone()).or_default();
        turn.mode = match (turn.mode, entry.mode) {
            (None, mode) => mode,
            // Once metadata only, always: a later event must not raise it.
            (Some(Mode::Full), Some(Mode::Metadata)) if entry.event == "UserPromptSubmit" => {
                Some(Mode::Metadata)
            }
            (known, _) => known,
        };
        turn.stopped |= matches!(entry.event.as_str(), "Stop" | "SubagentStop");
        turn.closed |= entry.closes_turn && entry.event == "Stop";
        turn.command |= entry.command;
        turn.others_command |= entry.others_command;
    }

    fn absorb_threads(&mut self, entry: &JournalEntry) {
        if let Some(path) = &entry.transcript_path
            && let Some(thread) = thread_of(path)
        {
            self.threads.entry(thread).or_insert_with(|| path.clone());
        }
        if let (Some(agent), Some(path)) = (&entry.agent_id, &entry.agent_transcript_path) {
            self.threads.insert(agent.clone(), path.clone());
        }
    }

    fn absorb_facts(&mut self, entry: &JournalEntry) {
        let facts = &mut self.facts;
        if facts.source.is_none() && entry.event == "SessionStart" {
            facts.source.clone_from(&entry.source);
        }
        if facts.permission_mode.is_none() {
            facts.permission_mode.clone_from(&entry.permission_mode);
        }
        // A command to another product is nobody's turn, unless another hook tells that it went on.
        let begins = if entry.event == "UserPromptSubmit" {
            !entry.command && !entry.others_command
        } else {
            let turn = entry.turn_id.as_ref().and_then(|id| self.turns.get(id));
            turn.is_some_and(|turn| turn.others_command)
        };
        if facts.first_turn_id.is_none() && entry.agent_id.is_none() && begins {
            facts.first_turn_id.clone_from(&entry.turn_id);
        }
        if let (Some(turn), Some(trigger)) = (&entry.turn_id, &entry.trigger) {
            facts
                .compaction_triggers
                .insert(turn.clone(), trigger.clone());
        }
        if facts.transcript_path.is_none()
            && let Some(root) = self.threads.get(&self.session_id)
        {
            facts.transcript_path = Some(root.to_string_lossy().into_owned());
        }
    }

    /// The session.
    pub fn session_id(&self) -> &str {
        &self.session_id
    }

    /// Whether there is no event at all.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Whether an event names this turn.
    pub fn names(&self, turn_id: &str) -> bool {
        self.turns.contains_key(turn_id)
    }

    /// Whether some event lies within the window (its ends included).
    pub fn falls_in(&self, window: &Window) -> bool {
        let first = self
            .events
            .partition_point(|(at, _)| *at < window.started_at);
        self.events
            .get(first)
            .is_some_and(|(at, _)| window.ended_at.is_none_or(|end| *at <= end))
    }

    /// How much of a turn may leave: what its first event says; else the first event within its
    /// window that says so; else the last one before it; else `None`.
    pub fn mode_of(&self, turn_id: &str, window: &Window) -> Option<Mode> {
        if let Some(mode) = self.turns.get(turn_id).and_then(|turn| turn.mode) {
            return Some(mode);
        }
        let first = self
            .events
            .partition_point(|(at, _)| *at < window.started_at);
        let (before, after) = self.events.split_at_checked(first)?;
        after
            .iter()
            .take_while(|(at, _)| window.ended_at.is_none_or(|end| *at <= end))
            .chain(before.iter().rev())
            .find_map(|(_, mode)| *mode)
    }

    /// Whether any event muted a turn.
    pub fn has_muted(&self) -> bool {
        self.has_muted_before(Timestamp::MAX)
    }

    /// Whether an event before `at` muted a turn.
    pub fn has_muted_before(&self, at: Timestamp) -> bool {
        let events = self
            .events
            .iter()
            .take_while(|(event_at, _)| *event_at < at);
        let mut modes = events.map(|(_, mode)| *mode);
        modes.any(|mode| mode == Some(Mode::Metadata))
    }

    /// Whether what was recorded at `at` belongs to a muted turn: the last event up to then that
    /// named a mode muted. Records carry milliseconds, so events count from their millisecond on.
    pub fn was_muted(&self, at: Timestamp) -> bool {
        let end = self
            .events
            .partition_point(|(event_at, _)| event_at.as_millisecond() <= at.as_millisecond());
        let before = self.events.get(..end).unwrap_or_default();
        before.iter().rev().find_map(|(_, mode)| *mode) == Some(Mode::Metadata)
    }

    /// When the first hook ran.
    pub fn first_event_at(&self) -> Option<Timestamp> {
        self.events.first().map(|(at, _)| *at)
    }

    /// Whether `Stop` came for the turn.
    pub fn has_stopped(&self, turn_id: &str) -> bool {
        self.turns.get(turn_id).is_some_and(|turn| turn.stopped)
    }

    /// Whether the turn's prompt was nothing but a command to us.
    pub fn is_command(&self, turn_id: &str) -> bool {
        self.turns.get(turn_id).is_some_and(|turn| turn.command)
    }

    /// Whether the turn's prompt was a command to another product. If that is installed it has answered,
    /// and nothing came of the turn.
    pub fn is_others_command(&self, turn_id: &str) -> bool {
        let turn = self.turns.get(turn_id);
        turn.is_some_and(|turn| turn.others_command)
    }

    /// Whether a hook waits for the turn's delivery.
    pub fn is_closed(&self, turn_id: &str) -> bool {
        self.turns.get(turn_id).is_some_and(|turn| turn.closed)
    }

    /// Whether hooks have waited for the delivery of any turn.
    pub fn has_closed(&self) -> bool {
        self.turns.values().any(|turn| turn.closed)
    }

    /// Rollouts that hooks named, by thread.
    pub fn threads(&self) -> &BTreeMap<String, PathBuf> {
        &self.threads
    }

    /// What hooks know and the rollout does not.
    pub fn facts(&self) -> &HookFacts {
        &self.facts
    }

    /// The process that ran the latest hook.
    pub fn process(&self) -> Option<ProcessMark> {
        self.process
    }

    /// Working directory of the latest hook.
    pub fn cwd(&self) -> Option<&Path> {
        self.cwd.as_deref()
    }

    /// Whether `SessionEnd` is the last word.
    pub fn has_ended(&self) -> bool {
        self.ended
    }
}

/// `…/rollout-<local time>-<thread id>.jsonl` → thread id (a UUID).
pub(crate) fn thread_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let name = name.strip_suffix(".zst").unwrap_or(name);
    let stem = name.strip_suffix(".jsonl")?;
    let id = stem.get(stem.len().checked_sub(36)?..)?;
    let plain = id
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    plain.then(|| id.to_owned())
}
