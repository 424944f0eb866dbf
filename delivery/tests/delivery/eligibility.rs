//! The rule of which turns are delivered, as a table.

use std::collections::BTreeSet;
use std::sync::Arc;

use codex_tracing_delivery::{Eligibility, Evidence, Ground, JournalEntry, Mode};
use codex_tracing_transcript::{Assembler, Turn, Verbatim};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
}

/// A turn `t` from second 100 to second 200, spawned by turn `p` of its parent thread.
fn turn() -> Turn {
    let mut assembler = Assembler::new(Arc::new(Verbatim));
    let lines = [
        (
            100,
            "task_started",
            json!({"turn_id": "t", "turn_attribution":
            {"turn_id": "t", "turn_trigger": null, "parent_turn_id": "p", "root_turn_id": "p"}}),
        ),
        (
            200,
            "task_complete",
            json!({"turn_id": "t", "last_agent_message": "Done."}),
        ),
    ];
    for (offset, (second, kind, mut payload)) in lines.into_iter().enumerate() {
        payload["type"] = kind.into();
        let line =
            json!({"timestamp": at(second).to_string(), "type": "event_msg", "payload": payload});
        assembler.push(offset as u64 * 1000, line.to_string().as_bytes());
    }
    let turn = assembler.take_turns().remove(0);
    assert_eq!(turn.parent_turn_id.as_deref(), Some("p"));
    turn
}

/// An event at a second, naming a turn, with a mode.
type Event = (&'static str, i64, Option<&'static str>, Option<Mode>);

fn evidence(events: &[Event]) -> Evidence {
    let mut evidence = Evidence::new("s");
    for (event, second, turn_id, mode) in events {
        let mut entry = JournalEntry::new(*event, "s", at(*second));
        entry.turn_id = turn_id.map(ToOwned::to_owned);
        entry.mode = *mode;
        evidence.absorb(&entry);
    }
    evidence
}

fn judge(events: &[Event], inherited: Option<Eligibility>) -> Eligibility {
    let evidence = evidence(events);
    let ground = Ground {
        evidence: &evidence,
        sent_before: &BTreeSet::new(),
        missing_mode: Mode::Full,
    };
    ground.judge(&turn(), inherited)
}

const FULL: Eligibility = Eligibility::Deliver(Mode::Full);
const BARE: Eligibility = Eligibility::Deliver(Mode::Metadata);
const F: Option<Mode> = Some(Mode::Full);
const M: Option<Mode> = Some(Mode::Metadata);

#[test]
fn a_root_turn_is_delivered_if_the_journal_names_it_or_saw_it_run() {
    let check = |events: &[Event], expected| {
        assert_eq!(judge(events, None), expected, "{events:?}");
    };
    check(&[], Eligibility::Backlog);
    check(&[("Stop", 150, Some("t"), None)], FULL);
    // Named, at whatever time: clocks may differ.
    check(&[("Stop", 900, Some("t"), None)], FULL);
    check(&[("SessionStart", 150, None, None)], FULL);
    check(&[("SessionStart", 100, None, None)], FULL);
    check(&[("SessionEnd", 201, None, None)], Eligibility::Backlog);
    check(&[("SessionEnd", 99, None, None)], Eligibility::Backlog);
    check(&[("Stop", 90, Some("other"), None)], Eligibility::Backlog);
}

#[test]
fn the_mode_is_that_of_the_launch_and_never_raised() {
    let check = |events: &[Event], expected| {
        assert_eq!(judge(events, None), expected, "{events:?}");
    };
    check(&[("UserPromptSubmit", 101, Some("t"), M)], BARE);
    check(
        &[
            ("UserPromptSubmit", 101, Some("t"), M),
            ("Stop", 199, Some("t"), F),
        ],
        BARE,
    );
    check(
        &[
            ("UserPromptSubmit", 101, Some("t"), F),
            ("Stop", 199, Some("t"), M),
        ],
        FULL,
    );
    // A steering prompt within a turn may lower it.
    check(
        &[
            ("UserPromptSubmit", 101, Some("t"), F),
            ("UserPromptSubmit", 150, Some("t"), M),
        ],
        BARE,
    );
    // Unnamed: the first event within, else the last one before.
    check(&[("SessionStart", 150, None, M)], BARE);
    check(
        &[
            ("UserPromptSubmit", 50, Some("x"), M),
            ("PreCompact", 150, None, None),
        ],
        BARE,
    );
}

