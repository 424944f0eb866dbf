use std::path::{Path, PathBuf};
use std::sync::Arc;

use codex_tracing_transcript::{Content, Rollout, Verbatim, read_rollout};
use unicode_width::UnicodeWidthStr;

use super::*;

fn session(scenario: &str) -> Vec<Rollout> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/corpus")
        .join(scenario);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("rollout-"))
        })
        .collect();
    paths.sort();
    let read = |path: &PathBuf| read_rollout(path, Arc::new(Verbatim)).unwrap();
    paths.iter().map(read).collect()
}

fn plain(width: usize) -> Look {
    Look {
        width,
        color: false,
    }
}

#[test]
fn children_hang_below_the_call_that_spawned_them() {
    let text = render(&session("0.169.0/subagents-v2"), &[], plain(120));
    let lines: Vec<&str> = text.lines().collect();
    let spawn = lines
        .iter()
        .position(|line| line.contains("collaboration.spawn_agent"));
    let below = lines[spawn.unwrap() + 1];
    assert!(below.contains("└─ agent /root/alpha"), "{text}");
    assert!(text.contains("agent /root/beta/gamma"), "{text}");
    assert_eq!(text.matches("session 01a1f885").count(), 1, "{text}");
}

#[test]
fn nested_commands_hang_below_their_cell() {
    let text = render(&session("0.169.0/code-mode"), &[], plain(100));
    assert!(text.contains("   │  └─ exec_command"), "{text}");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for scenario in [
        "0.169.0/subagents",
        "0.140.0/failing-tool",
        "0.169.0/auto-compact",
    ] {
        for width in [20, 47, 80, 200] {
            for line in render(&session(scenario), &[], plain(width)).lines() {
                assert!(line.width() <= width, "{} > {width}: {line}", line.width());
            }
        }
    }
}

#[test]
fn colours_come_only_when_asked_for() {
    let session = session("0.169.0/failing-tool");
    assert!(!render(&session, &[], plain(80)).contains('\u{1b}'));
    let coloured = render(
        &session,
        &[],
        Look {
            width: 80,
            color: true,
        },
    );
    assert!(coloured.contains('\u{1b}'));
}

#[test]
fn what_others_wrote_cannot_steer_the_terminal() {
    let mut session = session("0.169.0/plain-answer");
    let hostile = "a\u{1b}]0;title\u{7}b\r\n\u{202e}c 汉字".to_owned();
    session[0].turns[0].prompt = vec![Content::Text(hostile)];
    let text = render(&session, &[], plain(80));
    assert!(text.contains("prompt a]0;titleb c 汉字"), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r']));
}

#[test]
fn a_muted_thread_is_told_to_be_so() {
    let session = session("0.169.0/plain-answer");
    let first = |muted: &[Vec<&str>]| {
        let text = render(&session, muted, plain(160));
        text.lines().next().unwrap().to_owned()
    };
    assert!(!first(&[vec![]]).contains("muted"));
    let both = first(&[vec!["langsmith", "braintrust"]]);
    assert!(
        both.contains("muted for langsmith and braintrust"),
        "{both}"
    );
}

#[test]
fn errors_are_told() {
    let text = render(&session("0.169.0/model-error"), &[], plain(100));
    assert!(text.contains("failed"), "{text}");
    assert!(
        text.contains("error We’re currently experiencing high demand"),
        "{text}"
    );
}
