//! No key in any output, and no words that steer a terminal.

use serde_json::json;

use super::sandbox::{DATA, KEY, Recorded, SESSIONS, Sandbox, holds};

/// Made of parts, so that no scanner finds a secret in these sources.
fn planted(kind: &str) -> String {
    format!("{}{}{}", "lsv2", "_pt_", kind.repeat(32).get(..32).unwrap())
}

const STEERS: &str = "\u{1b}]0;stolen\u{7}\u{9b}31m";

#[test]
fn no_command_shows_a_key_or_steers_the_terminal() {
    let mut sandbox = Sandbox::new();
    let Recorded {
        session,
        turn,
        rollout,
    } = sandbox.recorded_in(SESSIONS);
    let in_file = planted("a1");
    let in_replica = planted("b2");
    let misplaced = planted("c3");
    let in_braintrust = format!("sk-{}", "d4".repeat(20));
    let in_conversation = planted("e5");
    let all = [
        KEY,
        &in_file,
        &in_replica,
        &misplaced,
        &in_braintrust,
        &in_conversation,
    ];
    let settings = json!({
        "enabled": true, "api_key": in_file, "project": "p", misplaced.as_str(): true,
        "metadata": {"oops": misplaced, misplaced.as_str(): 1, "steer": STEERS},
        "replicas": [
            {"api_url": sandbox.collector.url(), "api_key": in_replica, "project_name": STEERS},
            {"api_url": misplaced}, misplaced, {"api_key": format!("${{{misplaced}}}")},
            {"api_url": format!("https://r.example/{misplaced}")},
        ],
        "redact_extra_rules": [{"pattern": format!("\\b{misplaced}"), "replace": "mine"}],
        "workspace_id": misplaced, "images": misplaced, STEERS: 1,
    });
    sandbox.write(".codex/langsmith.json", &settings.to_string());
    sandbox.write(
        ".codex/braintrust.json",
        &json!({"apiKey": in_braintrust, "port": misplaced}).to_string(),
    );
    sandbox.write(
        "app/.codex/langsmith.json",
        &json!({"api_key": format!("${{{misplaced}}}")}).to_string(),
    );
    sandbox.write(
        "broken.json",
        &format!("{{\"api_key\": \"{in_file}\" \"{misplaced}"),
    );
    sandbox.set_env("LANGSMITH_CODEX_METADATA", &format!("not JSON {misplaced}"));
    sandbox.set_env("LANGSMITH_CODEX_REDACT", &misplaced);
    sandbox.set_env("TRACE_TO_BRAINTRUST", &misplaced);
    sandbox.set_env(
        "BRAINTRUST_API_URL",
        &format!("https://b.example/{misplaced}"),
    );
    sandbox.set_env(&format!("LANGSMITH_CODEX_API_KEY_{misplaced}"), "1");
    let text = std::fs::read_to_string(&rollout).unwrap();
    let planted_words = format!("fail {in_conversation} {STEERS} ");
    let words = serde_json::to_string(&planted_words).unwrap();
    let text = text.replace("fail", words.trim_matches('"'));
    assert!(text.contains(&in_conversation), "nothing was planted");
    std::fs::write(&rollout, text).unwrap();
    sandbox.turn(&session, &turn, rollout.to_str().unwrap());

    let path = rollout.to_str().unwrap();
    let broken = sandbox.path("broken.json");
    let broken = broken.to_str().unwrap();
    for command in commands(path, broken) {
        let output = sandbox.run(&command, b"{\"session_id\": 1");
        assert!(
            output.status.code().is_some_and(|code| code <= 2),
            "{command:?}: {output:?}"
        );
        for said in [&output.stdout, &output.stderr] {
            for key in all {
                let text = String::from_utf8_lossy(said);
                assert!(!holds(said, key), "{command:?} shows {key}:\n{text}");
            }
            let text = String::from_utf8_lossy(said);
            let steering = text.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(steering, None, "{command:?}:\n{text:?}");
        }
    }
    sandbox.settled();
    let data = sandbox.path(DATA);
    for (file, bytes) in sandbox.files() {
        for key in all.iter().filter(|_| file.starts_with(&data)) {
            assert!(!holds(&bytes, key), "{} holds {key}", file.display());
        }
    }
    let sent = sandbox.sent();
    assert!(
        !sandbox.collector.runs().all().is_empty(),
        "nothing was sent"
    );
    assert!(
        !sent.contains(&in_conversation),
        "a secret of the conversation was sent"
    );
}

/// Every command that says something.
fn commands<'a>(path: &'a str, broken: &'a str) -> Vec<Vec<&'a str>> {
    let all: [&[&'a str]; 19] = [
        &["flush", "--timeout", "3m"],
        &["status"],
        &["status", "--json"],
        &["doctor", "--offline"],
        &["doctor", "--offline", "--json"],
        &["config", "show"],
        &["config", "show", "--json"],
        &["config", "show", "--backend", "braintrust"],
        &["config", "schema", "langsmith"],
        &["config", "schema", "braintrust"],
        &["export", path, "--backend", "langsmith"],
        &["export", path, "--backend", "braintrust"],
        &[
            "export",
            path,
            "--backend",
            "langsmith",
            "--settings",
            broken,
        ],
        &["view", path],
        &["view", path, "--json"],
        &["replay", broken],
        &["view", STEERS],
        &["--nonsense"],
        &["hook", "nobody"],
    ];
    all.into_iter().map(<[&str]>::to_vec).collect()
}
