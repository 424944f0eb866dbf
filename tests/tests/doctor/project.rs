//! What a project's `.codex/config.toml` makes of plugins and hooks.

use std::fs;

use super::home::{Home, check, check_on};

const FILE: &str = "app/.codex/config.toml";
const OFF: &str = "[plugins.\"tracing@langsmith-codex-plugins\"]\nenabled = false\n";

/// A repository with this config.toml that Codex trusts, or not.
fn project(home: &Home, lines: &str, level: &str) {
    fs::create_dir_all(home.app().join(".git")).unwrap();
    home.put(FILE, lines);
    let app = home.app().canonicalize().unwrap();
    home.append_config(&format!(
        "\n[projects.\"{}\"]\ntrust_level = \"{level}\"\n",
        app.display()
    ));
}

#[test]
fn a_plugin_that_a_trusted_project_switches_off_is_found() {
    let found = check(
        "plugin-disabled",
        |home| project(home, OFF, "trusted"),
        |home| home.remove(FILE),
    );
    for text in [&found.cause, &found.cure] {
        assert!(text.contains(FILE), "{found:?}");
    }
}

#[test]
fn hooks_that_a_trusted_project_switches_off_are_found() {
    let found = check_on(
        "0.128.0",
        "hooks-disabled",
        |home| project(home, "[features]\nplugins = false\n", "trusted"),
        |home| home.put(FILE, "[features]\nplugins = true\n"),
    );
    assert!(found.cause.contains(FILE), "{found:?}");
}

#[test]
fn a_project_s_config_toml_that_codex_cannot_read_is_found() {
    let found = check(
        "codex-config-broken",
        |home| project(home, "[features\n", "trusted"),
        |home| home.edit_config("\"trusted\"", "\"untrusted\""),
    );
    assert!(found.cause.contains(FILE), "{found:?}");
}

#[test]
fn a_trusted_project_may_switch_on_what_the_user_has_off() {
    let home = Home::sound("0.169.0");
    let user = OFF.replace("false", "true");
    home.edit_config(user.trim_end(), OFF);
    project(&home, &user, "trusted");
    home.assert_sound();
}

#[test]
fn what_codex_does_not_hear_of_a_project_is_left_in_peace() {
    let hook_off = "[hooks.state.\"tracing@langsmith-codex-plugins:hooks/hooks.json:stop:0:0\"]\n\
                    enabled = false\n";
    for (version, lines, level) in [
        ("0.169.0", OFF, "untrusted"),
        ("0.169.0", hook_off, "trusted"),
        ("0.150.1", OFF, "trusted"),
    ] {
        let home = Home::sound(version);
        project(&home, lines, level);
        home.assert_sound();
    }
}
