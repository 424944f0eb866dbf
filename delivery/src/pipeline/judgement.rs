//! What a pipeline decides over turns, and the threads it follows because of them.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use codex_tracing_transcript::{Delegation, Turn};
use jiff::Timestamp;

use super::Pipeline;
use super::ledger::start_of;
use crate::eligibility::Ground;
use crate::flush::evidence_of;
use crate::session_reader::Child;
use crate::{Eligibility, Evidence, Mode};

/// A sidecar of the replaced product beyond this is not read.
const SIDECAR_LIMIT: u64 = 4 << 20;

impl Pipeline {
    /// What is to be done with a turn.
    pub(super) fn judge(&self, turn: &Turn, evidence: &Evidence) -> Eligibility {
        if turn.thread_id == self.reader.root_id() && self.has_traced_parent() {
            return Eligibility::WithParent;
        }
        if self.file.cursor.joined_later(&turn.thread_id, turn.number) {
            return Eligibility::Elsewhere;
        }
        let nothing = BTreeSet::new();
        let ground = Ground {
            evidence,
            sent_before: self.sidecars.get(&turn.thread_id).unwrap_or(&nothing),
            missing_mode: self.course.missing_mode,
        };
        let thread = self.file.cursor.threads.get(&turn.thread_id);
        ground.judge(turn, thread.and_then(|thread| thread.inherited))
    }

    /// In which mode a running turn is shown, if it is at all. As long as Codex has recorded nothing
    /// of it but its start, its hooks may still say that its prompt is nothing but a command to us,
    /// or that it is muted.
    pub(super) fn mode_of_running(&self, turn: &Turn, evidence: &Evidence) -> Option<Mode> {
        let has_passed_its_hooks = !turn.prompt.is_empty()
            || !turn.calls.is_empty()
            || !turn.tools.is_empty()
            || !turn.compactions.is_empty();
        match self.judge(turn, evidence) {
            Eligibility::Deliver(mode) if has_passed_its_hooks && !evidence.is_closed(&turn.id) => {
                Some(mode)
            }
            _ => None,
        }
    }

    /// Whether this session's root was spawned by a thread that has a journal of its own.
    fn has_traced_parent(&self) -> bool {
        self.reader
            .root_header()
            .and_then(|header| header.parent_thread_id.as_deref())
            .is_some_and(|parent| {
                self.session
                    .sibling(parent)
                    .is_some_and(|s| s.has_journal())
            })
    }

    /// What a fork may not show: Codex before 0.150 copies the conversation it was forked from, and
    /// who was muted is known by the other session's journal. If anything was muted there, everything
    /// before this session's own first hook is hidden. A journal may be gone, and the other session a
    /// fork itself: where anybody was ever muted by a prompt, that holds for every fork.
    pub(super) fn hides_before(&mut self, evidence: &Evidence) -> Option<Timestamp> {
        let header = self.reader.root_header()?;
        let origin = self.session.sibling(header.forked_from_id.as_deref()?)?;
        let muted = *self.origin_was_muted.get_or_insert_with(|| {
            // What cannot be read may have muted everything.
            self.session.has_mutes() || evidence_of(&origin).map_or(true, |it| it.has_muted())
        });
        muted.then(|| evidence.first_event_at().unwrap_or(Timestamp::MAX))
    }

    /// Makes the threads that a turn spawned known, with what was decided over the turn.
    pub(super) fn adopt_children(&mut self, turn: &Turn, evidence: &Evidence) {
        self.read_sidecar(&turn.thread_id);
        self.adopt_spawned(turn, evidence);
        self.note_follow_ups(turn.delegation());
    }

    /// Makes the calls known that led to a turn of a subagent: the turn that made them may be still
    /// running, and then nobody has looked at it yet.
    pub(super) fn note_causes_of(&mut self, turn: &Turn) {
        for above in self.reader.delegations_above(&turn.thread_id) {
            self.note_follow_ups(above);
        }
    }

    fn note_follow_ups(&mut self, delegation: Delegation) {
        for thread_id in self.reader.note_follow_ups(delegation) {
            let follow_ups = self.reader.follow_ups(&thread_id).to_vec();
            let known = &mut self.file.cursor.threads;
            known.entry(thread_id).or_default().follow_ups = follow_ups;
        }
    }

    fn adopt_spawned(&mut self, turn: &Turn, evidence: &Evidence) {
        let mut unknown = self.reader.children(turn);
        unknown.retain(|child| !self.reader.knows(&child.thread_id));
        if unknown.is_empty() {
            return;
        }
        let inherited = self.judge(turn, evidence);
        for Child { thread_id, spawned } in unknown {
            let start = start_of(&self.file.cursor, &thread_id);
            if self.reader.add(&thread_id, start, Some(spawned.clone())) {
                let known = &mut self.file.cursor.threads;
                let thread = known.entry(thread_id).or_default();
                thread.spawned = Some(spawned);
                thread.inherited = Some(inherited);
            }
        }
    }

    fn read_sidecar(&mut self, thread_id: &str) {
        if self.sidecars.contains_key(thread_id) {
            return;
        }
        let turns = self
            .reader
            .path(thread_id)
            .and_then(|rollout| self.course.backend.sidecar(rollout))
            .and_then(|path| read_text(&path))
            .map(|text| self.course.backend.sidecar_turns(&text));
        self.sidecars
            .insert(thread_id.to_owned(), turns.unwrap_or_default());
    }
}

fn read_text(path: &Path) -> Option<String> {
    let meta = std::fs::symlink_metadata(path).ok()?;
    if !meta.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(SIDECAR_LIMIT).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
