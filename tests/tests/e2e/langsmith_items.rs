//! Every kind of thing a turn can hold, as LangSmith runs.

use codex_tracing_tests::{CodexVersion, Run, Runs, Scenario, Stage, corpus, versions};
use serde_json::{Value, json};

use super::traces::{NEWEST, arrived, assert_tree, on, on_each, total, tree, with};

fn tokens_add_up(stage: &Stage, runs: &Runs) {
    let tokens: u64 = runs.typed("llm").iter().map(|run| total(run)).sum();
    assert_eq!(tokens, stage.tokens_of_codex(), "{}", tree(runs));
}

fn text(value: Option<&Value>) -> String {
    value.map(Value::to_string).unwrap_or_default()
}

#[test]
fn a_patch_is_a_tool_run_with_what_it_changed() {
    on_each("apply-patch", |stage| {
        stage.run().unwrap();
        let runs = arrived(stage, 1);
        assert_tree(
            &runs,
            "
            openai.codex (chain)
              openai.codex.turn (llm)
              apply_patch (tool)
              openai.codex.turn (llm)
              exec_command (tool)
              openai.codex.turn (llm)",
        );
        let patch = runs.named("apply_patch")[0].clone();
        assert!(text(patch.fields.get("inputs")).contains("*** Add File: notes.txt"));
        assert!(text(patch.fields.get("outputs")).contains("notes.txt"));
        tokens_add_up(stage, &runs);
    });
}

#[test]
fn the_commands_of_a_script_hang_below_the_script() {
    on(NEWEST, "code-mode", |stage| {
        stage.run().unwrap();
        let runs = arrived(stage, 1);
        assert_tree(
            &runs,
            "
            openai.codex (chain)
              openai.codex.turn (llm)
              exec (tool)
                exec_command (tool)
                exec_command (tool)
              openai.codex.turn (llm)
              exec (tool)
                apply_patch (tool)
                exec_command (tool)
              openai.codex.turn (llm)
              exec (tool) !
                exec_command (tool) !
              openai.codex.turn (llm)
              exec (tool)
                exec_command (tool)
              openai.codex.turn (llm)
              wait (tool)
              openai.codex.turn (llm)",
        );
        tokens_add_up(stage, &runs);
    });
}

#[test]
fn a_review_is_one_trace_with_the_reviewers_work_below() {
    on_each("review", |stage| {
        stage.run().unwrap();
        let runs = arrived(stage, 1);
        let work = "
            openai.codex (chain)
              openai.codex.turn (llm)
              exec_command (tool)
              openai.codex.turn (llm)";
        let nested = "
            openai.codex (chain)
              openai.codex (chain)
                openai.codex.turn (llm)
                exec_command (tool)
                openai.codex.turn (llm)";
        let whole = stage.home.cli().version() < CodexVersion::minor(140);
        assert_tree(&runs, if whole { work } else { nested });
    });
}

#[test]
fn a_fork_is_a_session_of_its_own_that_repeats_nothing() {
    on(NEWEST, "fork", |stage| {
        stage.run().unwrap();
        let runs = arrived(stage, 2);
        assert_tree(
            &runs,
            "
            openai.codex (chain)
              openai.codex.turn (llm)
              exec_command (tool)
              openai.codex.turn (llm)
            openai.codex (chain)
              openai.codex.turn (llm)
              exec_command (tool)
              openai.codex.turn (llm)",
        );
        let roots = runs.roots();
        assert_ne!(
            roots[0].metadata("thread_id"),
            roots[1].metadata("thread_id")
        );
        assert!(text(roots[1].fields.get("inputs")).contains("Forked prompt."));
        // The totals of a fork's rollout begin where its parent's stood.
        let of = |runs: Vec<&Run>| -> u64 { runs.into_iter().map(total).sum() };
        let original = of(runs.children(roots[0].id()));
        let all = of(runs.typed("llm"));
        assert_eq!(all + original, stage.tokens_of_codex(), "{}", tree(&runs));
    });
}

#[test]
fn images_arrive_with_the_prompt_and_from_tools() {
    for version in &versions() {
        let file = corpus(version, "image-input").join("scenario.json");
        let mut scenario = Scenario::read(&file).unwrap();
        // The sandbox lies elsewhere than where this was recorded.
        let script = json!(scenario.model).to_string();
        let script = script.replace("/home/dev/app/other.png", "other.png");
        scenario.model = serde_json::from_str(&script).unwrap();
        with(version, scenario, |stage| {
            stage.run().unwrap();
            let runs = arrived(stage, 1);
            assert_tree(
                &runs,
                "
            openai.codex (chain)
              openai.codex.turn (llm)
              view_image (tool)
              openai.codex.turn (llm)",
            );
            let prompt = text(runs.roots()[0].fields.get("inputs"));
            assert!(prompt.contains("What is in the image?"), "{prompt}");
            let models = runs.typed("llm");
            let inputs: Vec<String> = models
                .iter()
                .map(|run| text(run.fields.get("inputs")))
                .collect();
            let images = |text: &String| text.matches("data:image/png;base64,").count();
            assert_eq!(inputs.iter().map(images).collect::<Vec<_>>(), [1, 2]);
        });
    }
}

#[test]
fn a_web_search_is_a_tool_run() {
    on_each("web-search", |stage| {
        stage.run().unwrap();
        let runs = arrived(stage, 1);
        assert_tree(
            &runs,
            "
            openai.codex (chain)
              openai.codex.turn (llm)
              web_search (tool)
              web_search (tool)",
        );
        tokens_add_up(stage, &runs);
    });
}
