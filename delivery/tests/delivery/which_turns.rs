//! Which turns are delivered, and how much of them.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use codex_tracing_delivery::{Cursor, JournalEntry, Left, Mode, SessionDir, append_journal};
use codex_tracing_transcript::Scrub;
use serde_json::Value;

use crate::desk::{CHILD, Desk, ROOT, work};

#[tokio::test(start_paused = true)]
async fn turns_from_before_tracing_was_on_are_left_alone() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1").end("t1", "Old.");
    rollout.begin("t2").end("t2", "Old too.");
    rollout.begin("t3");
    desk.hook("UserPromptSubmit", Some("t3"));
    rollout.end("t3", "New.");
    desk.work().await;
    desk.check(&[("t3", "completed")]);
    let cursor = Cursor::look(&desk.session, "main").unwrap();
    assert_eq!((cursor.delivered, cursor.left_alone), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_no_event_names_counts_if_an_event_fell_into_it() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("SessionStart", None);
    rollout.end("t1", "Reviewed.");
    desk.hook("SessionEnd", None);
    rollout.begin("t2").end("t2", "Nobody looked.");
    desk.work().await;
    desk.check(&[("t1", "completed")]);
}

#[tokio::test(start_paused = true)]
async fn the_children_of_a_turn_share_its_fate() {
    let desk = Desk::new();
    let root = desk.rollout(ROOT);
    root.begin("t1").spawn("call-1", CHILD).end("t1", "Old.");
    let child = desk.rollout(CHILD);
    child.begin("c1").end("c1", "Old.");
    root.begin("t2");
    desk.hook("UserPromptSubmit", Some("t2"));
    root.end("t2", "New.");
    desk.work().await;
    desk.check(&[("t2", "completed")]);
}

