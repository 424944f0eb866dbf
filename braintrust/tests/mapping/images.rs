//! Images on their way from the bytes of a rollout to what is sent.

use codex_tracing_delivery::testing::images::check_generated_image;

use crate::support::Scene;

#[test]
fn a_generated_image_leaves_whole_or_as_what_is_said_in_its_place() {
    check_generated_image(|turn| {
        let rows = Scene::new(turn).rows();
        let rows = rows.iter().map(|row| String::from_utf8_lossy(&row.body));
        rows.collect::<Vec<_>>().join("\n")
    });
}
