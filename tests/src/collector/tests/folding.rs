use serde_json::{Value, json};

use super::{CHILD, child_run, post, root_run, with};
use crate::collector::{Collector, Runs};

fn runs(posts: &[Value]) -> Runs {
    let collector = Collector::start().unwrap();
    let (status, answer) = post(&collector, "/runs/batch", &json!({ "post": posts }));
    assert_eq!(status, 202, "{answer}");
    collector.runs()
}

fn check(child: Value, expected: &str) {
    let problems = runs(&[root_run(), child]).problems();
    assert!(
        problems.len() == 1 && problems[0].contains(expected),
        "{expected}: {problems:?}"
    );
}

#[test]
fn sound_runs_have_no_problems() {
    let runs = runs(&[child_run(), root_run()]);
    runs.assert_sound();
    let names: Vec<_> = runs.all().iter().map(super::super::Run::name).collect();
    assert_eq!(names, ["turn", "model"], "in the order of dotted_order");
    assert_eq!(runs.typed("llm").len(), 1);
    assert_eq!(runs.of_project("demo").all().len(), 2);
    assert!(runs.of_project("other").all().is_empty());
    assert!(runs.of_key("other").all().is_empty());
    assert!(runs.repeated().is_empty());
}

#[test]
fn unsound_runs_are_named() {
    let changed = |changes: Value| with(child_run(), changes);
    check(changed(json!({"end_time": null})), "no end");
    check(
        changed(json!({"end_time": "2026-01-02T03:04:05.700000Z"})),
        "before its start",
    );
    check(
        changed(json!({"end_time": "2026-01-02T03:04:10.000000Z"})),
        "is not inside its parent run turn",
    );
    check(
        changed(json!({"start_time": "2026-01-02T03:04:05.778009Z"})),
        "dotted_order ends in",
    );
    let id = "019b7ca9-8f93-7000-8000-000000000002";
    let order = child_run()["dotted_order"]
        .as_str()
        .unwrap()
        .replace(CHILD, id);
    check(
        changed(json!({"id": id, "dotted_order": order})),
        "the time in its id",
    );
}

#[test]
fn an_agents_turn_may_go_on_after_the_run_it_hangs_below() {
    let late = json!({"end_time": "2026-01-02T03:04:10.000000Z", "run_type": "chain",
        "extra": {"metadata": {"ls_agent_type": "subagent"}}});
    let problems = runs(&[root_run(), with(child_run(), late)]).problems();
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn a_run_whose_parent_never_came_is_named() {
    let problems = runs(&[child_run()]).problems();
    assert!(problems[0].contains("never came"), "{problems:?}");
}

#[test]
#[should_panic(expected = "unsound runs")]
fn asserting_soundness_fails_on_a_problem() {
    runs(&[child_run()]).assert_sound();
}

#[test]
fn usage_and_metadata_are_found_where_they_are_kept() {
    let extra = json!({"metadata": {"thread_id": "t", "usage_metadata": {"input_tokens": 3}}});
    let runs = runs(&[root_run(), with(child_run(), json!({ "extra": extra }))]);
    let child = runs.get(CHILD).unwrap();
    assert_eq!(child.metadata("thread_id"), Some(&json!("t")));
    assert_eq!(child.usage(), Some(&json!({"input_tokens": 3})));
    assert_eq!(runs.roots()[0].usage(), None);
}
