//! Replaying a recorded session: what a hook sees is what Codex showed it.
#![cfg(test)]

use std::fs;
use std::path::Path;

use codex_tracing_tests::{Plugin, Replay, corpus, longest_and_median};

/// A bundle whose executable notes the event and how many lines the transcript has.
fn noting_bundle(at: &Path) {
    let put = |file: &str, text: &str| {
        let file = at.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    put(
        ".agents/plugins/marketplace.json",
        r#"{"name":"m","plugins":[{"name":"p"}]}"#,
    );
    put(
        "plugins/p/.codex-plugin/plugin.json",
        r#"{"name":"p","version":"1"}"#,
    );
    let handler = |event: &str| {
        format!(r#""{event}":[{{"hooks":[{{"command":"sh \"${{PLUGIN_ROOT}}/note\""}}]}}]"#)
    };
    let events = ["SessionStart", "Stop", "SubagentStart", "SessionEnd"].map(handler);
    put(
        "plugins/p/hooks/hooks.json",
        &format!("{{\"hooks\":{{{}}}}}", events.join(",")),
    );
    put(
        "plugins/p/note",
        r#"mkdir -p "$PLUGIN_DATA"
in=$(cat)
file=$(printf %s "$in" | sed 's/.*"transcript_path":"\([^"]*\)".*/\1/')
event=$(printf %s "$in" | sed 's/.*"hook_event_name":"\([^"]*\)".*/\1/')
echo "$event $(wc -l < "$file" | tr -d ' ') $(ls "$(dirname "$file")" | wc -l | tr -d ' ')" >> "$PLUGIN_DATA/notes"
"#,
    );
}

fn notes(scenario: &str) -> (String, usize) {
    let folder = tempfile::TempDir::new().unwrap();
    noting_bundle(folder.path());
    let mut replay = Replay::new(&corpus("0.169.0", scenario), folder.path(), "p").unwrap();
    let runs = replay.run().unwrap();
    assert!(
        runs.iter().all(|run| run.output.code == Some(0)),
        "{runs:?}"
    );
    assert!(longest_and_median(&runs).0 >= longest_and_median(&runs).1);
    let rollouts = walkdir::WalkDir::new(replay.codex_home().join("sessions"));
    let lines = rollouts
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| fs::read_to_string(entry.path()).unwrap().lines().count())
        .sum();
    let plugin = Plugin::read(folder.path(), "p").unwrap();
    assert_eq!(plugin.data(&replay.codex_home()), replay.plugin_data());
    (
        fs::read_to_string(replay.plugin_data().join("notes")).unwrap(),
        lines,
    )
}

#[test]
fn a_hook_sees_as_much_of_the_rollout_as_codex_had_written() {
    let (notes, lines) = notes("failing-tool");
    assert_eq!(notes, "SessionStart 7 1\nStop 39 1\nSessionEnd 40 1\n");
    let recorded = corpus("0.169.0", "failing-tool");
    let rollout = fs::read_dir(recorded)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            path.extension().is_some_and(|ext| ext == "jsonl") && !path.ends_with("hooks.jsonl")
        })
        .unwrap();
    assert_eq!(lines, fs::read_to_string(rollout).unwrap().lines().count());
}

#[test]
fn the_rollouts_of_subagents_appear_when_they_did() {
    let (notes, _) = notes("subagents");
    let expected = "SessionStart 7 1\nSubagentStart 7 2\nSubagentStart 7 3\nSubagentStart 7 4\nStop 45 4\nSessionEnd 46 4\n";
    assert_eq!(notes, expected);
}
