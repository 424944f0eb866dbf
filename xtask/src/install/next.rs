//! What is left to do after an installation, as the installed program sees it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use codex_tracing_codex_home::{Plugin, trust_records};
use codex_tracing_config::{Context, Product};
use codex_tracing_tests::CodexCli;
use serde::Deserialize;

/// What doctor says of one thing.
#[derive(Debug, Deserialize)]
struct Finding {
    id: String,
    level: String,
    backend: Option<String>,
    cause: String,
    #[serde(default)]
    cure: String,
}

/// Says what of the plugins' surroundings is not as it should be, and what to do next. Findings are
/// no failure of the installation: a key, for one, is usually set later.
pub(super) fn tell(plugins: &[Plugin], home: &Path, cli: &CodexCli) -> anyhow::Result<()> {
    let tracing: Vec<_> = plugins.iter().filter_map(Tracing::of).collect();
    let Some(first) = tracing.first() else {
        return Ok(());
    };
    let name = format!("codex-tracing{}", std::env::consts::EXE_SUFFIX);
    let program = first.plugin.cache(home).join("bin").join(name);
    let mut doctor = Command::new(&program);
    doctor.args(["doctor", "--offline", "--json"]);
    if tracing.len() == 1 {
        // Nothing is said of what was not installed.
        doctor.args(["--backend", first.product.name()]);
    }
    let output = doctor
        .env("CODEX_HOME", home)
        .env("PATH", path_with(cli)?)
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let findings: Vec<Finding> = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{} doctor says nothing sensible", program.display()))?;
    let products: Vec<_> = tracing.iter().map(|tracing| tracing.product).collect();
    let setting = setting(home, &Context::from_process(None).codex_home);
    let told = words(&findings, &products, home, &quoted(&program), &setting);
    say!("{told}");
    Ok(())
}

/// A plugin that traces, and where to.
struct Tracing<'p> {
    plugin: &'p Plugin,
    product: Product,
}

impl<'p> Tracing<'p> {
    /// Its hooks end with the product's name: `… hook langsmith`.
    fn of(plugin: &'p Plugin) -> Option<Self> {
        let records = trust_records(plugin);
        let word = records.first()?.command.split_whitespace().last()?;
        let product = word.parse().ok()?;
        Some(Self { plugin, product })
    }
}

/// `PATH` with this Codex in front, for doctor to find.
fn path_with(cli: &CodexCli) -> anyhow::Result<std::ffi::OsString> {
    let context = Context::from_process(None);
    let path = context.env.get("PATH").unwrap_or_default();
    let own = cli.program().parent().map(Path::to_owned);
    let folders: Vec<PathBuf> = own.into_iter().chain(std::env::split_paths(path)).collect();
    std::env::join_paths(folders).context("PATH cannot be extended")
}

/// What stands before a command in a shell, so that it is about this home.
fn setting(home: &Path, usual_home: &Path) -> String {
    if home == usual_home {
        String::new()
    } else {
        format!("CODEX_HOME={} ", quoted(home))
    }
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-@\\:".contains(c);
    if path.chars().all(plain) {
        return path;
    }
    format!("'{}'", path.replace('\'', "'\\''"))
}

/// `program` as a shell takes it, and what stands before a command there.
fn words(
    findings: &[Finding],
    products: &[Product],
    home: &Path,
    program: &str,
    setting: &str,
) -> String {
    let mut text = String::new();
    // What switches tracing off, or a key that alone is missing, is told with its own cure.
    let is_new = |finding: &Finding| {
        finding.id == "tracing-off" && finding.cause.contains("nothing switches it on")
    };
    let is_step = |finding: &Finding| {
        is_new(finding) || matches!(finding.id.as_str(), "hooks-untrusted" | "hooks-changed")
    };
    let others = findings.iter().filter(|finding| finding.level != "ok");
    for finding in others.filter(|finding| !is_step(finding)) {
        let _ = writeln!(text, "\n{}: {}", finding.level, finding.cause);
        let _ = writeln!(text, "  → {}", finding.cure);
    }
    let found = |id: &str| findings.iter().any(|finding| finding.id == id);
    let is_off = |product: &Product| {
        let about = |finding: &&Finding| finding.backend.as_deref() == Some(product.name());
        findings.iter().filter(about).any(is_new)
    };
    let mut steps: Vec<String> = products
        .iter()
        .filter(|product| is_off(product))
        .map(|product| settings(*product, home))
        .collect();
    if found("hooks-untrusted") || found("hooks-changed") {
        steps.push(format!(
            "Start `{setting}codex` and trust the hooks when it says \"Hooks need review\" (`codex exec` \
             never asks),\n   or run this again with --trust."
        ));
    }
    steps.push(format!(
        "Check that all is well:\n     {setting}{program} doctor"
    ));
    text += "\nNext:\n";
    for (index, step) in steps.iter().enumerate() {
        let _ = writeln!(text, "{}. {step}", index + 1);
    }
    text.trim_end().to_owned()
}

