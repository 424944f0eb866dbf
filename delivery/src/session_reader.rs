//! The threads of one session: the root and every thread spawned below it.
//!
//! A child thread becomes known through the turn that spawned it (hooks only hint at its path), so
//! that its place in the tree is complete before its first turn is handed out. Rollouts are read
//! only from Codex's session folders. A session larger than memory passes through in portions.

mod kinship;
mod lineage;
mod portion;
mod rest;
mod search;
mod thread;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use codex_tracing_transcript::{
    AgentCall, Carry, FileIdentity, Scrub, Session, Skipped, Turn, is_session_file, locate_all,
    locate_in,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use kinship::Headers;
use search::Search;
use thread::{Growth, ThreadReader};

pub(crate) use kinship::Child;
pub(crate) use rest::Rest;
pub(crate) use thread::{OpenTurn, ThreadStart};

/// More threads than this in one session are a runaway: they are left out.
const THREADS: usize = 2000;
/// About this much is read before turns that it yielded must be taken: all of it is in memory at the
/// same time.
const BYTES_AT_A_TIME: u64 = 16 << 20;

/// Reads all threads of one session.
pub(crate) struct SessionReader {
    codex_home: PathBuf,
    scrub: Arc<dyn Scrub>,
    root: String,
    confined: bool,
    threads: BTreeMap<String, Member>,
    /// Thread ids, parents before children.
    order: Vec<String>,
    /// The last poll passed over some threads.
    unvisited: bool,
    search: Search,
    headers: Headers,
}

/// A thread with its place in the session.
struct Member {
    reader: ThreadReader,
    /// `None` for the root.
    spawned: Option<Spawned>,
    /// Later calls that gave the thread more to do, in order.
    follow_ups: Vec<Spawned>,
    /// Bytes read by the latest poll that came to it, which found no rollout if `missing`.
    read: u64,
    missing: bool,
    /// Its rollout could not be read on.
    rest: Option<Rest>,
    /// Threads that its turns spawned and that are left out, being too many.
    left_out: BTreeSet<String>,
}

impl Member {
    /// Bytes read whose turns have not all been taken.
    fn held(&self) -> u64 {
        if self.reader.has_ready() {
            self.read
        } else {
            0
        }
    }
}

/// The turn that spawned a thread, or gave it more to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spawned {
    /// Its thread.
    pub thread_id: String,
    /// Its id.
    pub turn_id: String,
    /// Its number.
    pub turn_number: u32,
    /// Its start.
    pub turn_started_at: Timestamp,
    /// The turn of a further thread that it comes from itself, where its rollout names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_turn_id: Option<String>,
    /// The call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// Where the call stands in the turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<AgentCall>,
    /// The turn it led to, where the call's answer says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub led_to: Option<String>,
}

impl SessionReader {
    /// A session whose root thread is `root`. Paths outside Codex's session folders are not read.
    pub(crate) fn new(codex_home: PathBuf, scrub: Arc<dyn Scrub>, root: String) -> Self {
        Self {
            codex_home,
            headers: Headers::new(Arc::clone(&scrub)),
            scrub,
            root,
            confined: true,
            threads: BTreeMap::new(),
            order: Vec::new(),
            unvisited: false,
            search: Search::default(),
        }
    }

    /// Reads rollouts wherever they lie, and once: for a file that the user named.
    pub(crate) fn read_anywhere(&mut self) {
        self.confined = false;
        self.search = Search::at_once();
    }

    /// Adds a thread: the root with `spawned` being `None`, or one spawned by a turn. Threads already
    /// known stay as they are. A child without a path is looked for beside its parent. Tells whether
    /// the thread is followed; one too many is left out, and counted in [`SessionReader::skipped`].
    pub(crate) fn add(
        &mut self,
        id: &str,
        mut start: ThreadStart,
        spawned: Option<Spawned>,
    ) -> bool {
        if self.knows(id) {
            return true;
        }
        if self.threads.len() >= THREADS {
            let parent = spawned.and_then(|it| self.threads.get_mut(&it.thread_id));
            if let Some(parent) = parent {
                parent.left_out.insert(id.to_owned());
            }
            return false;
        }
        if start.path.is_none()
            && let Some(spawned) = &spawned
        {
            start.path = self
                .path(&spawned.thread_id)
                .and_then(Path::parent)
                .and_then(|folder| locate_in(folder, id));
        }
        start.path = start.path.filter(|path| self.may_read(path));
        let reader = ThreadReader::new(id.to_owned(), start, &self.scrub);
        let member = Member {
            reader,
            spawned,
            follow_ups: Vec::new(),
            read: 0,
            missing: false,
            rest: None,
            left_out: BTreeSet::new(),
        };
        self.threads.insert(id.to_owned(), member);
        self.order.push(id.to_owned());
        true
    }

