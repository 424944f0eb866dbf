use std::fs;

use super::home::{Home, check};

const ID: &str = "tracing@langsmith-codex-plugins";
const ENABLED: &str = "[plugins.\"tracing@langsmith-codex-plugins\"]\nenabled = true";

#[test]
fn a_plugin_that_is_not_installed_is_found() {
    check(
        "plugin-missing",
        |home| {
            fs::remove_dir_all(home.codex_home()).unwrap();
            fs::create_dir_all(home.codex_home()).unwrap();
        },
        |home| home.install("0.169.0"),
    );
}

#[test]
fn a_plugin_that_is_not_enabled_is_found() {
    check(
        "plugin-disabled",
        |home| home.edit_config(ENABLED, &ENABLED.replace("true", "false")),
        |home| home.edit_config(&ENABLED.replace("true", "false"), ENABLED),
    );
}

#[test]
fn a_plugin_without_a_copy_in_the_cache_is_found() {
    check(
        "plugin-not-cached",
        |home| fs::remove_dir_all(home.cache().parent().unwrap()).unwrap(),
        |home| home.install("0.169.0"),
    );
}

#[test]
fn another_version_in_the_cache_is_found() {
    check(
        "plugin-version",
        |home| fs::rename(home.cache(), home.cache().with_file_name("0.0.1")).unwrap(),
        |home| home.install("0.169.0"),
    );
}

#[test]
fn a_program_that_lost_its_exec_bit_is_found() {
    let program = ".codex/plugins/cache/langsmith-codex-plugins/tracing";
    let program = |home: &Home| format!("{program}/{}/bin/codex-tracing", home.plugin.version);
    check(
        "plugin-not-executable",
        |home| home.chmod(&program(home), 0o644),
        |home| home.install("0.169.0"),
    );
}

/// A plugin that is not ours, as its original is installed.
fn original(home: &Home, marketplace: &str) {
    let manifest =
        format!(".codex/plugins/cache/{marketplace}/tracing/1.0.0/.codex-plugin/plugin.json");
    home.put(
        &manifest,
        r#"{"name": "tracing", "description": "Traces Codex to LangSmith"}"#,
    );
}

#[test]
fn the_original_in_our_place_is_found() {
    check(
        "plugin-not-ours",
        |home| {
            fs::remove_dir_all(home.cache().parent().unwrap()).unwrap();
            original(home, "langsmith-codex-plugins");
        },
        |home| home.install("0.169.0"),
    );
}

#[test]
fn the_original_beside_ours_is_found() {
    let found = check(
        "double-tracing",
        |home| {
            original(home, "somewhere-else");
            home.append_config("\n[plugins.\"tracing@somewhere-else\"]\nenabled = true\n");
        },
        |home| {
            // What `codex plugin remove` does.
            home.edit_config("[plugins.\"tracing@somewhere-else\"]\nenabled = true\n", "");
            let cache = home.codex_home().join("plugins/cache/somewhere-else");
            fs::remove_dir_all(cache).unwrap();
        },
    );
    assert!(
        found
            .cure
            .contains("codex plugin remove tracing@somewhere-else")
    );
}

#[test]
fn a_foreign_plugin_of_the_same_name_is_left_in_peace() {
    let home = Home::sound("0.169.0");
    home.put(
        ".codex/plugins/cache/other/tracing/1.0.0/.codex-plugin/plugin.json",
        r#"{"name": "tracing", "description": "Draws outlines"}"#,
    );
    home.append_config("\n[plugins.\"tracing@other\"]\nenabled = true\n");
    home.assert_sound();
    assert_eq!(home.plugin.id(), ID);
}