/// How to switch tracing on.
fn settings(product: Product, home: &Path) -> String {
    let file = home.join(format!("{product}.json"));
    let (switch, key) = (product.switch_variable(), product.key_variable());
    format!(
        "Switch tracing to {} on and give your key, in {}:\n     \
         {{\"enabled\": true, \"api_key\": \"<your key>\", \"project\": \"codex\"}}\n   \
         or in the shell that starts Codex:\n     \
         export {switch}=true {key}=<your key>",
        product.title(),
        file.display(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(id: &str, level: &str, backend: Option<&str>) -> Finding {
        Finding {
            id: id.to_owned(),
            level: level.to_owned(),
            backend: backend.map(str::to_owned),
            cause: match id {
                "tracing-off" => "tracing is off: nothing switches it on".to_owned(),
                _ => format!("cause of {id}"),
            },
            cure: format!("cure of {id}"),
        }
    }

    #[test]
    fn what_a_new_user_has_to_do_is_a_list_of_steps_and_no_problem() {
        let findings = [
            finding("plugin", "ok", Some("langsmith")),
            finding("tracing-off", "problem", Some("langsmith")),
            finding("hooks-untrusted", "problem", Some("langsmith")),
        ];
        let told = words(
            &findings,
            &[Product::LangSmith],
            Path::new("/home/me/.codex"),
            "/x/codex-tracing",
            "",
        );
        assert_eq!(
            told,
            "\nNext:\n\
             1. Switch tracing to LangSmith on and give your key, in /home/me/.codex/langsmith.json:\n     \
                {\"enabled\": true, \"api_key\": \"<your key>\", \"project\": \"codex\"}\n   \
                or in the shell that starts Codex:\n     \
                export TRACE_TO_LANGSMITH=true LANGSMITH_API_KEY=<your key>\n\
             2. Start `codex` and trust the hooks when it says \"Hooks need review\" (`codex exec` never asks),\n   \
                or run this again with --trust.\n\
             3. Check that all is well:\n     \
                /x/codex-tracing doctor"
        );
    }

    #[test]
    fn what_is_done_is_no_step_and_what_else_is_wrong_is_told_with_its_cure() {
        let findings = [
            finding("tracing-on", "ok", Some("langsmith")),
            finding("tracing-off", "problem", Some("braintrust")),
            finding("hooks-disabled", "problem", None),
        ];
        let both = [Product::LangSmith, Product::Braintrust];
        let told = words(&findings, &both, Path::new("/h"), "x", "");
        assert!(
            told.contains("problem: cause of hooks-disabled\n  → cure of hooks-disabled"),
            "{told}"
        );
        assert!(
            !told.contains("LangSmith") && !told.contains("--trust"),
            "{told}"
        );
        let switch = "1. Switch tracing to Braintrust on and give your key, in /h/braintrust.json";
        assert!(told.contains(switch), "{told}");
        assert!(
            told.contains("export TRACE_TO_BRAINTRUST=true BRAINTRUST_API_KEY=<your key>"),
            "{told}"
        );
        assert!(told.contains("2. Check"), "{told}");
    }

    #[test]
    fn what_switches_tracing_off_is_told_and_no_step() {
        let mut off = finding("tracing-off", "problem", Some("langsmith"));
        "tracing is switched off by TRACE_TO_LANGSMITH".clone_into(&mut off.cause);
        let told = words(&[off], &[Product::LangSmith], Path::new("/h"), "x", "");
        assert!(
            told.contains("switched off by TRACE_TO_LANGSMITH\n  → cure"),
            "{told}"
        );
        assert!(!told.contains("langsmith.json"), "{told}");
    }

    #[test]
    fn commands_for_a_shell_name_a_home_that_is_not_the_usual_one() {
        let usual = Path::new("/home/me/.codex");
        assert_eq!(setting(usual, usual), "");
        let other = Path::new("/a b/it's");
        let setting = setting(other, usual);
        let untrusted = [finding("hooks-untrusted", "problem", None)];
        let told = words(&untrusted, &[], other, &quoted(Path::new("/x y")), &setting);
        let codex = "1. Start `CODEX_HOME='/a b/it'\\''s' codex` and trust";
        assert!(told.contains(codex), "{told}");
        let doctor = "\n     CODEX_HOME='/a b/it'\\''s' '/x y' doctor";
        assert!(told.ends_with(doctor), "{told}");
    }
}
