//! Every reason why no trace would arrive, each with its cure.
//!
//! Looking is in the modules below, one per place to look at; each gives [`Finding`]s and changes
//! nothing.

mod codex;
mod content;
mod daemon;
mod finding;
mod network;
mod plugin;
mod settings;
mod state;
mod trust;

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use codex_tracing_codex_home::{CodexConfig, CodexVersion, hook_records, plugin_data};
use codex_tracing_config::{Context, codex_project_files, key_file_problems};
use codex_tracing_delivery::StateDir;

use crate::backends::{self, Opened, Registration, VERSION};
use crate::command::counted;
use codex::Codex;
use content::Witness;
use finding::{Finding, Level};

/// Arguments of `doctor`.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// Machine-readable
    #[arg(long)]
    json: bool,
    /// Ask no server
    #[arg(long)]
    offline: bool,
    /// Only this backend
    #[arg(long, value_name = "BACKEND", value_parser = backends::names())]
    backend: Option<String>,
}

/// Looks everywhere, prints what it found; exit code 1 if something stops traces.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let context = Context::from_process(None);
    let chosen = backends::select(args.backend.as_deref())?;
    let findings = examine(&context, &chosen, args.backend.is_some(), args.offline);
    if args.json {
        let text = serde_json::to_string_pretty(&findings)?;
        crate::command::print_json(&format!("{text}\n"))?;
    } else {
        crate::command::print(&words(&findings))?;
    }
    let bad = findings
        .iter()
        .any(|finding| finding.level == Level::Problem);
    Ok(ExitCode::from(u8::from(bad)))
}

