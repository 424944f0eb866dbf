//! Where LangSmith runs go: replicas, a caller's run, keys that come later.

use std::collections::BTreeMap;
use std::path::PathBuf;

use codex_tracing_tests::{
    Collector, Fault, PATIENCE, Run, Runs, Scenario, Stage, corpus, versions,
};
use serde_json::{Value, json};

use super::trace_text::{assert_same, assert_told, told_below};
use super::traces::{NEWEST, arrived, assert_whole, on_each, tree, with};

const DOWN: Fault = Fault::Status(503, None);

fn of(version: &str, name: &str) -> Scenario {
    Scenario::read(&corpus(version, name).join("scenario.json")).unwrap()
}

fn ended_roots(collector: &Collector) -> usize {
    let runs = collector.runs();
    let ended = |run: &&&Run| run.end_at().is_some();
    runs.roots().iter().filter(ended).count()
}

/// Run ids by what is the same in every replica.
fn ids(runs: &Runs) -> BTreeMap<String, String> {
    let place = |run: &Run| {
        let at = run.fields["start_time"].as_str().unwrap_or_default();
        format!("{at} {} {}", run.name(), run.run_type())
    };
    let ids = runs
        .all()
        .iter()
        .map(|run| (place(run), run.id().to_owned()));
    ids.collect()
}

fn replica(collector: &Collector, key: &str, project: &str) -> Value {
    json!({"apiUrl": collector.url(), "apiKey": key, "projectName": project})
}

#[test]
fn of_three_replicas_one_is_down_and_gets_everything_once_it_is_back() {
    for version in &versions() {
        let [same, staging, down] = [(); 3].map(|()| Collector::start().unwrap());
        down.inject("/", DOWN);
        let mut staged = replica(&staging, "key-of-staging", "staging");
        staged["updates"] = json!({"metadata": {"environment": "staging"}});
        let replicas = json!([
            replica(&same, "key-of-codex", "codex"),
            staged,
            replica(&down, "key-of-archive", "archive"),
        ]);
        with(version, of(version, "parallel-tools"), |stage| {
            let replicas = replicas.to_string();
            stage
                .home
                .set_env("LANGSMITH_CODEX_RUNS_ENDPOINTS", &replicas);
            stage.run().unwrap();
            for up in [&same, &staging] {
                let there = up.wait_until(PATIENCE, |up| ended_roots(up) == 1);
                assert!(
                    there,
                    "a replica that is up waits for none that is down\n{}",
                    stage.logs()
                );
            }
            assert!(down.runs().all().is_empty());
            down.heal();
            stage.flush().unwrap();
            assert!(
                stage.collector.requests().is_empty(),
                "replicas replace the primary"
            );
            for (replica, key, project) in [
                (&same, "key-of-codex", "codex"),
                (&staging, "key-of-staging", "staging"),
                (&down, "key-of-archive", "archive"),
            ] {
                let runs = replica.runs();
                assert_whole(&runs, 1);
                assert_told(
                    &runs,
                    r#"
                openai.codex chain · user "Look at everything at once." → "All seen."
                  openai.codex.turn llm 1000(400)+50(10) stop=tool_calls · user "Look at everything at once." → "Three looks at once." exec_command(call) exec_command(call) exec_command(call) apply_patch(call)
                  exec_command tool · {"cmd":"sleep 0.6; echo slow"} → "slow"
                  exec_command tool · {"cmd":"echo fast"} → "fast"
                  exec_command tool · {"cmd":"sleep 0.3; echo middle"} → "middle"
                  apply_patch tool · "*** Begin Patch\n*** Add File: notes.txt\n+first line\n+second line\n*** Update File: src/main.py\n@@\n-pr…" → "Success. Updated the following files:\nA notes.txt\nM src/main.py"
                  openai.codex.turn llm 1100(450)+51(10) stop=tool_calls · tool "Success. Updated the following files:\nA notes.txt\nM src/main.py" → exec_command(call) exec_command(call)
                  exec_command tool · {"cmd":"cat notes.txt"} → "first line\nsecond line"
                  exec_command tool · {"cmd":"git status --short"} → "M src/main.py\n?? notes.txt"
                  openai.codex.turn llm 1200(500)+52(10) stop=stop · tool "M src/main.py\n?? notes.txt" → "All seen.""#,
                );
                assert_eq!(runs.of_project(project).all().len(), runs.all().len());
                assert_eq!(runs.of_key(key).all().len(), runs.all().len());
                let environment = Value::from("staging");
                let environment = (project == "staging").then_some(&environment);
                let updated = |run: &Run| run.metadata("environment") == environment;
                assert!(runs.all().iter().all(updated), "{project}");
            }
            let [same, staging, archive] =
                [&same, &staging, &down].map(|replica| ids(&replica.runs()));
            assert!(same.keys().eq(staging.keys()) && same.keys().eq(archive.keys()));
            for (place, id) in &same {
                let others = [&staging[place], &archive[place]];
                assert!(
                    !others.contains(&id) && others[0] != others[1],
                    "ids of their own: {place}"
                );
                // The first 48 bits are the start: runs opened by id are found through them.
                assert!(
                    others.iter().all(|other| other.get(..13) == id.get(..13)),
                    "{place}"
                );
            }
        });
    }
}