#[tokio::test(start_paused = true)]
async fn a_muted_turn_is_metadata_only_and_so_are_its_children() {
    let desk = Desk::new();
    let root = desk.rollout(ROOT);
    root.begin("t1");
    let mut entry = desk.entry("UserPromptSubmit", Some("t1"));
    entry.mode = Some(Mode::Metadata);
    append_journal(&desk.session, &entry).unwrap();
    root.spawn("call-1", CHILD);
    desk.rollout(CHILD).begin("c1").end("c1", "Secret.");
    // Unmuted while the turn runs: that counts from the next turn on.
    desk.hook("Stop", Some("t1"));
    root.end("t1", "Secret.").begin("t2");
    desk.hook("UserPromptSubmit", Some("t2"));
    root.end("t2", "Open.");
    desk.work().await;
    for (thread, turn, muted) in [(ROOT, "t1", true), (CHILD, "c1", true), (ROOT, "t2", false)] {
        assert_eq!(desk.turn(thread, turn)["muted"], muted, "{turn}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_subagent_that_is_given_the_conversation_repeats_nothing_that_was_said_while_muted() {
    const MUTED: &str = "01a1f880-0000-7000-8000-00000000000a";
    const OPEN: &str = "01a1f884-0000-7000-8000-00000000000b";
    const OWN: &str = "01a1f886-0000-7000-8000-00000000000c";
    for (mode, expected) in [(Mode::Metadata, 2), (Mode::Full, 0)] {
        let desk = Desk::new();
        let root = desk.rollout(ROOT);
        root.begin(MUTED);
        let mut entry = desk.entry("UserPromptSubmit", Some(MUTED));
        entry.mode = Some(mode);
        append_journal(&desk.session, &entry).unwrap();
        root.say("Secret.").end(MUTED, "Secret.").begin(OPEN);
        desk.hook("UserPromptSubmit", Some(OPEN));
        root.spawn("call-1", CHILD);
        let child = desk.informed_child(CHILD);
        child.begin(MUTED).say("Secret.").end(MUTED, "Secret.");
        child.begin(OWN).say("Open.").end(OWN, "Open.");
        root.end(OPEN, "Open.");
        desk.work().await;
        let call = desk.item(&format!("{CHILD}/{OWN}/call/0"));
        assert_eq!(call["hidden"], expected, "prompt and answer: {call}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_compaction_repeats_nothing_that_was_said_while_muted() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    let mut entry = desk.entry("UserPromptSubmit", Some("t1"));
    entry.mode = Some(Mode::Metadata);
    append_journal(&desk.session, &entry).unwrap();
    rollout.say("Secret.").end("t1", "Secret.").begin("t2");
    desk.hook("UserPromptSubmit", Some("t2"));
    rollout
        .compact(&["Do it."], "In short.")
        .say("Open.")
        .end("t2", "Open.");
    desk.work().await;
    let compaction = desk.item(&format!("{ROOT}/t2/compaction/0"));
    assert_eq!(compaction["hidden_before"], 2, "prompt and answer");
    assert_eq!(compaction["after"], compaction["hidden_after"]);
    assert_eq!(compaction["after"], 2);
    assert_eq!(compaction["summary"], "In short.");
    let call = desk.item(&format!("{ROOT}/t2/call/0"));
    assert_eq!(call["hidden"], 2, "the same, repeated to the model");
}

#[tokio::test(start_paused = true)]
async fn a_fork_shows_nothing_of_a_conversation_that_was_muted_where_it_was_forked_from() {
    const ORIGIN: &str = "01a1f880-0000-7000-8000-000000000009";
    const OLD: &str = "01a1f880-0000-7000-8000-00000000000a";
    const NEW: &str = "01a1f886-0000-7000-8000-00000000000b";
    // The journal there; nobody muted; the journal is gone, but prompts have muted somebody.
    for (journal, mutes, shown) in [
        (Some(Mode::Metadata), false, false),
        (Some(Mode::Full), false, true),
        (None, false, true),
        (None, true, false),
    ] {
        let desk = Desk::new();
        if let Some(mode) = journal {
            let mut muted = desk.entry("UserPromptSubmit", Some(OLD));
            muted.session_id = ORIGIN.to_owned();
            muted.mode = Some(mode);
            append_journal(&desk.state.session(ORIGIN).unwrap(), &muted).unwrap();
        }
        if mutes {
            std::fs::create_dir_all(desk.state.root()).unwrap();
            desk.state.keep_mutes(br#"{"version":1}"#).unwrap();
        }
        let fork = desk.forked(ROOT, ORIGIN);
        fork.begin(OLD).say("Secret.").end(OLD, "Secret.");
        fork.begin(NEW);
        desk.hook("UserPromptSubmit", Some(NEW));
        fork.say("Open.").end(NEW, "Open.");
        desk.work().await;
        let hidden = desk.item(&format!("{ROOT}/{NEW}/call/0"))["hidden"].clone();
        let expected = if shown { 0 } else { 3 };
        assert_eq!(hidden, expected, "{journal:?}, {mutes}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollout_outside_codexs_folders_is_not_read() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1").end("t1", "Foreign.");
    let outside = desk.codex_home().join(format!("rollout-{ROOT}.jsonl"));
    std::fs::rename(&rollout.path, &outside).unwrap();
    let mut entry = desk.entry("Stop", Some("t1"));
    entry.transcript_path = Some(outside);
    append_journal(&desk.session, &entry).unwrap();
    desk.work().await;
    desk.check(&[]);
}

#[tokio::test(start_paused = true)]
async fn a_prompt_that_was_a_command_to_us_makes_no_turn() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.open("t1");
    desk.hook("SessionStart", None);
    let mut entry = desk.entry("UserPromptSubmit", Some("t1"));
    entry.command = true;
    append_journal(&desk.session, &entry).unwrap();
    rollout.end("t1", "").begin("t2");
    desk.hook("UserPromptSubmit", Some("t2"));
    rollout.end("t2", "Answered.");
    desk.work().await;
    desk.check(&[("t2", "completed")]);
}

#[tokio::test(start_paused = true)]
async fn a_turn_into_which_a_command_was_typed_is_delivered_as_it_began() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    let mut entry = desk.entry("UserPromptSubmit", Some("t1"));
    entry.command = true;
    append_journal(&desk.session, &entry).unwrap();
    rollout.end("t1", "Answered.");
    desk.work().await;
    desk.check(&[("t1", "completed")]);
    assert_eq!(desk.turn(ROOT, "t1")["answer"], "Answered.");
}

#[tokio::test(start_paused = true)]
async fn a_command_to_another_product_makes_no_turn_where_nothing_came_of_it() {
    for live in [false, true] {
        let desk = Desk::with(&["main"], live);
        let rollout = desk.rollout(ROOT);
        let others = |turn: &str| {
            let mut entry = desk.entry("UserPromptSubmit", Some(turn));
            entry.others_command = true;
            append_journal(&desk.session, &entry).unwrap();
        };
        desk.hook("SessionStart", None);
        let codex = async {
            // Answered, killed before that was recorded, and passed on since nobody is there to answer.
            rollout.open("answered");
            others("answered");
            tokio::time::sleep(Duration::from_secs(1)).await;
            rollout.end("answered", "");
            others("passed on");
            rollout.begin("passed on").say("What do you mean?");
            tokio::time::sleep(Duration::from_secs(10)).await;
            rollout.end("passed on", "What do you mean?");
            rollout.open("killed");
            others("killed");
            desk.hook_of_the_dead("SessionEnd", None);
        };
        tokio::join!(desk.work(), codex);
        desk.check(&[("passed on", "completed")]);
        let cursor = Cursor::look(&desk.session, "main").unwrap();
        assert_eq!((cursor.delivered, cursor.left_alone), (1, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_turn_is_not_shown_before_its_hooks_could_say_that_it_is_none() {
    let desk = Desk::with(&["main"], true);
    let rollout = desk.rollout(ROOT);
    rollout.open("t1");
    desk.hook("SessionStart", None);
    let worker = desk.work();
    let user = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        desk.check(&[]);
        let mut entry = desk.entry("UserPromptSubmit", Some("t1"));
        entry.command = true;
        append_journal(&desk.session, &entry).unwrap();
        rollout.end("t1", "").begin("t2");
        desk.hook("UserPromptSubmit", Some("t2"));
        tokio::time::sleep(Duration::from_secs(2)).await;
        desk.check(&[("t2", "running")]);
        rollout.end("t2", "Answered.");
    };
    tokio::join!(worker, user);
    desk.check(&[("t2", "completed")]);
}

#[tokio::test(start_paused = true)]
async fn turns_that_the_replaced_product_has_sent_are_not_sent_again_nor_their_children() {
    let desk = Desk::new();
    let root = desk.rollout(ROOT);
    root.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    root.spawn("call-1", CHILD).end("t1", "Sent before.");
    desk.rollout(CHILD).begin("c1").end("c1", "Sent before.");
    root.begin("t2");
    desk.hook("UserPromptSubmit", Some("t2"));
    root.end("t2", "New.");
    let sidecar = format!("{}.memory", root.path.display());
    std::fs::write(sidecar, "t1\nunheard-of\n").unwrap();
    desk.work().await;
    desk.check(&[("t2", "completed")]);
}

/// Lets a hook run at the moment when the rollout is being read.
struct HookWhileReading {
    session: SessionDir,
    entry: Mutex<Option<JournalEntry>>,
}

impl Scrub for HookWhileReading {
    fn text(&self, text: Cow<'_, str>) -> String {
        if text == "Quick."
            && let Some(entry) = self.entry.lock().unwrap().take()
        {
            append_journal(&self.session, &entry).unwrap();
        }
        text.into_owned()
    }

    fn json(&self, _: &mut Value) {}

    fn image(&self, url: Cow<'_, str>) -> String {
        url.into_owned()
    }
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_begins_and_ends_between_two_looks_at_the_journal_is_not_taken_for_an_old_one()
{
    let desk = Desk::new();
    let root = desk.rollout(ROOT);
    root.begin("t0");
    desk.hook("UserPromptSubmit", Some("t0"));
    root.end("t0", "Done.").begin("t1");
    let entry = desk.entry("UserPromptSubmit", Some("t1"));
    root.say("Quick.").end("t1", "Quick.");
    let mut course = desk.course();
    course.scrub = Arc::new(HookWhileReading {
        session: desk.session.clone(),
        entry: Mutex::new(Some(entry)),
    });
    let worker = work(desk.options_with(course), std::future::pending());
    assert_eq!(worker.await, Left::Finished);
    desk.check(&[("t0", "completed"), ("t1", "completed")]);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_archived_meanwhile_is_found_by_its_id() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    let mut entry = desk.hook("UserPromptSubmit", Some("t1"));
    rollout.end("t1", "One.");
    desk.work().await;
    rollout.begin("t2");
    entry.at = desk.tick();
    entry.turn_id = Some("t2".to_owned());
    entry.transcript_path = Some(rollout.path.clone());
    append_journal(&desk.session, &entry).unwrap();
    rollout.end("t2", "Two.");
    let archive = desk.codex_home().join("archived_sessions");
    std::fs::create_dir_all(&archive).unwrap();
    let name = rollout.path.file_name().unwrap();
    std::fs::rename(&rollout.path, archive.join(name)).unwrap();
    desk.work().await;
    desk.check(&[("t1", "completed"), ("t2", "completed")]);
    assert!(desk.store().borrow().arrivals.values().all(|n| *n == 1));
}

#[tokio::test(start_paused = true)]
async fn a_rollout_rewritten_in_place_gives_each_turn_once_more_at_most_and_loses_none() {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    for turn in ["t1", "t2"] {
        rollout.begin(turn);
        desk.hook("UserPromptSubmit", Some(turn));
        rollout.say("Hm.").end(turn, "Done.");
    }
    desk.work().await;
    // As `codex migrate-rollouts` does: every line longer, the first one too.
    let text = std::fs::read_to_string(&rollout.path).unwrap();
    let mut rewritten = String::new();
    for (ordinal, line) in text.lines().enumerate() {
        writeln!(rewritten, "{{\"ordinal\":{ordinal},{}", &line[1..]).unwrap();
    }
    std::fs::write(&rollout.path, rewritten).unwrap();
    rollout.begin("t3");
    desk.hook("UserPromptSubmit", Some("t3"));
    rollout.end("t3", "Done.");
    desk.work().await;
    let all = [
        ("t1", "completed"),
        ("t2", "completed"),
        ("t3", "completed"),
    ];
    desk.check(&all);
    assert!(desk.store().borrow().arrivals.values().all(|n| *n <= 2));
    assert_eq!(Cursor::look(&desk.session, "main").unwrap().delivered, 3);
}