fn examine(
    context: &Context,
    chosen: &[&'static Registration],
    asked_for: bool,
    offline: bool,
) -> Vec<Finding> {
    let codex = Codex::look(context);
    let projects = codex_project_files(context);
    let (mut config, broken) = CodexConfig::read(&context.codex_home, &projects);
    if codex
        .version
        .is_some_and(|version| version < CodexVersion::PROJECT_PLUGINS)
    {
        config = config.without_plugins_of_projects();
    }
    let mut findings = codex::examine(&codex, &config);
    findings.extend(broken.iter().map(|error| {
        let cure = "mend that file: Codex does not start with it";
        Finding::problem("codex-config-broken", error.to_string(), cure)
    }));
    let views: Vec<_> = chosen
        .iter()
        .map(|one| BackendView::look(one, context, &config))
        .collect();
    // A backend that nobody installed or switched on is no reason to complain, unless it was asked
    // for or there is no other.
    let any = views.iter().any(BackendView::is_wanted);
    for view in views
        .iter()
        .filter(|view| asked_for || view.is_wanted() || !any)
    {
        findings.extend(view.examine(&codex, context, &config, offline));
    }
    if !broken.is_empty() {
        // Nobody knows what that file says of plugins.
        findings.retain(|finding| finding.id != "plugin-disabled");
    }
    findings.extend(
        key_file_problems(context)
            .iter()
            .map(settings::examine_key_file),
    );
    findings
}

/// One backend as it stands here.
struct BackendView {
    registration: &'static Registration,
    opened: Opened,
    installed: Vec<plugin::Installed>,
}

impl BackendView {
    fn look(registration: &'static Registration, context: &Context, config: &CodexConfig) -> Self {
        let installed = plugin::ids(registration, &context.codex_home, config)
            .iter()
            .filter_map(|id| plugin::look(&context.codex_home, config, id))
            .collect();
        Self {
            registration,
            opened: registration.open(context, None),
            installed,
        }
    }

    fn is_wanted(&self) -> bool {
        self.opened.common.enabled || !self.installed.is_empty()
    }

    fn examine(
        &self,
        codex: &Codex,
        context: &Context,
        config: &CodexConfig,
        offline: bool,
    ) -> Vec<Finding> {
        let mut findings = plugin::examine(self.registration, &self.installed, VERSION);
        findings.extend(self.examine_trust(codex, context, config));
        findings.extend(settings::examine(&self.opened, context));
        findings.extend(daemon::examine(self.registration.product, context));
        if self.opened.common.enabled && !offline {
            findings.extend(network::examine(&self.opened, context));
        }
        let ours = self.installed.iter().filter(|plugin| plugin.ours);
        let states = ours.map(|plugin| plugin_state(context, &plugin.id));
        findings.extend(state::examine(self.registration, context, states.collect()));
        findings
    }

    fn examine_trust(
        &self,
        codex: &Codex,
        context: &Context,
        config: &CodexConfig,
    ) -> Vec<Finding> {
        let Some(version) = codex.version else {
            return Vec::new();
        };
        let mut findings = Vec::new();
        for plugin in self
            .installed
            .iter()
            .filter(|plugin| plugin.ours && plugin.enabled)
        {
            let Some(folder) = &plugin.folder else {
                continue;
            };
            let hooks = read_hooks(folder).map(|json| hook_records(&plugin.id, &json));
            findings.extend(trust::examine(
                version,
                config.user(),
                &plugin.id,
                &hooks.unwrap_or_default(),
            ));
            if version >= CodexVersion::CONTENT_TRUST {
                let state = plugin_state(context, &plugin.id);
                let now =
                    Witness::take(&context.codex_home, config.user(), &plugin.id, folder).ok();
                let then = state
                    .witness()
                    .and_then(|bytes| serde_json::from_slice(&bytes).ok());
                if let (Some(then), Some(now)) = (then, now) {
                    findings.extend(content::examine(&plugin.id, &then, &now));
                }
            }
        }
        findings
            .into_iter()
            .map(|finding| finding.about(self.registration.name()))
            .collect()
    }
}

/// The data folder that Codex gives to a plugin.
fn plugin_state(context: &Context, plugin_id: &str) -> StateDir {
    StateDir::at(plugin_data(&context.codex_home, plugin_id))
}

/// Notes that the hooks of the plugin this worker belongs to evidently run: see [`content`].
pub(crate) fn note_witness(registration: &Registration, context: &Context, state: &StateDir) {
    let Some(root) = context.env.get_os("PLUGIN_ROOT").map(Path::new) else {
        return;
    };
    let (config, broken) = CodexConfig::read(&context.codex_home, &[]);
    if !broken.is_empty() {
        return;
    }
    // By name: the path Codex gave may be another spelling of the same folder.
    let own = state.root().file_name();
    let ids = plugin::ids(registration, &context.codex_home, &config);
    let id = ids
        .iter()
        .find(|id| plugin_state(context, id).root().file_name() == own);
    let Some(now) =
        id.and_then(|id| Witness::take(&context.codex_home, config.user(), id, root).ok())
    else {
        return;
    };
    let before = state.witness();
    let then = before
        .as_deref()
        .and_then(|bytes| serde_json::from_slice(bytes).ok());
    let Ok(bytes) = serde_json::to_vec(&content::kept(then, now)) else {
        return;
    };
    if before.as_deref() != Some(bytes.as_slice())
        && let Err(error) = state.keep_witness(&bytes)
    {
        tracing::debug!(%error, "what hooks ran with could not be noted");
    }
}

fn read_hooks(folder: &Path) -> Option<serde_json::Value> {
    let text = std::fs::read_to_string(folder.join("hooks").join("hooks.json")).ok()?;
    serde_json::from_str(&text).ok()
}

fn words(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let mark = match finding.level {
            Level::Ok => "ok     ",
            Level::Warning => "warning",
            Level::Problem => "PROBLEM",
        };
        let about = finding
            .backend
            .map(|name| format!("{name}: "))
            .unwrap_or_default();
        let _ = writeln!(text, "{mark}  {about}{}", finding.cause);
        if !finding.cure.is_empty() {
            let _ = writeln!(text, "         → {}", finding.cure);
        }
    }
    let count = |level| {
        findings
            .iter()
            .filter(|finding| finding.level == level)
            .count()
    };
    let (problems, warnings) = (count(Level::Problem), count(Level::Warning));
    let warnings = counted(warnings, "warning");
    let _ = match problems {
        0 => writeln!(text, "\nNothing stands in the way of traces ({warnings})."),
        _ => writeln!(text, "\n{}, {warnings}.", counted(problems, "problem")),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_counted_in_the_singular_and_in_the_plural() {
        let last = |findings: &[Finding]| words(findings).lines().last().unwrap().to_owned();
        let problem = Finding::problem("a", "a", "a");
        let warning = Finding::warning("b", "b", "b");
        let way = "Nothing stands in the way of traces";
        assert_eq!(last(&[]), format!("{way} (0 warnings)."));
        assert_eq!(
            last(std::slice::from_ref(&warning)),
            format!("{way} (1 warning).")
        );
        assert_eq!(last(&[problem.clone(), warning]), "1 problem, 1 warning.");
        assert_eq!(last(&[problem.clone(), problem]), "2 problems, 0 warnings.");
    }
}
