//! Subagents that go on after the turn that spawned them, and after the agent that spawned them, on
//! the real Codex: in its terminal interface, which is there for as long as they need, and in
//! `codex exec`, which is not.

use std::thread;

use codex_tracing_tests::{
    CodexHome, Collector, ENDED, PATIENCE, Product, Run, Scenario, Stage, assert_outline, skip,
    versions,
};
use serde_json::{Value, json};

use super::agents::{answer, behind, call, opening, says};
use super::braintrust;
use super::trace_text::{assert_same, told_below};
use super::traces::{arrived, assert_tree, spent};

/// A command that goes on until there is a file with this name.
fn until(file: &str) -> String {
    format!("until [ -e {file} ]; do sleep 0.1; done")
}

/// The file which says that the end of `agent` was seen.
fn seen(agent: &str) -> String {
    format!("seen-{agent}")
}

fn shell(command: &str) -> Value {
    let args = json!({"cmd": command, "yield_time_ms": 30000});
    json!([{"type": "function_call", "name": "exec_command", "args": args}])
}

/// The root spawns Alpha, which spawns Gamma. The root's first turn ends while both are at work;
/// Alpha ends within the second while Gamma is, and Gamma within the third. Both turns wait for a
/// file that the test makes once it has seen that end. For Codex tells of it to the thread above,
/// and a turn that asks the model for its last answer meanwhile would ask once more.
fn scenario() -> Scenario {
    let agents = |name: &str, args: &Value| json!([call(name, "?multi_agent_v1", args)]);
    let spawn = |message: &str| agents("spawn_agent", &json!({ "message": message }));
    let wait = json!({"targets": ["${a[0]}"], "timeout_ms": 120_000});
    let go = |agent: &str| opening(agent, shell(&until(&seen(agent))));
    let title = json!({"match": "Generate a concise", "any": true,
        "items": [{"type": "message", "text": "A title"}]});
    Scenario {
        tables: vec!["[agents]".to_owned(), "max_depth = 3".to_owned()],
        vars: json!({"a": r#"agent_id[\\": ]+([0-9a-f-]{36})"#}),
        run: serde_json::from_value(json!([{"tui": [
            {"text": "Root task: begin.", "until": "The root went first.", "ended": true},
            {"text": "Let Alpha go on.", "until": "Alpha has ended.", "ended": true},
            {"text": "Let Gamma go on.", "until": "All is seen.", "ended": true},
            {"text": "/quit", "until": ENDED},
        ]}]))
        .unwrap(),
        ..Scenario::answering(json!([
            title,
            answer("Gamma task", 500, shell("echo gamma")),
            answer("Gamma task", 510, behind("gamma", says("Gamma: at last."))),
            answer("Alpha task", 300, spawn("Gamma task: take your time.")),
            answer("Alpha task", 310, shell("echo alpha")),
            answer("Alpha task", 320, behind("alpha", says("Alpha: late."))),
            answer("Root task", 100, spawn("Alpha task: take your time.")),
            answer("Root task", 110, says("The root went first.")),
            answer("Root task", 120, go("alpha")),
            answer("Root task", 130, agents("wait_agent", &wait)),
            answer("Root task", 140, says("Alpha has ended.")),
            answer("Root task", 150, go("gamma")),
            answer("Root task", 160, says("All is seen.")),
        ]))
    }
}

/// Whether both backends have the end of the turns of so many agents, or of more.
fn have_ended(collector: &Collector, agents: usize) -> bool {
    let ended = |run: &&Run| run.is_agents_turn() && run.end_at().is_some();
    let rows = collector.rows();
    let below = braintrust::subagents(&rows);
    collector.runs().all().iter().filter(ended).count() >= agents
        && below.iter().filter(|row| row.end_at().is_some()).count() >= agents
}

/// Requests that carried something.
fn deliveries(stage: &Stage) -> usize {
    let requests = stage.collector.requests();
    let requests = requests.iter();
    requests
        .filter(|request| request.path.contains("/runs") || request.path == "/logs3")
        .count()
}

#[test]
fn agents_that_outlive_their_turns_nest_below_what_spawned_them_and_are_there_once_they_end() {
    if !CodexHome::can_tui() {
        skip("tmux is not installed");
        return;
    }
    for version in &versions() {
        let products = [Product::LangSmith, Product::Braintrust];
        let Some(stage) = Stage::set(version, scenario(), &products).unwrap() else {
            continue;
        };
        eprintln!("on {version}");
        thread::scope(|scope| {
            let codex = scope.spawn(|| stage.run().unwrap().remove(0).stdout);
            let ended = [(1, "alpha"), (2, "gamma")].map(|(agents, last)| {
                let ended = |collector: &Collector| have_ended(collector, agents);
                let ended = stage.collector.wait_until(PATIENCE, ended);
                // Codex goes on whatever was seen, or nobody would ever hear why not.
                std::fs::write(stage.home.app().join(seen(last)), "").unwrap();
                ended
            });
            let screen = codex.join().unwrap();
            assert_eq!(ended, [true; 2], "{screen}\n{}", stage.logs());
        });
        in_langsmith(&stage);
        in_braintrust(&stage);
        let before = deliveries(&stage);
        stage.flush().unwrap();
        assert_eq!(deliveries(&stage), before, "everything had arrived");
    }
}

fn in_langsmith(stage: &Stage) {
    let runs = arrived(stage, 3);
    assert_tree(
        &runs,
        "
        openai.codex (chain)
          openai.codex.turn (llm)
          spawn_agent (tool)
            openai.codex (chain)
              openai.codex.turn (llm)
              spawn_agent (tool)
                openai.codex (chain)
                  openai.codex.turn (llm)
                  exec_command (tool)
                  openai.codex.turn (llm)
              openai.codex.turn (llm)
              exec_command (tool)
              openai.codex.turn (llm)
          openai.codex.turn (llm)
        openai.codex (chain)
          openai.codex.turn (llm)
          exec_command (tool)
          openai.codex.turn (llm)
          wait_agent (tool)
          openai.codex.turn (llm)
        openai.codex (chain)
          openai.codex.turn (llm)
          exec_command (tool)
          openai.codex.turn (llm)",
    );
    let agents: Vec<&Run> = runs.all().iter().filter(|r| r.is_agents_turn()).collect();
    let [alpha, gamma] = agents[..] else {
        panic!("{} agents", agents.len());
    };
    assert_same(
        &told_below(&runs, gamma),
        r#"
        openai.codex chain · user "Gamma task: take your time." → "Gamma: at last."
          openai.codex.turn llm 500+10 stop=tool_calls · user "Gamma task: take your time." → exec_command(call)
          exec_command tool · {"cmd":"echo gamma","yield_time_ms":30000} → "gamma"
          openai.codex.turn llm 510+10 stop=stop · tool "gamma" → "Gamma: at last.""#,
    );
    let ends = [runs.roots()[0], alpha, gamma].map(|run| run.end_at().unwrap());
    assert!(ends.is_sorted(), "each outlives what spawned it: {ends:?}");
    assert_eq!(spent(&runs), stage.tokens_of_codex());
}

fn in_braintrust(stage: &Stage) {
    let rows = braintrust::arrived(stage, 5);
    assert_outline(
        &braintrust::outline(&rows),
        r#"
        codex: app (task) -> "All is seen."
          turn (task) "Root task: begin." -> "The root went first."
            gpt-5.5 (llm) -> spawn_agent
            spawn_agent (tool) {"message":"Alpha task: take your time."}
            gpt-5.5 (llm) -> "The root went first."
            subagent (task) "Alpha task: take your time." -> "Alpha: late."
              turn (task) "Alpha task: take your time." -> "Alpha: late."
                gpt-5.5 (llm) -> spawn_agent
                spawn_agent (tool) {"message":"Gamma task: take your time."}
                gpt-5.5 (llm) -> exec_command
                exec_command (tool) {"cmd":"echo alpha","yield_time_ms":30000}
                gpt-5.5 (llm) -> "Alpha: late."
                subagent (task) "Gamma task: take your time." -> "Gamma: at last."
                  turn (task) "Gamma task: take your time." -> "Gamma: at last."
                    gpt-5.5 (llm) -> exec_command
                    exec_command (tool) {"cmd":"echo gamma","yield_time_ms":30000}
                    gpt-5.5 (llm) -> "Gamma: at last."
          turn (task) "Let Alpha go on." -> "Alpha has ended."
            gpt-5.5 (llm) -> exec_command
            exec_command (tool) {"cmd":"until [ -e seen-alpha ]; do sleep 0.1; don…
            gpt-5.5 (llm) -> wait_agent
            wait_agent (tool) {"targets":["ID"],"timeout_ms":120000}
            gpt-5.5 (llm) -> "Alpha has ended."
          turn (task) "Let Gamma go on." -> "All is seen."
            gpt-5.5 (llm) -> exec_command
            exec_command (tool) {"cmd":"until [ -e seen-gamma ]; do sleep 0.1; don…
            gpt-5.5 (llm) -> "All is seen."
        "#,
    );
    let agents = braintrust::subagents(&rows);
    let [alpha, gamma] = agents[..] else {
        panic!("{} agents", agents.len());
    };
    let first = rows.get(alpha.parents()[0]).unwrap();
    let ends = [first, alpha, gamma].map(|row| row.end_at().unwrap());
    assert!(ends.is_sorted(), "each outlives what spawned it: {ends:?}");
}

/// The root spawns Alpha, and is done once Alpha is at work.
fn left_behind() -> Scenario {
    let args = json!({"message": "Alpha task: take your time."});
    let spawn = json!([call("spawn_agent", "?multi_agent_v1", &args)]);
    let begun = format!("touch begun; {}", until("never"));
    Scenario {
        run: serde_json::from_value(json!([{"exec": ["Root task: begin."]}])).unwrap(),
        ..Scenario::answering(json!([
            answer("Alpha task", 300, shell(&begun)),
            answer("Root task", 100, spawn),
            answer("Root task", 110, shell(&until("begun"))),
            answer("Root task", 120, says("The root went first.")),
        ]))
    }
}

#[test]
fn an_agent_that_the_end_of_codex_cuts_off_hangs_below_its_call_marked_as_such() {
    for version in &versions() {
        let products = [Product::LangSmith, Product::Braintrust];
        let Some(stage) = Stage::set(version, left_behind(), &products).unwrap() else {
            continue;
        };
        eprintln!("on {version}");
        let outputs = stage.run().unwrap();
        assert_eq!(outputs[0].code, Some(0), "{}", outputs[0].stderr);
        stage.wait_for("the agent's end in both", |collector| {
            let rows = collector.rows();
            let runs = collector.runs();
            let mut agents = runs.all().iter().filter(|run| run.is_agents_turn());
            agents.any(|run| run.end_at().is_some())
                && braintrust::subagents(&rows)
                    .iter()
                    .any(|row| row.end_at().is_some())
        });
        let runs = arrived(&stage, 1);
        assert_tree(
            &runs,
            "
            openai.codex (chain)
              openai.codex.turn (llm)
              spawn_agent (tool)
                openai.codex (chain) !
                  openai.codex.turn (llm)
                  exec_command (tool) !
              openai.codex.turn (llm)
              exec_command (tool)
              openai.codex.turn (llm)",
        );
        let rows = braintrust::arrived(&stage, 2);
        assert_outline(
            &braintrust::outline(&rows),
            r#"
            codex: app (task) -> "The root went first."
              turn (task) "Root task: begin." -> "The root went first."
                gpt-5.5 (llm) -> spawn_agent
                spawn_agent (tool) {"message":"Alpha task: take your time."}
                gpt-5.5 (llm) -> exec_command
                exec_command (tool) {"cmd":"until [ -e begun ]; do sleep 0.1; done","y…
                gpt-5.5 (llm) -> "The root went first."
                subagent (task) "Alpha task: take your time."
                  turn (task) "Alpha task: take your time." ! interrupted by the user
                    gpt-5.5 (llm) -> exec_command
                    exec_command (tool) {"cmd":"touch begun; until [ -e never ]; do sleep … ! aborted by the user
            "#,
        );
        let before = deliveries(&stage);
        stage.flush().unwrap();
        assert_eq!(deliveries(&stage), before, "everything had arrived");
    }
}
