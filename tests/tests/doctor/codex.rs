use std::cell::RefCell;
use std::process::Stdio;

use super::home::{Home, check, check_on};

#[test]
fn a_missing_codex_is_found() {
    check(
        "codex-missing",
        |home| home.remove("bin/codex"),
        |home| home.has_codex("0.169.0"),
    );
}

#[test]
fn a_codex_that_tells_no_version_is_found() {
    check(
        "codex-silent",
        |home| home.put("bin/codex", "#!/bin/sh\nexit 1\n"),
        |home| home.has_codex("0.169.0"),
    );
}

#[test]
fn a_codex_without_plugin_hooks_is_found() {
    check(
        "codex-too-old",
        |home| home.has_codex("0.127.0"),
        |home| home.has_codex("0.169.0"),
    );
}

#[test]
fn a_missing_feature_flag_is_found_on_the_versions_that_need_it() {
    check_on(
        "0.128.0",
        "feature-flag",
        |home| home.edit_config("plugin_hooks = true", ""),
        |home| home.edit_config("[features]", "[features]\nplugin_hooks = true"),
    );
}

#[test]
fn hooks_that_are_switched_off_as_a_feature_are_found() {
    check(
        "hooks-disabled",
        |home| home.append_config("\n[features]\nhooks = false\n"),
        |home| home.edit_config("hooks = false", "hooks = true"),
    );
}

#[test]
fn a_config_toml_that_codex_cannot_read_is_found() {
    check(
        "codex-config-broken",
        |home| {
            home.append_config("\n[features\n");
            let (findings, _) = home.doctor(&[]);
            let problems = findings.iter().filter(|found| found.level == "problem");
            assert_eq!(problems.count(), 1, "{findings:#?}");
        },
        |home| home.edit_config("\n[features\n", ""),
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_daemon_with_another_environment_is_found() {
    let daemon = RefCell::new(None);
    let found = check(
        "daemon-environment",
        |home| {
            let mut sleep = home.command(std::path::Path::new("/bin/sleep"));
            let sleep = sleep.arg("600").env_remove("LANGSMITH_API_KEY");
            let child = sleep.stdout(Stdio::null()).spawn().unwrap();
            let pid = format!("{{\"pid\": {}}}", child.id());
            home.put(".codex/app-server-daemon/daemon.pid", &pid);
            daemon.replace(Some(child));
        },
        |home| {
            let sleep = home
                .command(std::path::Path::new("/bin/sleep"))
                .arg("600")
                .spawn();
            let child = sleep.unwrap();
            let pid = format!("{{\"pid\": {}}}", child.id());
            home.put(".codex/app-server-daemon/daemon.pid", &pid);
            end(daemon.replace(Some(child)));
        },
    );
    end(daemon.take());
    assert!(found.cause.contains("LANGSMITH_API_KEY"), "{found:?}");
    assert!(!found.cause.contains("lsv2_"), "{found:?}");
}

fn end(child: Option<std::process::Child>) {
    let mut child = child.unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn words_for_people_have_each_cause_with_its_cure() {
    let home = Home::sound("0.169.0");
    home.has_codex("0.127.0");
    let output = home.tool().args(["doctor", "--offline"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let lines: Vec<_> = text.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.contains("Codex 0.127.0 is older"));
    assert!(lines[at.unwrap() + 1].contains("npm install"), "{text}");
    assert!(
        home.collector.requests().is_empty(),
        "--offline asks no server"
    );
}
