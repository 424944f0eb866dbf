//! A turn of the real Codex while LangSmith cannot be reached, and what arrives once it can.
#![cfg(test)]

use std::process::Command;

use codex_tracing_tests::{
    CodexCli, CodexHome, Collector, ModelServer, PATIENCE, Plugin, Runs, Scenario, bundles,
};
use serde_json::{Value, json};

/// Two commands, the second of which fails, and an answer.
fn two_tools() -> Scenario {
    let command = |cmd: &str| json!([{"type": "function_call", "name": "exec_command", "args": {"cmd": cmd}}]);
    Scenario::answering(json!([
        command("echo one"),
        command("exit 3"),
        [{"type": "message", "text": "One worked, one did not.", "phase": "final_answer"}],
    ]))
}

/// A sandbox with the LangSmith plugin, and everything it talks to.
struct Stage {
    collector: Collector,
    model: ModelServer,
    sandbox: CodexHome,
    plugin: Plugin,
}

fn stage(version: &str, collector: Collector) -> Option<Stage> {
    let cli = CodexCli::get(version).unwrap()?;
    let scenario = two_tools();
    let model = ModelServer::start(&scenario.script()).unwrap();
    let mut sandbox = CodexHome::new(&cli, &model, &scenario).unwrap();
    let bundle = bundles().unwrap().join("langsmith-codex-plugins");
    let plugin = sandbox.install_bundle(&bundle, "tracing").unwrap();
    for (name, value) in [
        ("TRACE_TO_LANGSMITH", "true"),
        ("LANGSMITH_CODEX_API_KEY", "test-key"),
        ("LANGSMITH_CODEX_ENDPOINT", &collector.url()),
        ("LANGSMITH_CODEX_PROJECT", "demo"),
    ] {
        sandbox.set_env(name, value);
    }
    Some(Stage {
        collector,
        model,
        sandbox,
        plugin,
    })
}

impl Stage {
    /// `codex-tracing flush`; whether nothing is left.
    fn flush(&self) -> bool {
        let cache = self.plugin.cache(&self.sandbox.codex_home());
        let mut flush = Command::new(cache.join("bin/codex-tracing"));
        flush.args(["flush", "--timeout", "3m"]);
        self.sandbox.run(flush, &[]).unwrap().code == Some(0)
    }
}

fn complete(collector: &Collector) -> bool {
    let runs = collector.runs();
    runs.all().len() >= 6 && runs.problems().is_empty()
}

fn assert_traced(runs: &Runs) {
    runs.assert_sound();
    let roots = runs.roots();
    assert_eq!(roots.len(), 1);
    let root = roots[0];
    assert_eq!((root.name(), root.run_type()), ("openai.codex", "chain"));
    assert_eq!(root.project(), "demo");
    let text = |field: &str| root.fields[field].to_string();
    assert!(
        text("inputs").contains("Do two things."),
        "{}",
        text("inputs")
    );
    assert!(
        text("outputs").contains("One worked, one did not."),
        "{}",
        text("outputs")
    );
    let models = runs.named("openai.codex.turn");
    assert_eq!(models.len(), 3);
    for (position, model) in models.iter().enumerate() {
        assert_eq!(model.run_type(), "llm");
        let tokens = model.usage().and_then(|usage| usage.get("input_tokens"));
        assert_eq!(tokens, Some(&Value::from(1000 + 100 * position)));
    }
    let tools = runs.typed("tool");
    let errors: Vec<_> = tools
        .iter()
        .map(|tool| (tool.name(), tool.error().is_some()))
        .collect();
    assert_eq!(errors, [("exec_command", false), ("exec_command", true)]);
    assert!(tools.iter().all(|tool| tool.usage().is_none()));
    assert_eq!(runs.all().len(), 6);
}

#[test]
fn a_turn_runs_without_its_endpoint_and_is_delivered_once_that_is_back() {
    let collector = Collector::start().unwrap();
    let Some(mut stage) = stage("0.169.0", collector) else {
        return;
    };
    let port = stage.collector.port();
    // Drops the running collector: from here on the connection is refused.
    stage.collector = Collector::start().unwrap();
    let output = stage.sandbox.exec("Do two things.", &[]).unwrap();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(stage.model.responses_asked(), 3);
    stage.collector = Collector::start_on(port).unwrap();
    let until = std::time::Instant::now() + PATIENCE;
    while !complete(&stage.collector) && std::time::Instant::now() < until {
        stage.flush();
    }
    assert_traced(&stage.collector.runs());
    assert!(stage.flush());
    let runs = stage.collector.runs();
    assert!(runs.repeated().is_empty(), "a flush sends nothing again");
}
