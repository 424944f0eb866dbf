//! Which turns are traced without content: the decision, not the file it is kept in.
//!
//! The state, as JSON:
//!
//! ```json
//! {"version":1,"threads":{"<thread id>":[{"at":"2026-08-01T10:00:00Z","muted":true}]}}
//! ```
//!
//! Each thread has its changes in order of time, so that the mode of a turn is a function of the
//! instant it was launched: a turn read again next week gets the mode it had.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Version of the format this program writes.
const VERSION: u32 = 1;
/// Characters of an unknown command that are said again.
const SHOWN: usize = 64;

/// What a prompt asks of the hook instead of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MuteCommand {
    /// From the next turn on, this thread is traced without content.
    Mute,
    /// From the next turn on, this thread is traced in full.
    Unmute,
}

/// A prompt that is meant for us and says nothing we know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown command `{word}`; known are `{prefix}:mute` and `{prefix}:unmute`")]
pub struct UnknownCommand {
    word: String,
    prefix: String,
}

/// The command in a prompt: `<prefix>:mute` or `<prefix>:unmute`, in any case and with any white
/// space around it. `prefix` is `langsmith-tracing` or `braintrust-tracing`.
///
/// `None` is a prompt for the model. A single word that begins as a command does is none: whoever
/// mistypes `mute` must not believe to be muted.
///
/// # Errors
/// A word that begins as a command and is not one.
pub fn mute_command(prompt: &str, prefix: &str) -> Option<Result<MuteCommand, UnknownCommand>> {
    let word = prompt.trim();
    let (before, command) = word.split_once(':')?;
    if !before.eq_ignore_ascii_case(prefix) || command.contains(char::is_whitespace) {
        return None;
    }
    let command = match command.to_ascii_lowercase().as_str() {
        "mute" => Ok(MuteCommand::Mute),
        "unmute" => Ok(MuteCommand::Unmute),
        _ => Err(UnknownCommand {
            word: word.chars().take(SHOWN).collect(),
            prefix: prefix.to_owned(),
        }),
    };
    Some(command)
}

/// What is known of the threads that were ever muted or unmuted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MuteState {
    version: u32,
    /// Something that was known is lost: threads without an entry count as muted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    lost: bool,
    #[serde(default)]
    threads: BTreeMap<String, Vec<Change>>,
}

/// From when on a thread was muted or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Change {
    at: Timestamp,
    muted: bool,
}

impl Default for MuteState {
    fn default() -> Self {
        Self {
            version: VERSION,
            lost: false,
            threads: BTreeMap::new(),
        }
    }
}

impl MuteState {
    /// The state in a file's bytes. What cannot be read mutes every thread that is not unmuted
    /// afterwards: content that is not sent can be sent later, the other way there is no way back.
    /// A file that does not exist is [`MuteState::default`], not empty bytes.
    pub fn parse(bytes: &[u8]) -> Self {
        let lost = || Self {
            lost: true,
            ..Self::default()
        };
        let Ok(state) = serde_json::from_slice::<Self>(bytes) else {
            return lost();
        };
        let is_ordered = |changes: &Vec<Change>| {
            !changes.is_empty() && changes.is_sorted_by_key(|change| change.at)
        };
        match state.version {
            0 => lost(),
            VERSION if state.threads.values().all(is_ordered) => state,
            VERSION => lost(),
            // Written by a newer program, whose meaning may be another one.
            newer => Self {
                version: newer,
                ..lost()
            },
        }
    }

    /// Whether this program may write the file anew: not if a newer one wrote it.
    pub fn is_writable(&self) -> bool {
        self.version <= VERSION
    }

    /// Whether an earlier state could not be read, so that threads without an entry are muted.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// Notes a command given at `at` in `thread`. Says whether anything changed.
    pub fn apply(&mut self, thread: &str, command: MuteCommand, at: Timestamp) -> bool {
        let muted = command == MuteCommand::Mute;
        let changes = self.threads.entry(thread.to_owned()).or_default();
        if changes.last().is_some_and(|last| last.muted == muted) {
            return false;
        }
        // A clock that went back must not hide a change behind an earlier one.
        let at = changes.last().map_or(at, |last| last.at.max(at));
        changes.push(Change { at, muted });
        true
    }

