//! Every kind of thing a turn can hold, as LangSmith runs.

use codex_tracing_tests::{CodexVersion, Run, Scenario, corpus, versions};
use serde_json::{Value, json};

use super::trace_text::assert_told;
use super::traces::{NEWEST, arrived, assert_tree, on, on_each, spent, total, tree, with};

fn text(value: Option<&Value>) -> String {
    value.map(Value::to_string).unwrap_or_default()
}

#[test]
fn a_patch_is_a_tool_run_with_what_it_changed() {
    on_each("apply-patch", |stage| {
        stage.run().unwrap();
        let runs = arrived(stage, 1);
        assert_told(
            &runs,
            r#"
        openai.codex chain · user "Make the greeting friendlier." → "Done: it now says hello, world."
          openai.codex.turn llm 1000(400)+50(10) stop=tool_calls · user "Make the greeting friendlier." → reasoning apply_patch(call)
          apply_patch tool · "*** Begin Patch\n*** Add File: notes.txt\n+first line\n+second line\n*** Update File: src/main.py\n@@\n-pr…" → "Success. Updated the following files:\nA notes.txt\nM src/main.py"
          openai.codex.turn llm 1100(450)+51(10) stop=tool_calls · tool "Success. Updated the following files:\nA notes.txt\nM src/main.py" → exec_command(call)
          exec_command tool · {"cmd":"python3 src/main.py"} → "hello, world"
          openai.codex.turn llm 1200(500)+52(10) stop=stop · tool "hello, world" → "Done: it now says hello, world.""#,
        );
        let patch = runs.named("apply_patch")[0].clone();
        assert!(text(patch.fields.get("inputs")).contains("*** Add File: notes.txt"));
        assert!(text(patch.fields.get("outputs")).contains("notes.txt"));
        assert_eq!(spent(&runs), stage.tokens_of_codex(), "{}", tree(&runs));
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
        assert_eq!(spent(&runs), stage.tokens_of_codex(), "{}", tree(&runs));
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
        assert_told(
            &runs,
            r#"
        openai.codex chain · user "Original prompt." → "Original answer."
          openai.codex.turn llm 1000(400)+50(10) stop=tool_calls · user "Original prompt." → exec_command(call)
          exec_command tool · {"cmd":"echo original"} → "original"
          openai.codex.turn llm 1100(450)+51(10) stop=stop · tool "original" → "Original answer."
        openai.codex chain · user "Forked prompt." → "Forked answer."
          openai.codex.turn llm 1200(500)+52(10) stop=tool_calls · user "Forked prompt." → exec_command(call)
          exec_command tool · {"cmd":"echo forked"} → "forked"
          openai.codex.turn llm 1300(550)+53(10) stop=stop · tool "forked" → "Forked answer.""#,
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
            assert_told(
                &runs,
                r#"
            openai.codex chain · user image(data:image/png;base64) "What is in the image?" → "A colour gradient."
              openai.codex.turn llm 1000(400)+50(10) stop=tool_calls · user "What is in the image?" → view_image(call)
              view_image tool · {"path":"other.png"} → image(data:image/png;base64)
              openai.codex.turn llm 1100(450)+51(10) stop=stop · tool image(data:image/png;base64) → "A colour gradient.""#,
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
        assert_told(
            &runs,
            r#"
        openai.codex chain · user "Search the web." → reasoning web_search_call web_search_call "Found it."
          openai.codex.turn llm 1000(400)+50(10) stop=stop · user "Search the web." → reasoning web_search_call web_search_call "Found it."
          web_search tool · {"type":"search","query":"codex hooks","queries":["codex hooks"]} → nothing
          web_search tool · {"type":"open_page","url":"https://example.com/page"} → nothing"#,
        );
        assert_eq!(spent(&runs), stage.tokens_of_codex(), "{}", tree(&runs));
    });
}