    /// Whether a thread is followed.
    pub(crate) fn knows(&self, thread_id: &str) -> bool {
        self.threads.contains_key(thread_id)
    }

    fn may_read(&self, path: &Path) -> bool {
        !self.confined || is_session_file(&self.codex_home, path)
    }

    /// Paths that hooks named; taken for threads whose rollout is not known yet.
    pub(crate) fn hint(&mut self, paths: &BTreeMap<String, PathBuf>) {
        for (id, path) in paths {
            if let Some(member) = self.threads.get_mut(id)
                && member.reader.path().is_none()
                && (!self.confined || is_session_file(&self.codex_home, path))
            {
                member.reader.hint(path);
            }
        }
    }

    /// Reads what is new in every thread, a portion at most of each and a bounded amount in all.
    /// A thread whose turns have not been taken yet is not read on. Nor is one below a thread that
    /// was not read as far as it goes: there may stand the calls that led to its turns. One that cannot
    /// be read on holds up nobody: it may be broken for good.
    pub(crate) fn poll(&mut self) -> Growth {
        let mut sum = Growth::default();
        let mut missing = BTreeSet::new();
        let mut behind: BTreeSet<&str> = BTreeSet::new();
        let mut held: u64 = self.threads.values().map(Member::held).sum();
        self.unvisited = false;
        for id in &self.order {
            let Some(member) = self.threads.get_mut(id) else {
                continue;
            };
            if held > BYTES_AT_A_TIME {
                self.unvisited = true;
                break;
            }
            let spawned = member.spawned.as_ref();
            let waits = spawned.is_some_and(|it| behind.contains(it.thread_id.as_str()));
            if waits || member.reader.has_ready() {
                behind.insert(id);
                self.unvisited = true;
                continue;
            }
            if member.rest.as_ref().is_some_and(Rest::is_on) {
                continue;
            }
            match member.reader.poll(&self.scrub) {
                Ok(growth) if growth.missing => {
                    member.rest = None;
                    member.missing = true;
                    missing.insert(id.clone());
                }
                Ok(growth) => {
                    member.rest = None;
                    member.missing = false;
                    sum.grew |= growth.grew;
                    held += growth.bytes;
                    member.read = growth.bytes;
                    if growth.more {
                        behind.insert(id);
                    }
                }
                Err(error) => {
                    tracing::warn!(thread = id, %error, "rollout unreadable for now");
                    let path = member.reader.path().unwrap_or(Path::new(""));
                    member.rest = Some(Rest::after(member.rest.as_ref(), path, &error));
                }
            }
        }
        // What is found is read by the poll that follows.
        self.unvisited |= self.look_for(&missing);
        sum.more = self.has_more();
        sum
    }

    /// Looks through Codex's folders for rollouts that are not where they were, if it is time to.
    /// Tells whether any was found.
    fn look_for(&mut self, missing: &BTreeSet<String>) -> bool {
        // A poll that came to few of the threads says nothing of what is owed to the others.
        let says_nothing = missing.is_empty() && self.unvisited;
        if says_nothing || !self.search.is_due(missing, Instant::now()) {
            return false;
        }
        let mut any = false;
        for (id, path) in locate_all(&self.codex_home, missing) {
            if let Some(member) = self.threads.get_mut(&id)
                && is_session_file(&self.codex_home, &path)
            {
                member.reader.found(path);
                member.missing = false;
                any = true;
            }
        }
        any
    }

