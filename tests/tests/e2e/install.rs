//! From a clone to a first trace, and back: the README's commands on a fresh home, with nothing
//! that a user would not have. The home's name has a space.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use codex_tracing_tests::{
    BACKUP, CodexCli, CodexHome, CodexVersion, Collector, ModelServer, Output, PATIENCE, Product,
    Scenario, Typed, binary, readme_commands, toolchain, versions, xtask,
};
use serde_json::{Value, json};

use super::clone::{Cloned, clone};

/// A user with a Codex in `PATH`, and nothing set.
pub(super) struct User {
    pub(super) home: CodexHome,
    pub(super) collector: Collector,
    _model: ModelServer,
}

impl User {
    /// With a model that answers `turns` times.
    pub(super) fn new(version: &str, turns: usize) -> Option<Self> {
        let cli = CodexCli::get(version).unwrap()?;
        let answer = |turn| json!([{"type": "message", "text": format!("Answer {turn}."), "phase": "final_answer"}]);
        let scenario = Scenario::answering((0..turns).map(answer).collect::<Value>());
        let model = ModelServer::start(&scenario.script()).unwrap();
        let mut home = CodexHome::named("dev user", &cli, &model, &scenario).unwrap();
        let bin = home.home().join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::os::unix::fs::symlink(cli.program(), bin.join("codex")).unwrap();
        let path = home.env().iter().find(|(name, _)| name == "PATH");
        let path = format!("{}:{}", bin.display(), path.unwrap().1);
        home.set_env("PATH", &path);
        home.unset_env("CODEX_HOME");
        // What makes Codex run hooks of plugins is for the installation to do.
        let config = home.codex_home().join("config.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        let flags = ["plugin_hooks", "hooks", "plugins"].map(|flag| format!("{flag} = true"));
        let kept = text
            .lines()
            .filter(|line| !flags.contains(&(*line).to_owned()));
        let text = format!(
            "# my settings\n{}\n# the end\n",
            kept.collect::<Vec<_>>().join("\n")
        );
        std::fs::write(&config, text).unwrap();
        Some(Self {
            home,
            collector: Collector::start().unwrap(),
            _model: model,
        })
    }

    /// `export` of what the README says for this product.
    pub(super) fn configure(&mut self, product: Product) {
        for (name, value) in product.settings(&self.collector.url()) {
            self.home.set_env(name, &value);
        }
    }

    /// Does what the README says below a heading, in a clone, and gives what the installation printed.
    /// Where it says `codex`, for the reader to trust the hooks, the other way that it tells is taken,
    /// `--trust`, and `codex exec <prompt>` run. The reader's key and where the collector listens
    /// are all that is added.
    fn follow(&mut self, clone: &Cloned, heading: &str, product: Product, prompt: &str) -> Output {
        let mut installed = None;
        let mut settings = product.settings(&self.collector.url());
        for command in readme_commands(heading).unwrap() {
            match command {
                Typed::Xtask(words) => {
                    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
                    assert_eq!(
                        words[0], "install",
                        "the README says `cargo xtask {words:?}`"
                    );
                    words.push("--trust");
                    installed = Some(clone.xtask(&self.home, &words));
                }
                Typed::Export(name, value) => {
                    let own = settings.iter().position(|(known, _)| *known == name);
                    let own = own.map(|at| settings.remove(at).1);
                    let value = if value == "<your key>" {
                        own.unwrap()
                    } else {
                        value
                    };
                    self.home.set_env(&name, &value);
                }
                Typed::Codex(words) => {
                    assert!(
                        words.is_empty(),
                        "the README says `codex {}`",
                        words.join(" ")
                    );
                    // What is left is where the service listens; the rest was said.
                    for (name, value) in settings.drain(..) {
                        let url = self.collector.url();
                        assert_eq!(value, url, "the README does not say to set {name}");
                        self.home.set_env(name, &value);
                    }
                    self.exec(prompt);
                }
            }
        }
        installed.unwrap()
    }

    /// `cargo xtask …`. One thing differs from what a user runs: an executable that is already
    /// built is bundled, since the release build takes minutes and differs in speed only.
    pub(super) fn xtask(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(xtask().unwrap());
        command.args(arguments);
        let env = toolchain();
        let env: Vec<_> = env
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let output = self.home.run(command, &env).unwrap();
        assert_eq!(
            output.code,
            Some(0),
            "xtask {arguments:?}\n{}{}",
            output.stdout,
            output.stderr
        );
        output
    }

    /// `cargo xtask install <which>`, with the executable at `bin`.
    pub(super) fn install(&self, which: &str, bin: &Path, more: &[&str]) -> Output {
        let out = self.home.home().join("bundles");
        let (out, bin) = (out.display().to_string(), bin.display().to_string());
        let install = ["install", which, "--bin", &bin, "--out", &out];
        self.xtask(&[&install, more].concat())
    }

    /// `codex exec <prompt>` without any flag.
    pub(super) fn exec(&self, prompt: &str) -> Output {
        let output = self.home.codex(&["exec", prompt], &[]).unwrap();
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        output
    }

    pub(super) fn config(&self) -> String {
        std::fs::read_to_string(self.home.codex_home().join("config.toml")).unwrap()
    }

    /// Codex's copy of the plugin's executable.
    pub(super) fn installed(&self, marketplace: &str, plugin: &str) -> PathBuf {
        let plugins = self.home.codex_home().join("plugins/cache");
        let versions = plugins.join(marketplace).join(plugin);
        let mut versions: Vec<_> = std::fs::read_dir(&versions).unwrap().flatten().collect();
        assert_eq!(versions.len(), 1, "one version is kept: {versions:?}");
        versions.remove(0).path().join("bin/codex-tracing")
    }

    /// Ids of what `codex-tracing doctor` finds wrong.
    pub(super) fn doctor(&self, program: &Path) -> Vec<String> {
        let mut command = Command::new(program);
        command.args(["doctor", "--json"]);
        let output = self.home.run(command, &[]).unwrap();
        let findings: Vec<Value> = serde_json::from_str(&output.stdout).unwrap();
        let wrong = findings.iter().filter(|finding| finding["level"] != "ok");
        wrong
            .map(|finding| finding["id"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(super) fn wait(&self, what: &str, enough: impl Fn(&Collector) -> bool) {
        assert!(
            self.collector.wait_until(PATIENCE, enough),
            "{what} did not arrive; config.toml:\n{}",
            self.config()
        );
    }
}

pub(super) fn ended_runs(collector: &Collector) -> usize {
    let runs = collector.runs();
    runs.roots()
        .iter()
        .filter(|run| run.end_at().is_some())
        .count()
}

/// Whether a Braintrust row has this answer in its output.
fn has_row(collector: &Collector, answer: &str) -> bool {
    let rows = collector.rows();
    rows.all().iter().any(|row| {
        row.fields
            .get("output")
            .is_some_and(|output| output.to_string().contains(answer))
    })
}

fn parsed(config: &str) -> toml::Table {
    config.parse().unwrap()
}

/// The hooks with a trust record in config.toml, as `<plugin>:<file>:<event>:<group>:<handler>`.
fn trusted(config: &str) -> Vec<String> {
    let config = parsed(config);
    let state = config.get("hooks").and_then(|hooks| hooks.get("state"));
    let records = state.and_then(toml::Value::as_table).into_iter().flatten();
    let records = records.filter(|(_, record)| record.get("trusted_hash").is_some());
    records.map(|(hook, _)| hook.clone()).collect()
}

#[test]
fn a_new_user_comes_from_a_clone_to_a_trace_in_langsmith_and_back() {
    let Some(clone) = clone() else {
        return;
    };
    let clone = clone.as_ref().unwrap();
    for version in versions() {
        let Some(mut user) = User::new(&version, 1) else {
            continue;
        };
        let before = user.config();
        let (heading, product) = ("Install for LangSmith", Product::LangSmith);
        let output = user.follow(clone, heading, product, "Hello?");
        assert!(
            output.stdout.contains("hook langsmith"),
            "{}",
            output.stdout
        );
        let next = output.stdout.split("\nNext:\n").nth(1).unwrap();
        assert!(next.contains("TRACE_TO_LANGSMITH=true"), "{next}");
        assert!(next.contains("bin/codex-tracing' doctor"), "{next}");
        let all = output.stdout.to_lowercase();
        assert!(
            !all.contains("problem") && !all.contains("braintrust"),
            "{all}"
        );
        assert!(user.config().contains("# my settings") && user.config().contains("# the end"));
        let backup = user.home.codex_home().join(BACKUP);
        assert_eq!(std::fs::read_to_string(&backup).unwrap(), before);
        let program = user.installed("langsmith-codex-plugins", "tracing");
        let mode = program.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755, "the exec bit survives");
        assert_eq!(user.doctor(&program), [""; 0], "on {version}");
        user.wait("the turn", |collector| ended_runs(collector) == 1);
        let runs = user.collector.runs();
        runs.assert_sound();
        let root = runs.roots()[0];
        assert!(root.fields["inputs"].to_string().contains("Hello?"));
        assert!(root.fields["outputs"].to_string().contains("Answer 0."));
        clone.xtask(&user.home, &["uninstall", "langsmith"]);
        assert_eq!(parsed(&user.config()), parsed(&before), "on {version}");
        assert!(!program.exists());
        assert!(!backup.exists(), "it says what config.toml says again");
        let cache = user
            .home
            .codex_home()
            .join("plugins/cache/langsmith-codex-plugins");
        assert!(!cache.exists(), "no empty folder stays");
        let again = clone.xtask(&user.home, &["uninstall", "langsmith"]);
        assert!(
            again.stdout.contains("nothing to remove"),
            "{}",
            again.stdout
        );
    }
}

#[test]
fn a_new_user_comes_from_a_clone_to_a_trace_in_braintrust_and_back() {
    let Some(clone) = clone() else {
        return;
    };
    let clone = clone.as_ref().unwrap();
    for version in versions() {
        let Some(mut user) = User::new(&version, 1) else {
            continue;
        };
        let before = user.config();
        let (heading, product) = ("Install for Braintrust", Product::Braintrust);
        user.follow(clone, heading, product, "Hello?");
        let program = user.installed("braintrust-codex-plugins", "trace-codex");
        assert_eq!(user.doctor(&program), [""; 0], "on {version}");
        user.wait("the turn", |collector| has_row(collector, "Answer 0."));
        clone.xtask(&user.home, &["uninstall", "braintrust"]);
        assert_eq!(parsed(&user.config()), parsed(&before), "on {version}");
    }
}

#[test]
fn both_plugins_at_once_trace_to_both_backends_without_disturbing_each_other() {
    for version in versions() {
        let Some(mut user) = User::new(&version, 2) else {
            continue;
        };
        let before = user.config();
        user.install("all", &binary().unwrap(), &["--trust"]);
        user.configure(Product::LangSmith);
        user.configure(Product::Braintrust);
        let program = user.installed("codex-tracing", "tracing");
        assert_eq!(user.doctor(&program), [""; 0], "on {version}");
        user.exec("First?");
        user.exec("Second?");
        user.wait("both turns at both", |collector| {
            ended_runs(collector) == 2
                && has_row(collector, "Answer 0.")
                && has_row(collector, "Answer 1.")
        });
        let runs = user.collector.runs();
        runs.assert_sound();
        assert!(runs.repeated().is_empty());
        user.xtask(&["uninstall", "all"]);
        assert_eq!(parsed(&user.config()), parsed(&before), "on {version}");
    }
}

#[test]
fn without_trust_exec_runs_no_hook_and_doctor_says_so_until_install_trusts() {
    for version in versions() {
        if version.parse::<CodexVersion>().unwrap() < CodexVersion::minor(129) {
            continue;
        }
        let Some(mut user) = User::new(&version, 1) else {
            continue;
        };
        let output = user.install("langsmith", &binary().unwrap(), &[]);
        assert!(output.stdout.contains("--trust"), "{}", output.stdout);
        assert_eq!(trusted(&user.config()), [""; 0], "on {version}");
        user.configure(Product::LangSmith);
        let program = user.installed("langsmith-codex-plugins", "tracing");
        assert_eq!(user.doctor(&program), ["hooks-untrusted"], "on {version}");
        let output = user.install("langsmith", &binary().unwrap(), &["--trust"]);
        let command = "\"${PLUGIN_ROOT}/bin/codex-tracing\" hook langsmith";
        assert!(output.stdout.contains(command), "{}", output.stdout);
        let records = trusted(&user.config());
        let ours = "tracing@langsmith-codex-plugins:hooks/hooks.json:";
        assert!(
            records.iter().all(|hook| hook.starts_with(ours)),
            "{records:?}"
        );
        assert_eq!(records.len(), 9, "one for each hook: {records:?}");
        assert_eq!(user.doctor(&program), [""; 0], "on {version}");
        user.exec("Hello?");
        user.wait("the turn", |collector| ended_runs(collector) == 1);
    }
}

#[test]
fn in_ci_the_trace_has_arrived_when_codex_exec_ends() {
    for version in versions() {
        let number: CodexVersion = version.parse().unwrap();
        let Some(mut user) = User::new(&version, 1) else {
            continue;
        };
        // Where the flag has no effect yet, trust has to be written.
        let flag = number >= CodexVersion::minor(142);
        let trust: &[&str] = if flag { &[] } else { &["--trust"] };
        user.install("all", &binary().unwrap(), trust);
        user.configure(Product::LangSmith);
        user.configure(Product::Braintrust);
        let mut exec = vec!["exec", "--sandbox", "read-only", "Hello?"];
        if flag {
            exec.insert(1, "--dangerously-bypass-hook-trust");
        }
        let flush = [
            ("LANGSMITH_CODEX_FLUSH_ON_TURN_END", "true"),
            ("BRAINTRUST_FLUSH_ON_TURN_END", "true"),
        ];
        let output = user.home.codex(&exec, &flush).unwrap();
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        assert_eq!(ended_runs(&user.collector), 1, "on {version}");
        assert!(has_row(&user.collector, "Answer 0."), "on {version}");
    }
}
