use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use codex_tracing_codex_home::{Plugin, trust_records};
use tempfile::TempDir;

use super::Dist;

/// A bundle of made-up executables for these targets.
fn dist(folder: &TempDir, name: &str, targets: &[&str]) -> PathBuf {
    let binaries = targets.iter().map(|target| {
        let binary = folder.path().join(format!("{name}-{target}"));
        fs::write(&binary, format!("#!/bin/sh\necho {target} \"$@\"\n")).unwrap();
        format!("{target}={}", binary.display())
    });
    let dist = Dist {
        out: folder.path().join(name),
        binaries: binaries.collect(),
        ..Dist::default()
    };
    dist.write().unwrap()
}

fn bytes(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap);
    files
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(folder).unwrap().to_owned();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let folder = TempDir::new().unwrap();
    let targets = ["x86_64-unknown-linux-gnu"];
    let first = bytes(&dist(&folder, "one", &targets));
    let second = bytes(&dist(&folder, "two", &targets));
    assert!(first.contains_key(Path::new("codex-tracing.tar.gz")));
    assert!(first == second);
}

#[test]
fn the_sums_are_those_of_the_archives() {
    let folder = TempDir::new().unwrap();
    let out = dist(&folder, "out", &["x86_64-unknown-linux-gnu"]);
    let sums = fs::read_to_string(out.join("SHA256SUMS")).unwrap();
    assert_eq!(sums.lines().count(), 3);
    let release: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("release.json")).unwrap()).unwrap();
    assert_eq!(release["version"], super::version().unwrap());
    for bundle in release["bundles"].as_array().unwrap() {
        let (file, hash) = (
            bundle["file"].as_str().unwrap(),
            bundle["sha256"].as_str().unwrap(),
        );
        assert!(sums.contains(&format!("{hash}  {file}\n")));
        let size = fs::metadata(out.join(file)).unwrap().len();
        assert_eq!(bundle["size"], size);
    }
}

#[test]
fn an_archive_unpacks_to_the_folder_with_its_modes() {
    let folder = TempDir::new().unwrap();
    let out = dist(&folder, "out", &["x86_64-unknown-linux-gnu"]);
    let archive = fs::File::open(out.join("langsmith-codex-plugins.tar.gz")).unwrap();
    let unpacked = folder.path().join("unpacked");
    tar::Archive::new(flate2::read::GzDecoder::new(archive))
        .unpack(&unpacked)
        .unwrap();
    let unpacked = unpacked.join("langsmith-codex-plugins");
    assert!(bytes(&unpacked) == bytes(&out.join("langsmith-codex-plugins")));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |file: &str| {
            let plugin = unpacked.join("plugins/tracing");
            fs::metadata(plugin.join(file))
                .unwrap()
                .permissions()
                .mode()
                & 0o777
        };
        assert_eq!(mode("bin/codex-tracing"), 0o755);
        assert_eq!(mode("hooks/hooks.json"), 0o644);
    }
}

/// A user who trusted these hooks is asked again if any of this changes.
#[test]
fn hooks_are_the_ones_that_users_have_trusted() {
    let folder = TempDir::new().unwrap();
    let out = dist(&folder, "out", &["x86_64-unknown-linux-gnu"]);
    for (bundle, plugin, backend) in [
        ("langsmith-codex-plugins", "tracing", "langsmith"),
        ("braintrust-codex-plugins", "trace-codex", "braintrust"),
    ] {
        let plugin = Plugin::read(&out.join(bundle), plugin).unwrap();
        let records = trust_records(&plugin);
        let events: Vec<_> = records.iter().map(|record| record.event.as_str()).collect();
        let expected = [
            "SessionStart",
            "UserPromptSubmit",
            "Stop",
            "SubagentStart",
            "SubagentStop",
            "PreCompact",
            "PostCompact",
            "Interrupt",
            "SessionEnd",
        ];
        assert_eq!(events, expected);
        for record in records {
            let command = format!("\"${{PLUGIN_ROOT}}/bin/codex-tracing\" hook {backend}");
            assert_eq!(record.command, command);
            let handler = &plugin.hooks["hooks"][&record.event][0]["hooks"][0];
            // No quotation marks: Codex on Windows hands the line to `cmd /C` or to PowerShell,
            // and neither starts a program whose name is quoted there. It puts the folder in
            // itself, since each of them has its own way to write a variable.
            let windows = format!("${{PLUGIN_ROOT}}\\bin\\codex-tracing.exe hook {backend}");
            assert_eq!(handler["commandWindows"], windows);
            let seconds = match record.event.as_str() {
                "Stop" => 60,
                "SessionEnd" | "Interrupt" => 3,
                _ => 10,
            };
            assert_eq!(handler["timeout"], seconds);
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_launcher_runs_the_executable_of_this_machine_and_a_hook_never_fails() {
    use std::process::Command;

    let machine = std::env::consts::ARCH;
    let here = format!("{machine}-unknown-linux-musl");
    let folder = TempDir::new().unwrap();
    let out = dist(
        &folder,
        "a b",
        &[&here, "aarch64-apple-darwin", "x86_64-pc-windows-msvc"],
    );
    let bin = out.join("codex-tracing/plugins/tracing/bin");
    assert!(bin.join("codex-tracing.exe").is_file());
    let run = |launcher: &Path, argument: &str| {
        let output = Command::new(launcher)
            .args([argument, "two words"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), text)
    };
    let launcher = bin.join("codex-tracing");
    let expected = format!("{here} hook two words\n");
    assert_eq!(run(&launcher, "hook"), (Some(0), expected.clone()));
    let link = folder.path().join("linked");
    std::os::unix::fs::symlink(&launcher, &link).unwrap();
    assert_eq!(run(&link, "hook"), (Some(0), expected));
    fs::remove_dir_all(bin.join(&here)).unwrap();
    assert_eq!(run(&launcher, "hook"), (Some(0), String::new()));
    assert_eq!(run(&launcher, "status"), (Some(1), String::new()));
}

#[test]
fn the_hooks_file_has_nothing_beside_its_hooks() {
    // Codex 0.140 refuses the whole file for any other key at its top.
    let hooks: serde_json::Value =
        serde_json::from_str(include_str!("templates/hooks.json")).unwrap();
    let keys: Vec<_> = hooks.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["hooks"]);
}