#[test]
fn a_child_turn_inherits_and_the_stricter_mode_wins() {
    let check = |events: &[Event], inherited, expected| {
        assert_eq!(
            judge(events, Some(inherited)),
            expected,
            "{events:?} {inherited:?}"
        );
    };
    check(&[], FULL, FULL);
    check(&[], BARE, BARE);
    check(&[], Eligibility::Backlog, Eligibility::Backlog);
    check(&[], Eligibility::SentBefore, Eligibility::SentBefore);
    check(&[("UserPromptSubmit", 101, Some("t"), M)], FULL, BARE);
    check(&[("UserPromptSubmit", 101, Some("t"), F)], BARE, BARE);
    // A follow-up task of a later turn: that turn's mode, and it makes an old child deliverable.
    check(&[("UserPromptSubmit", 99, Some("p"), M)], FULL, BARE);
    check(
        &[("UserPromptSubmit", 99, Some("p"), F)],
        Eligibility::Backlog,
        FULL,
    );
}

#[test]
fn a_turn_in_the_old_products_list_is_not_sent_again() {
    let evidence = evidence(&[("Stop", 150, Some("t"), F)]);
    let ground = Ground {
        evidence: &evidence,
        sent_before: &BTreeSet::from(["t".to_owned()]),
        missing_mode: Mode::Full,
    };
    assert_eq!(ground.judge(&turn(), None), Eligibility::SentBefore);
    assert_eq!(ground.judge(&turn(), Some(FULL)), Eligibility::SentBefore);
}

#[test]
fn without_a_word_on_the_mode_the_mute_file_decides() {
    let evidence = evidence(&[("Stop", 150, Some("t"), None)]);
    let ground = Ground {
        evidence: &evidence,
        sent_before: &BTreeSet::new(),
        missing_mode: Mode::Metadata,
    };
    assert_eq!(ground.judge(&turn(), None), BARE);
    assert_eq!(ground.judge(&turn(), Some(FULL)), BARE);
}

#[test]
fn what_was_recorded_between_a_muted_and_an_unmuted_prompt_was_muted() {
    let mut evidence = Evidence::new("s");
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    for (time, mode) in [
        ("2026-11-20T10:00:00.1Z", Some(Mode::Full)),
        ("2026-11-20T10:00:10.0005Z", Some(Mode::Metadata)),
        ("2026-11-20T10:00:15Z", None),
        ("2026-11-20T10:00:20Z", Some(Mode::Full)),
    ] {
        let mut entry = JournalEntry::new("UserPromptSubmit", "s", at(time));
        entry.mode = mode;
        evidence.absorb(&entry);
    }
    assert!(evidence.has_muted());
    for (time, muted) in [
        ("2026-11-20T09:59:59Z", false),
        ("2026-11-20T10:00:09.999Z", false),
        // A record's time is cut to milliseconds.
        ("2026-11-20T10:00:10.000Z", true),
        ("2026-11-20T10:00:19.999Z", true),
        ("2026-11-20T10:00:20.001Z", false),
    ] {
        assert_eq!(evidence.was_muted(at(time)), muted, "{time}");
    }
}

#[test]
fn the_first_turn_is_that_of_the_first_prompt_that_was_no_command_to_us() {
    let mut evidence = Evidence::new("s");
    let mut prompt = |event: &str, turn: &str, command: bool, agent: Option<&str>| {
        let mut entry = JournalEntry::new(event, "s", at(1));
        entry.turn_id = Some(turn.to_owned());
        entry.agent_id = agent.map(ToOwned::to_owned);
        entry.command = command;
        evidence.absorb(&entry);
        evidence.facts().first_turn_id.clone()
    };
    assert_eq!(prompt("UserPromptSubmit", "mute", true, None), None);
    assert_eq!(prompt("SubagentStart", "child", false, Some("a")), None);
    let first = Some("first".to_owned());
    assert_eq!(prompt("UserPromptSubmit", "first", false, None), first);
    assert_eq!(prompt("UserPromptSubmit", "second", false, None), first);
}

#[test]
fn a_command_to_another_product_is_the_first_turn_only_where_it_went_on() {
    for (event, went_on) in [("Stop", true), ("Interrupt", true), ("SessionEnd", false)] {
        let mut evidence = Evidence::new("s");
        let mut absorb = |event: &str, turn: Option<&str>, others_command: bool| {
            let mut entry = JournalEntry::new(event, "s", at(1));
            entry.turn_id = turn.map(ToOwned::to_owned);
            entry.others_command = others_command;
            evidence.absorb(&entry);
        };
        absorb("UserPromptSubmit", Some("theirs"), true);
        absorb(event, went_on.then_some("theirs"), false);
        absorb("UserPromptSubmit", Some("ours"), false);
        let first = if went_on { "theirs" } else { "ours" };
        assert_eq!(evidence.facts().first_turn_id.as_deref(), Some(first));
    }
}
