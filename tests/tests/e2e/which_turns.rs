//! Which turns are sent: those that ran while tracing was on.

use codex_tracing_tests::{Scenario, versions};
use serde_json::json;

use super::traces::{arrived, with};

const OFF: (&str, &str) = ("TRACE_TO_LANGSMITH", "false");

#[test]
fn turns_from_before_tracing_was_on_are_left_alone() {
    for version in &versions() {
        with(version, Scenario::default(), |stage| {
            stage.home.exec("Before.", &[OFF]).unwrap();
            let session = stage.home.first_session().unwrap();
            stage
                .home
                .exec_resume(&session, "Also before.", &[OFF])
                .unwrap();
            stage.home.exec_resume(&session, "Traced.", &[]).unwrap();
            let runs = arrived(stage, 1);
            let root = runs.roots()[0];
            assert_eq!(root.metadata("turn_number"), Some(&json!(3)));
            let prompt = root.fields["inputs"].to_string();
            assert!(prompt.contains("Traced."), "{prompt}");
            assert!(!prompt.contains("before."), "{prompt}");
        });
    }
}

#[test]
fn with_tracing_off_nothing_is_sent_and_nothing_is_written() {
    for version in &versions() {
        with(version, Scenario::default(), |stage| {
            let output = stage.home.exec("Not traced.", &[OFF]).unwrap();
            assert_eq!(output.code, Some(0), "{}", output.stderr);
            assert!(stage.collector.requests().is_empty());
            assert_eq!(stage.own_files(), Vec::<std::path::PathBuf>::new());
        });
    }
}
