//! The Codex CLI: is it there, which version, which features does it need.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use codex_tracing_codex_home::{CodexConfig, CodexVersion};
use codex_tracing_config::{Context, ask};

use super::finding::Finding;

/// How long `codex --version` may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is known of the CLI.
#[derive(Debug, Clone)]
pub(crate) struct Codex {
    /// Where it is.
    pub(crate) path: Option<PathBuf>,
    /// Its version, if it told one.
    pub(crate) version: Option<CodexVersion>,
}

impl Codex {
    /// Looks for `codex` on `PATH` and asks for its version.
    pub(crate) fn look(context: &Context) -> Self {
        let path = on_path(context);
        let version = path.as_deref().and_then(ask_version);
        Self { path, version }
    }
}

fn on_path(context: &Context) -> Option<PathBuf> {
    let names: &[&str] = if cfg!(windows) {
        &["codex.exe", "codex.cmd", "codex"]
    } else {
        &["codex"]
    };
    std::env::split_paths(context.env.get_os("PATH")?)
        .flat_map(|dir| names.iter().map(move |name| dir.join(name)))
        .find(|candidate| candidate.is_file())
}

fn ask_version(codex: &Path) -> Option<CodexVersion> {
    let answer = ask(Command::new(codex).arg("--version"), PATIENCE)?;
    CodexVersion::find(std::str::from_utf8(&answer.stdout).ok()?)
}

/// Is there a Codex new enough, and are its hooks switched on?
pub(crate) fn examine(codex: &Codex, config: &CodexConfig) -> Vec<Finding> {
    let Some(path) = &codex.path else {
        return vec![Finding::problem(
            "codex-missing",
            "no `codex` on PATH",
            "install it with `npm install -g @openai/codex`, or run doctor from the shell in which \
             you run Codex",
        )];
    };
    let Some(version) = codex.version else {
        return vec![Finding::problem(
            "codex-silent",
            format!("`{} --version` did not tell a version", path.display()),
            "run that command yourself and mend what it says",
        )];
    };
    if version < CodexVersion::OLDEST {
        return vec![Finding::problem(
            "codex-too-old",
            format!(
                "Codex {version} is older than {}, the first with plugin hooks",
                CodexVersion::OLDEST
            ),
            "update it with `npm install -g @openai/codex@latest`",
        )];
    }
    let mut findings = vec![Finding::ok(
        "codex",
        format!("Codex {version} at {}", path.display()),
    )];
    findings.extend(examine_features(version, config));
    findings
}

fn examine_features(version: CodexVersion, config: &CodexConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in ["hooks", "codex_hooks", "plugins"] {
        let Some(said) = config.feature(name).filter(|said| !said.on) else {
            continue;
        };
        let file = match said.project {
            Some(file) => file.display().to_string(),
            None => "config.toml".to_owned(),
        };
        findings.push(Finding::problem(
            "hooks-disabled",
            format!("{file} has `{name} = false` under [features]: no plugin hook runs"),
            format!("set `{name} = true` there, or delete the line"),
        ));
    }
    let flag = config.feature("plugin_hooks");
    if version < CodexVersion::HOOKS_WITHOUT_FLAG && !flag.is_some_and(|said| said.on) {
        findings.push(Finding::problem(
            "feature-flag",
            format!("Codex {version} runs plugin hooks only with a feature flag"),
            "add `plugin_hooks = true` under [features] in config.toml, or update Codex",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codex(version: &str) -> Codex {
        Codex {
            path: Some("/bin/codex".into()),
            version: CodexVersion::find(version),
        }
    }

    fn check(version: &str, config: &str, expected: &[&str]) {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("config.toml"), config).unwrap();
        let ids: Vec<_> = examine(&codex(version), &CodexConfig::read(home.path(), &[]).0)
            .iter()
            .map(|f| f.id)
            .collect();
        assert_eq!(ids, expected, "{version} with {config}");
    }

    #[test]
    fn every_version_and_flag_has_its_finding() {
        check("codex-cli 0.169.0", "", &["codex"]);
        check("codex-cli 0.127.9", "", &["codex-too-old"]);
        check("nonsense", "", &["codex-silent"]);
        check("codex-cli 0.128.0", "", &["codex", "feature-flag"]);
        check(
            "codex-cli 0.128.0",
            "[features]\nplugin_hooks = true",
            &["codex"],
        );
        check(
            "codex-cli 0.169.0",
            "[features]\nhooks = false",
            &["codex", "hooks-disabled"],
        );
        check("codex-cli 0.170.0-alpha.2", "", &["codex"]);
    }

    #[test]
    fn a_missing_codex_is_a_problem() {
        let findings = examine(
            &Codex {
                path: None,
                version: None,
            },
            &CodexConfig::default(),
        );
        assert_eq!(
            findings.first().map(|finding| finding.id),
            Some("codex-missing")
        );
    }
}
