//! Sessions that go on in another process.

use codex_tracing_tests::{PATIENCE, Product, Row, Scenario, Stage, assert_outline, versions};
use serde_json::{Value, json};

use super::super::upgrade::upgrade;
use super::outline::outline;
use super::{arrived, ended_turns, on_each, stage, tree, turns};

fn first(stage: &Stage, env: &[(&str, &str)]) {
    let output = stage.home.exec("First prompt.", env).unwrap();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
}

fn second(stage: &Stage, env: &[(&str, &str)]) {
    let session = stage.home.first_session().unwrap();
    let output = stage.home.exec_resume(&session, "Second prompt.", env);
    let output = output.unwrap();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
}

/// The session's span as it stands after its first turn.
fn after_first_turn(stage: &Stage) -> Row {
    stage.wait_for("the first turn", |collector| ended_turns(collector) == 1);
    stage.flush().unwrap();
    stage.collector.rows().roots()[0].clone()
}

/// That two turns hang under the root that the first made, whose end is now that of the second.
fn goes_on(stage: &Stage, before: &Row) {
    let rows = arrived(stage, 2);
    let root = rows.roots()[0];
    assert_eq!(root.id(), before.id());
    assert_eq!(root.start_at(), before.start_at());
    assert!(root.end_at() > before.end_at(), "{}", tree(&rows));
    assert_eq!(root.end_at(), turns(&rows)[1].end_at(), "{}", tree(&rows));
    assert_outline(
        &outline(&rows),
        r#"
        codex: app (task) -> "Second answer."
          turn (task) "First prompt." -> "First answer."
            gpt-5.5 (llm) -> exec_command
            exec_command (tool) {"cmd":"echo one"}
            gpt-5.5 (llm) -> "First answer."
          turn (task) "Second prompt." -> "Second answer."
            gpt-5.5 (llm) -> exec_command
            exec_command (tool) {"cmd":"echo two"}
            gpt-5.5 (llm) -> "Second answer."
        "#,
    );
}

#[test]
fn a_resumed_session_continues_the_same_root_whose_end_moves() {
    on_each("resume", |stage| {
        first(stage, &[]);
        let before = after_first_turn(stage);
        assert_eq!(before.fields["output"], json!("First answer."));
        second(stage, &[]);
        goes_on(stage, &before);
        for row in stage.collector.rows().all() {
            let once = row.parents().is_empty() || row.writes <= 4;
            assert!(once, "{} was written {} times", row.name(), row.writes);
        }
    });
}

#[test]
fn with_the_state_directory_gone_a_resumed_session_is_still_one_trace() {
    on_each("resume", |stage| {
        first(stage, &[]);
        let before = after_first_turn(stage);
        let home = stage.home.codex_home();
        assert!(!stage.own_files().is_empty());
        // A worker that is still there would write some of it again.
        stage.wait_for_workers_to_leave();
        for folder in [
            home.join("plugins").join("data"),
            home.join("codex-tracing"),
        ] {
            // A worker that has let go of its session may still write its last line.
            let is_gone = |_: &_| std::fs::remove_dir_all(&folder).is_ok() || !folder.exists();
            assert!(stage.collector.wait_until(PATIENCE, is_gone));
        }
        second(stage, &[]);
        goes_on(stage, &before);
    });
}

#[test]
fn hours_later_a_resumed_session_is_still_one_trace() {
    on_each("resume", |stage| {
        first(stage, &[]);
        let before = after_first_turn(stage);
        stage.wait_for_workers_to_leave();
        // Nothing of Codex's or ours was touched since.
        let aged = std::process::Command::new("find")
            .arg(stage.home.codex_home())
            .args(["-exec", "touch", "-h", "-d", "7 hours ago", "{}", "+"])
            .status();
        assert!(aged.unwrap().success());
        second(stage, &[]);
        goes_on(stage, &before);
    });
}

#[test]
fn after_an_upgrade_a_resumed_session_is_still_one_trace() {
    for version in versions() {
        let scenario = Scenario::recorded(&version, "resume").unwrap();
        let Some(mut stage) = stage(&version, scenario) else {
            continue;
        };
        first(&stage, &[]);
        let before = after_first_turn(&stage);
        stage.wait_for_workers_to_leave();
        let place = tempfile::TempDir::new().unwrap();
        stage.plugins = vec![upgrade(&stage, Product::Braintrust, place.path())];
        second(&stage, &[]);
        goes_on(&stage, &before);
    }
}

