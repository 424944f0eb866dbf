//! Where a turn hangs: the turns above it, and the calls in them that led to it.
//!
//! A thread is spawned once, but may be given more to do by later turns of its parent. Which call
//! a turn of it comes from is told by the call's answer (v1); by time, it being the last such call
//! before the turn began; and by the turn's own start (`turn_attribution`, newer versions), which
//! names the turn above.

use codex_tracing_transcript::{Delegation, Turn, TurnKind};
use jiff::{SignedDuration, Timestamp};

use super::kinship::{self, Child};
use super::{Member, SessionReader, Spawned};
use crate::{Ancestor, Cause, CausingCall};

/// Calls remembered of one thread; the turns that earlier ones led to were delivered long ago.
const FOLLOW_UPS: usize = 64;
/// A turn may be recorded this much earlier than the call that led to it: two files, two writers.
const SLACK: SignedDuration = SignedDuration::from_millis(50);

/// A turn, as far as what led to it is concerned.
#[derive(Clone, Copy)]
struct Begun<'a> {
    id: &'a str,
    at: Timestamp,
    /// The turn above that it names.
    named: Option<&'a str>,
}

impl SessionReader {
    /// Where a turn hangs, root first; `None` as long as a header on the way is missing.
    pub(crate) fn lineage(&self, turn: &Turn) -> Option<Vec<Ancestor>> {
        let mut lineage: Vec<Ancestor> = Vec::new();
        let mut id = turn.thread_id.as_str();
        let mut begun = Begun {
            id: &turn.id,
            at: turn.window.started_at,
            named: turn.parent_turn_id.as_deref(),
        };
        // Each step goes up one thread; more steps than threads would be a circle.
        for _ in 0..=self.threads.len() {
            let member = self.threads.get(id)?;
            let Some(spawned) = &member.spawned else {
                lineage.reverse();
                return Some(lineage);
            };
            let cause = member.follow_up(begun).unwrap_or(spawned);
            lineage.push(Ancestor {
                thread_id: spawned.thread_id.clone(),
                turn_id: spawned.turn_id.clone(),
                turn_number: spawned.turn_number,
                turn_started_at: spawned.turn_started_at,
                call_id: spawned.call_id.clone(),
                child_thread_id: id.to_owned(),
                child_started_at: self.header(id)?.started_at,
                cause: cause.as_cause(),
            });
            begun = Begun {
                id: &cause.turn_id,
                at: cause.turn_started_at,
                named: cause.parent_turn_id.as_deref(),
            };
            id = &spawned.thread_id;
        }
        None
    }

    /// The threads that a turn spawned. One that no record names is looked for until it is known.
    pub(crate) fn children(&mut self, turn: &Turn) -> Vec<Child> {
        let named = kinship::children(turn);
        if turn.kind != TurnKind::Review || !named.is_empty() || self.has_child(turn) {
            return named;
        }
        let member = self.threads.get(&turn.thread_id);
        let asking = member.and_then(|member| member.reader.header());
        let rollout = member.and_then(|member| member.reader.path());
        kinship::reviews(turn, asking, rollout, &mut self.headers)
    }

    /// Whether a thread is known that hangs in this turn.
    fn has_child(&self, turn: &Turn) -> bool {
        self.threads.values().any(|member| {
            let spawned = member.spawned.as_ref();
            spawned.is_some_and(|it| it.thread_id == turn.thread_id && it.turn_id == turn.id)
        })
    }

    /// Remembers what a turn gave its thread's children to do. Tells of which children that was not
    /// known yet.
    pub(crate) fn note_follow_ups(&mut self, delegation: Delegation) -> Vec<String> {
        let mut changed = Vec::new();
        for child in kinship::follow_ups(delegation) {
            if self.add_follow_up(&child.thread_id, child.spawned) {
                changed.push(child.thread_id);
            }
        }
        changed
    }

    /// Remembers one such call. Only a thread's own parent counts: a turn hangs in the thread that
    /// its thread hangs in.
    pub(crate) fn add_follow_up(&mut self, thread_id: &str, asked: Spawned) -> bool {
        let Some(member) = self.threads.get_mut(thread_id) else {
            return false;
        };
        let of_parent = |spawned: &Spawned| spawned.thread_id == asked.thread_id;
        if !member.spawned.as_ref().is_some_and(of_parent) || member.follow_ups.contains(&asked) {
            return false;
        }
        let same =
            |known: &&mut Spawned| known.turn_id == asked.turn_id && known.call_id == asked.call_id;
        if let Some(known) = member.follow_ups.iter_mut().find(same) {
            *known = asked;
            return true;
        }
        if member.follow_ups.len() == FOLLOW_UPS {
            member.follow_ups.remove(0);
        }
        member.follow_ups.push(asked);
        true
    }

    /// The calls that gave a thread more to do.
    pub(crate) fn follow_ups(&self, thread_id: &str) -> &[Spawned] {
        let member = self.threads.get(thread_id);
        member
            .map(|member| member.follow_ups.as_slice())
            .unwrap_or_default()
    }

    /// What the running turns of the threads above `thread_id` have given to others: one of them may
    /// have made the calls that led to a turn there. Nearest first.
    pub(crate) fn delegations_above(&self, thread_id: &str) -> Vec<Delegation> {
        let mut delegations = Vec::new();
        let mut id = thread_id;
        for _ in 0..self.threads.len() {
            let Some(spawned) = self.threads.get(id).and_then(|it| it.spawned.as_ref()) else {
                break;
            };
            id = &spawned.thread_id;
            let above = self.threads.get(id);
            delegations.extend(above.and_then(|it| it.reader.open_delegation()));
        }
        delegations
    }
}

/// Whether a call was made before `at`, or so little later that records may say so. Any instants
/// will do: subtracting saturates where adding would overflow.
fn is_before(call: Timestamp, at: Timestamp) -> bool {
    call.saturating_sub(SLACK).is_ok_and(|call| call <= at)
}

impl Member {
    /// The later call that led to a turn of this thread.
    fn follow_up(&self, turn: Begun<'_>) -> Option<&Spawned> {
        let told = |asked: &&Spawned| asked.led_to.as_deref() == Some(turn.id);
        let fits = |asked: &&Spawned| {
            asked.led_to.is_none()
                && asked
                    .call
                    .is_some_and(|call| is_before(call.started_at, turn.at))
                && turn.named.is_none_or(|id| asked.turn_id == id)
        };
        let mut all = self.follow_ups.iter();
        all.clone().find(told).or_else(|| all.rfind(fits))
    }
}

impl Spawned {
    fn as_cause(&self) -> Cause {
        let call = self.call_id.clone().zip(self.call);
        Cause {
            turn_id: self.turn_id.clone(),
            turn_started_at: self.turn_started_at,
            call: call.map(|(id, at)| CausingCall { id, at }),
        }
    }
}