    /// Whether a turn of `thread` that was launched at `launched_at` goes out without content.
    ///
    /// `parent` is, for the turns of a subagent, the mode of the turn that spawned it (`true` if
    /// that is unknown): a muted one mutes its children whatever is said in them, one that is not
    /// says what they are unless they were muted themselves. `default_muted` is the setting for
    /// threads that nobody has muted or unmuted.
    pub fn mode_for_turn_launch(
        &self,
        thread: &str,
        parent: Option<bool>,
        launched_at: Timestamp,
        default_muted: bool,
    ) -> bool {
        let own = self.threads.get(thread).and_then(|changes| {
            let in_force = changes.iter().rev().find(|change| change.at <= launched_at);
            in_force.map(|change| change.muted)
        });
        match (parent, own) {
            (Some(true), _) => true,
            (_, Some(muted)) => muted,
            (Some(false), None) => false,
            (None, None) => self.lost || default_muted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_command_is_one_word_in_any_case_with_any_white_space_around_it() {
        let check = |prompt: &str, expected: Option<Option<MuteCommand>>| {
            let command = mute_command(prompt, "langsmith-tracing").map(Result::ok);
            assert_eq!(command, expected, "{prompt:?}");
        };
        let (mute, unmute) = (Some(MuteCommand::Mute), Some(MuteCommand::Unmute));
        check("langsmith-tracing:mute", Some(mute));
        check("langsmith-tracing:unmute", Some(unmute));
        check(" langsmith-tracing:unmute ", Some(unmute));
        check("\n\tlangsmith-tracing:mute\r\n", Some(mute));
        check("Langsmith-Tracing:mute", Some(mute));
        check("LANGSMITH-TRACING:UNMUTE", Some(unmute));
        check("langsmith-tracing:", Some(None));
        check("langsmith-tracing:mut", Some(None));
        check("langsmith-tracing:mute!", Some(None));
        check("langsmith-tracing::mute", Some(None));
        check("langsmith-tracing: mute", None);
        check("langsmith-tracing:mute please", None);
        check("what is langsmith-tracing:mute", None);
        check("/langsmith-tracing:mute", None);
        check("braintrust-tracing:mute", None);
        check("langsmith-tracing", None);
        check("", None);
    }

    #[test]
    fn an_unknown_command_is_told_the_known_ones_and_said_again_in_part() {
        let words = |prompt: &str| {
            let command = mute_command(prompt, "braintrust-tracing").unwrap();
            command.unwrap_err().to_string()
        };
        assert_eq!(
            words("Braintrust-tracing:off"),
            "unknown command `Braintrust-tracing:off`; known are `braintrust-tracing:mute` and \
             `braintrust-tracing:unmute`"
        );
        let long = format!("braintrust-tracing:{}", "x".repeat(60_000));
        assert!(words(&long).len() < 200);
    }

    #[test]
    fn a_turn_has_the_mode_in_force_when_it_was_launched() {
        let mut state = MuteState::default();
        assert!(state.apply("a", MuteCommand::Mute, at(100)));
        assert!(!state.apply("a", MuteCommand::Mute, at(150)));
        assert!(state.apply("a", MuteCommand::Unmute, at(200)));
        let check = |thread: &str, second: i64, default: bool, expected: bool| {
            let muted = state.mode_for_turn_launch(thread, None, at(second), default);
            assert_eq!(muted, expected, "{thread} at {second}");
        };
        check("a", 99, false, false);
        check("a", 99, true, true);
        check("a", 100, false, true);
        check("a", 199, false, true);
        check("a", 200, true, false);
        check("b", 150, false, false);
        check("b", 150, true, true);
    }

    #[test]
    fn subagents_inherit_and_are_never_upgraded() {
        let mut state = MuteState::default();
        state.apply("loud", MuteCommand::Unmute, at(1));
        state.apply("quiet", MuteCommand::Mute, at(1));
        let check = |thread: &str, parent: bool, expected: bool| {
            let muted = state.mode_for_turn_launch(thread, Some(parent), at(2), true);
            assert_eq!(muted, expected, "{thread} of {parent}");
        };
        check("child", true, true);
        check("child", false, false);
        check("loud", true, true);
        check("quiet", false, true);
    }

    #[test]
    fn a_clock_that_went_back_hides_no_change() {
        let mut state = MuteState::default();
        state.apply("a", MuteCommand::Unmute, at(200));
        state.apply("a", MuteCommand::Mute, at(100));
        assert!(state.mode_for_turn_launch("a", None, at(300), false));
        assert_eq!(
            MuteState::parse(&serde_json::to_vec(&state).unwrap()),
            state
        );
    }

    #[test]
    fn what_cannot_be_read_means_metadata_only() {
        let check = |bytes: &[u8], writable: bool| {
            let mut state = MuteState::parse(bytes);
            assert!(
                state.mode_for_turn_launch("a", None, at(5), false),
                "{bytes:?}"
            );
            assert!(state.is_lost());
            assert_eq!(state.is_writable(), writable);
            state.apply("a", MuteCommand::Unmute, at(6));
            let again = MuteState::parse(&serde_json::to_vec(&state).unwrap());
            assert_eq!(
                again.mode_for_turn_launch("a", None, at(7), false),
                !writable
            );
            assert!(
                again.mode_for_turn_launch("b", None, at(7), false),
                "lost stays lost"
            );
        };
        check(b"", true);
        check(b"\0\xff", true);
        check(b"{}", true);
        check(b"[]", true);
        check(b"{\"version\":0}", true);
        check(b"{\"version\":1,\"threads\":{\"a\":[]}}", true);
        check(b"{\"version\":1,\"threads\":{\"a\":7}}", true);
        check(b"{\"version\":2,\"threads\":{}}", false);
        let fine = MuteState::parse(b"{\"version\":1,\"threads\":{}}");
        assert_eq!(fine, MuteState::default());
    }
}
