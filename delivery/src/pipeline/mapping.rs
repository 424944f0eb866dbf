//! From a turn to the items of one destination.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use codex_tracing_redact::{project_history, project_session, project_turn};
use codex_tracing_transcript::{Git, Scrub, Session, Turn};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::pipeline::Course;
use crate::session_reader::SessionReader;
use crate::{Backend, Destination, Evidence, Item, Mode, View};

/// Asks git about a working directory, where the rollout has nothing.
pub type GitLookup = Rc<dyn Fn(&Path) -> Git>;

/// Maps turns for one destination.
pub(crate) struct Mapper {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) destination: Destination,
    /// What the model saw from before this instant stays hidden: it was copied from a session that
    /// was muted.
    pub(crate) hides_before: Option<Timestamp>,
    scrub: Arc<dyn Scrub>,
    git: GitLookup,
    /// By working directory: a session asks once.
    asked: BTreeMap<String, Git>,
}

impl Mapper {
    pub(crate) fn new(course: &Course, destination: Destination) -> Self {
        Self {
            backend: Arc::clone(&course.backend),
            destination,
            hides_before: None,
            scrub: Arc::clone(&course.scrub),
            git: Rc::clone(&course.git),
            asked: BTreeMap::new(),
        }
    }

    /// The items of `turn`, or `None` as long as a header above it is not known.
    pub(crate) fn map(
        &mut self,
        reader: &SessionReader,
        turn: &Turn,
        evidence: &Evidence,
        mode: Mode,
        session_ended_at: Option<Timestamp>,
        was_cut_off: bool,
    ) -> Option<Vec<Item>> {
        let session = reader.header(&turn.thread_id)?;
        let root = reader.root_header().unwrap_or(session);
        let lineage = reader.lineage(turn)?;
        let git = self.git_of(session);
        let view = View {
            root,
            session,
            turn,
            lineage: &lineage,
            hooks: evidence.facts(),
            git: &git,
            mode,
            session_ended_at,
            was_cut_off,
        };
        if mode == Mode::Full && !evidence.has_muted() && self.hides_before.is_none() {
            return Some(self.backend.map(&self.destination, &view));
        }
        if mode == Mode::Full {
            // What was said while muted is part of what the model sees in later turns. A
            // compaction repeats it under its own time, at the beginning of a new conversation.
            let hides_before = self.hides_before.max(self.copied_before(&view, evidence));
            let turn = project_history(turn, &|first, item| {
                hides_before.is_some_and(|before| item.at < before)
                    || evidence.was_muted(item.at)
                    || (item.at == first.at && evidence.has_muted_before(first.at))
            });
            let partly = View {
                turn: &turn,
                ..view
            };
            return Some(self.backend.map(&self.destination, &partly));
        }
        let (root, session, turn) = (
            project_session(root),
            project_session(session),
            project_turn(turn),
        );
        let bare = View {
            root: &root,
            session: &session,
            turn: &turn,
            git: &Git::default(),
            ..view
        };
        Some(self.backend.map(&self.destination, &bare))
    }

    /// What a subagent may not show: its rollout may begin with the conversation of the thread that
    /// spawned it, under times of its own. If anything was muted before, all that comes before the
    /// turn is hidden: where the copy ends is not recorded.
    fn copied_before(&self, view: &View<'_>, evidence: &Evidence) -> Option<Timestamp> {
        let (session, turn, root) = (view.session, view.turn, view.root);
        let is_child = turn.thread_id != root.thread_id;
        let may_hold_muted =
            self.hides_before.is_some() || evidence.has_muted_before(session.started_at);
        (is_child && session.forked_from_id.is_some() && may_hold_muted)
            .then_some(turn.window.started_at)
    }

    fn git_of(&mut self, session: &Session) -> Git {
        if let Some(git) = &session.git {
            return git.clone();
        }
        let Some(cwd) = &session.cwd else {
            return Git::default();
        };
        self.asked
            .entry(cwd.clone())
            .or_insert_with(|| scrubbed((self.git)(Path::new(cwd)), &*self.scrub))
            .clone()
    }
}

/// What git says of a repository, through the gate that the rollout's own word on it has passed.
fn scrubbed(git: Git, scrub: &dyn Scrub) -> Git {
    let text = |text: Option<String>| text.map(|text| scrub.text(text.into()));
    Git {
        commit: git.commit,
        branch: text(git.branch),
        repository_url: text(git.repository_url),
    }
}

/// A short digest of everything that may still change in a turn. What its calls saw is part of it
/// by number of items only: the conversation before a turn is given, and much longer than the turn.
pub(crate) fn digest(turn: &Turn) -> String {
    struct HashWriter(Sha256);
    impl io::Write for HashWriter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let seen: Vec<usize> = turn.conversations.iter().map(Vec::len).collect();
    let what = (
        &turn.id,
        turn.kind,
        &turn.window,
        &turn.context,
        &turn.prompt,
    );
    let how = (
        turn.status,
        &turn.error,
        &turn.answer,
        turn.time_to_first_token_ms,
        &turn.usage,
    );
    let parts = (&turn.calls, &turn.tools, &turn.subagents, &turn.compactions);
    let mut hasher = HashWriter(Sha256::new());
    // A turn that cannot be written as JSON is told apart by what was written up to there.
    let _ = serde_json::to_writer(&mut hasher, &(what, how, parts, seen));
    let bytes = hasher.0.finalize();
    bytes.iter().take(12).fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::Value;

    use super::*;

    struct Loud;

    impl Scrub for Loud {
        fn text(&self, text: Cow<'_, str>) -> String {
            text.to_uppercase()
        }
        fn json(&self, _: &mut Value) {}
        fn image(&self, url: Cow<'_, str>) -> String {
            url.into_owned()
        }
    }

    #[test]
    fn what_git_says_passes_the_gate() {
        let said = Git {
            commit: Some("abc".to_owned()),
            branch: Some("fix".to_owned()),
            repository_url: Some("ssh://host/repo".to_owned()),
        };
        let told = scrubbed(said, &Loud);
        assert_eq!(told.commit.as_deref(), Some("abc"));
        assert_eq!(told.branch.as_deref(), Some("FIX"));
        assert_eq!(told.repository_url.as_deref(), Some("SSH://HOST/REPO"));
    }
}
