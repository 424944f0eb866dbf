//! The model of every scenario of every version.

use std::fmt::Write as _;

use crate::corpus::{VERSIONS, read, rollouts, scenarios};
use crate::tree::tree;

#[test]
fn every_recorded_session_has_its_model() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("../snapshots");
    for version in VERSIONS {
        for scenario in scenarios(version) {
            let mut text = String::new();
            for path in rollouts(version, &scenario) {
                writeln!(text, "{}", tree(&read(&path))).unwrap();
            }
            settings.bind(|| insta::assert_snapshot!(format!("{version}__{scenario}"), text));
        }
    }
}