#[test]
fn the_settings_of_the_first_run_stay_in_force_but_the_key_is_that_of_now() {
    on_each("resume", |stage| {
        let key = "sk-0000000000000001";
        first(
            stage,
            &[("BRAINTRUST_PROJECT", "first"), ("BRAINTRUST_API_KEY", key)],
        );
        let before = after_first_turn(stage);
        stage.wait_for_workers_to_leave();
        let key = "sk-0000000000000002";
        second(
            stage,
            &[
                ("TRACE_TO_BRAINTRUST", "false"),
                ("BRAINTRUST_PROJECT", "second"),
                ("BRAINTRUST_API_KEY", key),
            ],
        );
        stage.wait_for("the second turn", |collector| ended_turns(collector) == 2);
        let rows = stage.collector.rows();
        let all = rows.all();
        assert_eq!(rows.of_project("first").all().len(), all.len());
        let rows = rows.of_key(key);
        let written: Vec<_> = all.iter().map(|row| (row.name(), &row.key)).collect();
        assert_eq!(turns(&rows).len(), 1, "{written:?}\n{}", stage.logs());
        assert_eq!(turns(&rows)[0].parents(), [before.id()]);
        assert_eq!(turns(&rows)[0].fields["input"], json!("Second prompt."));
    });
}

#[test]
fn a_turn_whose_codex_was_killed_is_one_trace_with_what_follows() {
    for version in versions() {
        let Some(stage) = stage(&version, super::live::waiting()) else {
            continue;
        };
        let running = stage.home.spawn_exec(&["Wait for me."], &[]).unwrap();
        stage.wait_for("a running tool", |collector| {
            !collector.rows().typed("tool").is_empty()
        });
        // `codex` may be a script around the real program, which is not to survive it.
        kill_all(running.id());
        std::fs::write(stage.home.app().join("go"), "").unwrap();
        drop(running);
        stage.wait_for("the turn's end", |collector| ended_turns(collector) == 1);
        second(&stage, &[]);
        stage.wait_for("the second turn", |collector| ended_turns(collector) == 2);
        stage.flush().unwrap();
        let rows = stage.collector.rows();
        rows.assert_sound();
        assert_eq!(rows.roots().len(), 1, "{}", tree(&rows));
        let turns = turns(&rows);
        assert!(turns[0].error().is_some(), "{}", tree(&rows));
        assert!(turns[1].error().is_none(), "{}", tree(&rows));
        let tool = rows.typed("tool")[0];
        assert!(tool.error().is_some(), "{}", tree(&rows));
    }
}

/// Kills a process and its children at once.
fn kill_all(process: u32) {
    let list = std::process::Command::new("ps")
        .args(["-o", "pid=", "--ppid", &process.to_string()])
        .output()
        .unwrap();
    let children = String::from_utf8(list.stdout).unwrap();
    let mut all = vec![process.to_string()];
    all.extend(children.split_whitespace().map(str::to_owned));
    std::process::Command::new("kill")
        .arg("-KILL")
        .args(all)
        .status()
        .unwrap();
}

#[test]
fn sessions_running_at_once_with_their_own_keys_and_projects_do_not_mix() {
    for version in versions() {
        let call = |name: &str| {
            json!([
                {"match": name, "times": 1, "items": [{"type": "function_call",
                    "name": "exec_command", "args": {"cmd": format!("sleep 0.5; echo {name}")}}]},
                {"match": name, "times": 1, "items": [{"type": "message",
                    "text": format!("Answer to {name}."), "phase": "final_answer"}]},
            ])
        };
        let names = ["alpha", "beta", "gamma"];
        let script: Vec<Value> = names
            .iter()
            .flat_map(|name| call(name).as_array().cloned().unwrap_or_default())
            .collect();
        let scenario = Scenario::answering(Value::Array(script));
        let Some(stage) = stage(&version, scenario) else {
            continue;
        };
        let key = |name: &str| format!("sk-of-{name}-0123456789");
        let running: Vec<_> = names
            .iter()
            .map(|name| {
                let (key, project) = (key(name), format!("project-{name}"));
                let env = [
                    ("BRAINTRUST_API_KEY", &*key),
                    ("BRAINTRUST_PROJECT", &*project),
                ];
                stage.home.spawn_exec(&[name], &env).unwrap()
            })
            .collect();
        for running in running {
            let output = running.wait(PATIENCE).unwrap();
            assert_eq!(output.code, Some(0), "{}", output.stderr);
        }
        stage.wait_for("three turns", |collector| ended_turns(collector) == 3);
        let all = stage.collector.rows();
        all.assert_sound();
        for name in names {
            let rows = all.of_key(&key(name));
            let project = all.of_project(&format!("project-{name}"));
            assert_eq!(rows.all().len(), 5, "{}", tree(&rows));
            assert_eq!(project.all().len(), 5, "{}", tree(&project));
            assert_eq!(project.of_key(&key(name)).all().len(), 5);
            let turn = turns(&rows)[0];
            assert_eq!(turn.fields["input"], json!(name));
            assert_eq!(turn.fields["output"], json!(format!("Answer to {name}.")));
        }
        assert_eq!(all.all().len(), 15);
        let foreign = |request: &codex_tracing_tests::Request| {
            request.path == "/logs3" && request.key.as_deref() == Some("sk-0123456789abcdef")
        };
        assert!(!stage.collector.requests().iter().any(foreign));
    }
}