#[test]
fn a_turn_nests_under_the_run_that_its_callers_headers_name() {
    let root = "019b7ca9-8f2e-7000-8000-000000000001";
    let caller = "019b7ca9-8f92-7000-8000-000000000002";
    let order = format!("20260102T030405678001Z{root}.20260102T030405778002Z{caller}");
    let headers = json!({
        "langsmith-trace": order,
        "baggage": "langsmith-metadata=%7B%22job%22%3A%22nightly%22%7D,langsmith-project=caller",
    });
    on_each("exec-tool", |stage| {
        let prompt = "Under a caller.";
        let headers = headers.to_string();
        let env = [("LANGSMITH_CODEX_PARENT_HEADERS", headers.as_str())];
        let output = stage.home.exec(prompt, &env).unwrap();
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        stage.wait_for("the turn under its caller", |collector| {
            let runs = collector.runs();
            runs.children(caller)
                .iter()
                .any(|run| run.end_at().is_some())
        });
        let runs = stage.collector.runs();
        let turn = runs.children(caller)[0];
        assert_eq!(turn.name(), "openai.codex");
        assert_eq!(turn.metadata("job"), Some(&json!("nightly")));
        assert!(runs.roots().is_empty(), "{}", tree(&runs));
        assert_same(
            &told_below(&runs, turn),
            r#"
        openai.codex chain · user "Under a caller." → "There is a README and a src folder."
          openai.codex.turn llm 1000(400)+50(10) stop=tool_calls · user "Under a caller." → reasoning "I will list the files." exec_command(call)
          exec_command tool · {"cmd":"ls && echo done"} → "README.md\nsrc\ndone"
          openai.codex.turn llm 1100(450)+51(10) stop=stop · tool "README.md\nsrc\ndone" → "There is a README and a src folder.""#,
        );
        for run in runs.all() {
            assert_eq!(run.fields["trace_id"], json!(root));
            assert_eq!(run.project(), "caller");
            let below = run.fields["dotted_order"].as_str().unwrap();
            assert!(below.starts_with(&format!("{order}.")), "{below}");
        }
        // Its caller's run is not ours to send; nothing else is wrong.
        let problems = runs.problems();
        let of_the_caller = |problem: &&String| !problem.contains(caller);
        let others: Vec<_> = problems.iter().filter(of_the_caller).collect();
        assert!(others.is_empty(), "{others:?}");
    });
}

fn turn_ids(rollout: &PathBuf) -> Vec<String> {
    let text = std::fs::read_to_string(rollout).unwrap();
    let started = text.lines().filter_map(|line| {
        let record: Value = serde_json::from_str(line).ok()?;
        let payload = record.get("payload")?;
        (payload.get("type")? == "task_started")
            .then(|| payload.get("turn_id")?.as_str().map(str::to_owned))?
    });
    started.collect()
}

/// A first turn that could not be sent for want of a key, then `between`, then a second with one.
fn with_a_key_from_the_second_turn_on(stage: &mut Stage, between: impl FnOnce(&Stage)) {
    let no_key = [("LANGSMITH_API_KEY", "")];
    let first = stage.home.exec("First.", &no_key).unwrap();
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    between(stage);
    let session = stage.home.first_session().unwrap();
    let second = stage.home.exec_resume(&session, "Second.", &[]).unwrap();
    assert_eq!(second.code, Some(0), "{}", second.stderr);
}

#[test]
fn a_key_that_comes_later_delivers_what_waited_for_it() {
    with(NEWEST, Scenario::default(), |stage| {
        with_a_key_from_the_second_turn_on(stage, |_| ());
        arrived(stage, 2);
    });
}

#[test]
fn turns_that_the_original_plugin_has_sent_are_not_sent_again() {
    with(NEWEST, Scenario::default(), |stage| {
        with_a_key_from_the_second_turn_on(stage, |stage| {
            let rollout = &stage.home.rollouts()[0];
            let mut sidecar = rollout.clone().into_os_string();
            sidecar.push(".langsmith");
            std::fs::write(sidecar, turn_ids(rollout).join("\n")).unwrap();
        });
        let runs = arrived(stage, 1);
        let prompt = runs.roots()[0].fields["inputs"].to_string();
        assert!(prompt.contains("Second."), "{prompt}");
    });
}
