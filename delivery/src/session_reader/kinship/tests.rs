use std::fs::{File, FileTimes};
use std::time::{Duration, SystemTime};

use codex_tracing_transcript::{Assembler, TurnKind, Verbatim};
use serde_json::json;

use super::*;
use crate::session_reader::{SessionReader, ThreadStart};

const ASKING: &str = "01a1f885-0000-7000-8000-000000000001";
const REVIEW: &str = "01a1f885-0100-7000-8000-000000000002";
const OTHER: &str = "01a1f885-0000-7000-8000-000000000003";

/// A day's folder with rollouts that hold a header and nothing else.
struct Day(tempfile::TempDir);

impl Day {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn rollout(&self, id: &str, cwd: Option<&str>, originator: &str, source: &serde_json::Value) {
        let path = self.path(id);
        std::fs::write(&path, format!("{}\n", meta(id, cwd, originator, source))).unwrap();
        // Grew a minute after its thread began.
        self.touch(id, began_at(id).unwrap(), 60);
    }

    fn touch(&self, id: &str, at: Timestamp, seconds: u64) {
        let at = SystemTime::from(at) + Duration::from_secs(seconds);
        let file = File::options().append(true).open(self.path(id)).unwrap();
        file.set_times(FileTimes::new().set_modified(at)).unwrap();
    }

    fn path(&self, id: &str) -> std::path::PathBuf {
        self.0.path().join(format!("rollout-x-{id}.jsonl"))
    }

    /// Asks for the working thread of the review that `ASKING` runs.
    fn reviews(&self) -> Vec<String> {
        self.reviews_by(&mut Headers::new(Arc::new(Verbatim)))
    }

    fn reviews_by(&self, headers: &mut Headers) -> Vec<String> {
        let scrub: Arc<dyn Scrub> = Arc::new(Verbatim);
        let path = self.path(ASKING);
        let asking = read_header(&path, &scrub);
        let turn = review_turn(began_at(ASKING).unwrap());
        let found = reviews(&turn, asking.as_ref(), Some(&path), headers);
        found.into_iter().map(|child| child.thread_id).collect()
    }
}

fn meta(id: &str, cwd: Option<&str>, originator: &str, source: &serde_json::Value) -> String {
    json!({"timestamp": began_at(id), "type": "session_meta", "payload": {"id": id,
        "timestamp": began_at(id), "cwd": cwd, "originator": originator, "cli_version": "0.128.0",
        "source": source}})
    .to_string()
}

/// A review that is still running.
fn review_turn(at: Timestamp) -> Turn {
    let mut assembler = Assembler::new(Arc::new(Verbatim));
    let event =
        |payload| json!({"timestamp": at, "type": "event_msg", "payload": payload}).to_string();
    for (offset, line) in [
        meta(ASKING, Some("/w"), "codex-tui", &json!("cli")),
        event(json!({"type": "task_started", "turn_id": "t1"})),
        event(json!({"type": "entered_review_mode", "target": {"type": "uncommittedChanges"}})),
    ]
    .iter()
    .enumerate()
    {
        assembler.push(offset as u64, line.as_bytes());
    }
    let turn = assembler.open_turn().unwrap();
    assert_eq!(turn.kind, TurnKind::Review);
    turn
}

fn review() -> serde_json::Value {
    json!({"subagent": "review"})
}

#[test]
fn an_unnamed_review_goes_to_the_only_session_that_can_have_asked_for_it() {
    let day = Day::new();
    day.rollout(ASKING, Some("/w"), "codex-tui", &json!("cli"));
    day.rollout(REVIEW, Some("/w"), "codex-tui", &review());
    assert_eq!(day.reviews(), [REVIEW]);
}

#[test]
fn an_unnamed_review_of_another_folder_or_program_is_left_alone() {
    for (cwd, originator) in [
        (Some("/v"), "codex-tui"),
        (Some("/w"), "codex_exec"),
        (None, "codex-tui"),
    ] {
        let day = Day::new();
        day.rollout(ASKING, Some("/w"), "codex-tui", &json!("cli"));
        day.rollout(REVIEW, cwd, originator, &review());
        assert!(day.reviews().is_empty(), "{cwd:?} {originator}");
    }
}

#[test]
fn an_unnamed_review_that_two_sessions_can_have_asked_for_goes_to_neither() {
    let day = Day::new();
    day.rollout(ASKING, Some("/w"), "codex-tui", &json!("cli"));
    day.rollout(REVIEW, Some("/w"), "codex-tui", &review());
    day.rollout(OTHER, Some("/w"), "codex-tui", &json!("cli"));
    assert!(day.reviews().is_empty());
    // It had gone quiet before the review began.
    day.touch(OTHER, began_at(OTHER).unwrap(), 0);
    assert_eq!(day.reviews(), [REVIEW]);
    day.rollout(OTHER, Some("/v"), "codex-tui", &json!("cli"));
    assert_eq!(day.reviews(), [REVIEW]);
}

#[test]
fn a_header_is_read_once_when_it_is_whole() {
    let day = Day::new();
    let mut headers = Headers::new(Arc::new(Verbatim));
    day.rollout(ASKING, Some("/w"), "codex-tui", &json!("cli"));
    std::fs::write(day.path(REVIEW), "{\"timestamp\"").unwrap();
    assert!(day.reviews_by(&mut headers).is_empty());
    day.rollout(REVIEW, Some("/w"), "codex-tui", &review());
    assert_eq!(day.reviews_by(&mut headers), [REVIEW]);
    std::fs::write(day.path(REVIEW), "unreadable\n").unwrap();
    assert_eq!(day.reviews_by(&mut headers), [REVIEW]);
}

#[test]
fn the_thread_of_a_review_is_not_looked_for_once_it_is_known() {
    let day = Day::new();
    day.rollout(ASKING, Some("/w"), "codex-tui", &json!("cli"));
    day.rollout(REVIEW, Some("/w"), "codex-tui", &review());
    let home = day.0.path().to_owned();
    let mut reader = SessionReader::new(home, Arc::new(Verbatim), ASKING.to_owned());
    reader.read_anywhere();
    let start = ThreadStart {
        path: Some(day.path(ASKING)),
        ..ThreadStart::default()
    };
    reader.add(ASKING, start, None);
    reader.poll();
    let turn = review_turn(began_at(ASKING).unwrap());
    let found = reader.children(&turn);
    assert_eq!(found[0].thread_id, REVIEW);
    let spawned = found[0].spawned.clone();
    reader.add(REVIEW, ThreadStart::default(), Some(spawned));
    assert_eq!(reader.children(&turn), []);
}

#[test]
fn no_instant_is_too_extreme_to_be_compared() {
    let ends = [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX];
    for begun in ends {
        for ended in ends.map(Some).into_iter().chain([None]) {
            for at in ends {
                let mut turn = review_turn(Timestamp::UNIX_EPOCH);
                turn.window.started_at = begun;
                turn.window.ended_at = ended;
                let expected = at >= begun && ended.is_none_or(|end| at <= end);
                assert_eq!(is_within(&turn, at), expected, "{begun} {ended:?} {at}");
            }
        }
    }
}
