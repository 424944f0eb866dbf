//! A home where everything is as it should be, to be broken and mended.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use codex_tracing_tests::{
    CodexVersion, Collector, Plugin, Product, bundles, install_by_hand, program, trust_records,
    write_trust,
};
use serde::Deserialize;
use tempfile::TempDir;

/// The sound home.
pub(super) struct Home {
    folder: TempDir,
    pub(super) collector: Collector,
    pub(super) plugin: Plugin,
    env: Vec<(String, String)>,
    git: PathBuf,
}

/// What doctor prints of one finding.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Finding {
    pub(super) id: String,
    pub(super) level: String,
    pub(super) backend: Option<String>,
    pub(super) cause: String,
    #[serde(default)]
    pub(super) cure: String,
}

/// `finding` is absent from a sound home, there once `broken`, with its cause and cure of one line
/// each, and absent again once `mended`.
pub(super) fn check(
    finding: &str,
    broken: impl FnOnce(&mut Home),
    mended: impl FnOnce(&mut Home),
) -> Finding {
    check_on("0.169.0", finding, broken, mended)
}

/// As [`check`], with this Codex.
pub(super) fn check_on(
    version: &str,
    finding: &str,
    broken: impl FnOnce(&mut Home),
    mended: impl FnOnce(&mut Home),
) -> Finding {
    let mut home = Home::sound(version);
    home.assert_sound();
    broken(&mut home);
    let (findings, code) = home.doctor(&[]);
    let found = findings.iter().find(|found| found.id == finding);
    let found = found.unwrap_or_else(|| panic!("no {finding} in {findings:#?}"));
    for text in [&found.cause, &found.cure] {
        assert!(!text.trim().is_empty() && !text.contains('\n'), "{found:?}");
    }
    let stops = findings.iter().any(|found| found.level == "problem");
    assert_eq!(code, i32::from(stops), "{findings:#?}");
    mended(&mut home);
    home.assert_sound();
    found.clone()
}

impl Home {
    /// The LangSmith plugin as installed, trusted and configured for this Codex.
    pub(super) fn sound(version: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let bundle = bundles().unwrap().join("langsmith-codex-plugins");
        let collector = Collector::start().unwrap();
        let mut home = Self {
            plugin: Plugin::read(&bundle, "tracing").unwrap(),
            collector,
            env: Vec::new(),
            git: program("git").unwrap(),
            folder,
        };
        for folder in [home.bin(), home.codex_home(), home.app()] {
            fs::create_dir_all(folder).unwrap();
        }
        home.has_codex(version);
        let path = format!(
            "{}:{}:/bin",
            home.bin().display(),
            home.git.parent().unwrap().display()
        );
        home.set("PATH", &path);
        home.set("HOME", &home.folder.path().display().to_string());
        for (name, value) in Product::LangSmith.settings(&home.collector.url()) {
            home.set(name, &value);
        }
        home.install(version);
        home
    }

    /// Installs and trusts the plugin.
    pub(super) fn install(&self, version: &str) {
        let version: CodexVersion = version.parse().unwrap();
        install_by_hand(&self.plugin, &self.codex_home(), version).unwrap();
        if version >= CodexVersion::minor(129) {
            self.trust();
        }
    }

    /// Trusts the plugin's hooks, as `install --trust` does.
    pub(super) fn trust(&self) {
        write_trust(&self.codex_home(), &trust_records(&self.plugin)).unwrap();
    }

    /// Puts a `codex` into `PATH` that says it is of this version.
    pub(super) fn has_codex(&self, version: &str) {
        let script = self.bin().join("codex");
        fs::write(&script, format!("#!/bin/sh\necho codex-cli {version}\n")).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(super) fn bin(&self) -> PathBuf {
        self.folder.path().join("bin")
    }

    pub(super) fn codex_home(&self) -> PathBuf {
        self.folder.path().join(".codex")
    }

    /// The repository that doctor runs in.
    pub(super) fn app(&self) -> PathBuf {
        self.folder.path().join("app")
    }

    /// The plugin's folder in Codex's cache.
    pub(super) fn cache(&self) -> PathBuf {
        self.plugin.cache(&self.codex_home())
    }

    /// The plugin's state.
    pub(super) fn data(&self) -> PathBuf {
        self.plugin.data(&self.codex_home())
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.env.push((name.to_owned(), value.to_owned()));
    }

    pub(super) fn unset(&mut self, name: &str) {
        self.env.retain(|(set, _)| set != name);
    }

    /// Writes a file below the home.
    pub(super) fn put(&self, file: &str, text: &str) {
        let file = self.folder.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    pub(super) fn remove(&self, file: &str) {
        fs::remove_file(self.folder.path().join(file)).unwrap();
    }

    pub(super) fn chmod(&self, file: &str, mode: u32) {
        let file = self.folder.path().join(file);
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Replaces text in config.toml; it must be there.
    pub(super) fn edit_config(&self, from: &str, to: &str) {
        let file = self.codex_home().join("config.toml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "no {from} in {text}");
        fs::write(file, text.replacen(from, to, 1)).unwrap();
    }

    /// Adds lines to config.toml.
    pub(super) fn append_config(&self, lines: &str) {
        let file = self.codex_home().join("config.toml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(file, format!("{text}{lines}")).unwrap();
    }

    pub(super) fn git(&self, arguments: &[&str]) {
        let output = self.command(&self.git).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
    }

    /// A program in the home's environment and repository.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.app())
            .env_clear()
            .envs(self.env.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    /// `codex-tracing` of the bundle, whatever became of the installed one.
    pub(super) fn tool(&self) -> Command {
        self.command(&self.plugin.folder.join("bin/codex-tracing"))
    }

    /// `codex-tracing doctor --json`: all findings, and the exit code.
    pub(super) fn doctor(&self, more: &[&str]) -> (Vec<Finding>, i32) {
        let output = self
            .tool()
            .args(["doctor", "--json"])
            .args(more)
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        let findings = serde_json::from_slice(&output.stdout);
        let findings = findings.unwrap_or_else(|error| panic!("{error}: {output:?}"));
        assert!(words.is_empty(), "{words}");
        (findings, output.status.code().unwrap())
    }

    pub(super) fn assert_sound(&self) {
        let (findings, code) = self.doctor(&[]);
        let wrong: Vec<_> = findings
            .iter()
            .filter(|found| found.level != "ok")
            .collect();
        assert!(wrong.is_empty() && code == 0, "{wrong:#?}");
    }
}
