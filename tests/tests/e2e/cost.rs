//! What the plugin costs the user: reported, not judged beyond what nobody would bear.

use std::time::Duration;

use codex_tracing_tests::{Product, Scenario, Stage};
use serde_json::json;

use super::traces::NEWEST;

/// Runs of each kind.
const RUNS: usize = 5;
/// More than this would be felt; machines that run tests are slow.
const BEARABLE: Duration = Duration::from_secs(5);

fn scenario() -> Scenario {
    let answer = json!({"type": "message", "text": "Quick.", "phase": "final_answer"});
    Scenario::answering(json!([{"repeat": RUNS, "items": [answer]}]))
}

fn turn(stage: &Stage) -> Duration {
    let output = stage.home.exec("Be quick.", &[]).unwrap();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    output.took
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[test]
fn a_turn_takes_about_as_long_with_the_plugin_as_without() {
    let set = |products: &[Product]| Stage::set(NEWEST, scenario(), products).unwrap();
    let (Some(bare), Some(traced)) = (set(&[]), set(&[Product::LangSmith])) else {
        return;
    };
    // In turn, so that what else the machine does is the same for both.
    let times = (0..RUNS).map(|_| (turn(&bare), turn(&traced)));
    let (without, with): (Vec<_>, Vec<_>) = times.unzip();
    let (without, with) = (median(without), median(with));
    println!("codex exec, median of {RUNS}: {without:?} without the plugin, {with:?} with it");
    assert!(with < without + BEARABLE, "{with:?} instead of {without:?}");
}