    /// The next turn that ended, parents' threads first.
    pub(crate) fn next_turn(&mut self) -> Option<Turn> {
        let Self { threads, order, .. } = self;
        order
            .iter()
            .find_map(|id| threads.get_mut(id)?.reader.next_turn())
    }

    /// Whether turns wait to be taken.
    pub(crate) fn has_ready(&self) -> bool {
        self.threads
            .values()
            .any(|member| member.reader.has_ready())
    }

    /// Whether lines are known to wait behind the portions read last.
    pub(crate) fn has_more(&self) -> bool {
        self.unvisited || self.threads.values().any(|member| member.reader.has_more())
    }

    /// Whether a rollout that is not where it was has yet to be looked for.
    pub(crate) fn owes_look(&self) -> bool {
        self.search.owes()
    }

    /// Rollouts that cannot be read on. What stands behind such a place nobody knows: turns, or the
    /// end of the one that seems to run.
    pub(crate) fn unread(&self) -> impl Iterator<Item = &Rest> {
        self.threads
            .values()
            .filter_map(|member| member.rest.as_ref())
    }

    /// Whether the rollout of a thread cannot be read on.
    pub(crate) fn is_unread(&self, thread_id: &str) -> bool {
        let member = self.threads.get(thread_id);
        member.is_some_and(|member| member.rest.is_some())
    }

    /// Whether the rollout of a thread was looked for everywhere and not found.
    pub(crate) fn is_missing(&self, thread_id: &str) -> bool {
        let member = self.threads.get(thread_id);
        member.is_some_and(|member| member.missing) && !self.owes_look()
    }

    /// The running turn of each thread that has one.
    pub(crate) fn open_turns(&mut self) -> Vec<OpenTurn> {
        let Self { threads, order, .. } = self;
        order
            .iter()
            .filter_map(|id| threads.get_mut(id)?.reader.open_turn())
            .collect()
    }

    /// Declares that nothing more will come for a thread: see [`Assembler::cut_off`].
    ///
    /// [`Assembler::cut_off`]: codex_tracing_transcript::Assembler::cut_off
    pub(crate) fn cut_off(&mut self, thread_id: &str) {
        if let Some(member) = self.threads.get_mut(thread_id) {
            member.reader.cut_off();
        }
    }

    /// Ids of all threads, parents before children.
    pub(crate) fn thread_ids(&self) -> &[String] {
        &self.order
    }

    /// Header of a thread.
    pub(crate) fn header(&self, thread_id: &str) -> Option<&Session> {
        self.threads.get(thread_id)?.reader.header()
    }

    /// Header of the root thread.
    pub(crate) fn root_header(&self) -> Option<&Session> {
        self.header(&self.root)
    }

    /// The root thread's id.
    pub(crate) fn root_id(&self) -> &str {
        &self.root
    }

    /// Rollout of a thread.
    pub(crate) fn path(&self, thread_id: &str) -> Option<&Path> {
        self.threads.get(thread_id)?.reader.path()
    }

    /// Where to go on reading a thread after turn `settled`.
    pub(crate) fn mark(&self, thread_id: &str, settled: u32) -> Option<(FileIdentity, Carry)> {
        self.threads.get(thread_id)?.reader.mark(settled)
    }

    /// Frees what a thread without a running turn holds in memory; `None` if it is still busy.
    /// Gives the offset up to which everything in it is dealt with.
    pub(crate) fn park(
        &mut self,
        thread_id: &str,
        identity: FileIdentity,
        carry: Carry,
    ) -> Option<u64> {
        let reader = &mut self.threads.get_mut(thread_id)?.reader;
        let read_to = reader.read_to()?;
        reader.park(identity, carry, &self.scrub);
        Some(read_to)
    }

    /// What this process skipped in a thread.
    pub(crate) fn skipped(&self, thread_id: &str) -> Skipped {
        let Some(member) = self.threads.get(thread_id) else {
            return Skipped::default();
        };
        let mut skipped = member.reader.skipped();
        let left_out = member.left_out.len() as u64;
        if left_out > 0 {
            let reason = "subagent_beyond_limit".to_owned();
            skipped.counts.insert(reason, left_out);
        }
        skipped
    }
}

#[cfg(test)]
mod tests;
