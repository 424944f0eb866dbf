//! The registry: one line per backend. All that only one backend has stands in its module below.

mod braintrust;
mod langsmith;

use std::sync::Arc;

use clap::builder::PossibleValuesParser;
use codex_tracing_config::{Common, Context, ImagePolicy, Product, Provenance, Warning};
use codex_tracing_delivery::Backend;
use codex_tracing_redact::{ExtraRule, Images, Redactor, RuleProblem};

use crate::hook::gate::Gatekeeper;

/// This program's version, on every request and in every bundle.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The marketplace that has the plugins of all backends.
const COMMON_MARKETPLACE: &str = "codex-tracing";

/// Every backend there is.
pub(crate) const ALL: [&Registration; 2] = [&langsmith::REGISTRATION, &braintrust::REGISTRATION];

/// A backend by name, how Codex knows it, and how to open it.
pub(crate) struct Registration {
    /// Whose settings it takes.
    pub(crate) product: Product,
    /// Name of its plugin, ours and the original.
    pub(crate) plugin: &'static str,
    /// The marketplace that has its plugin alone; the original comes from one of that name too.
    marketplace: &'static str,
    open: fn(&Context, Option<&Kept>) -> Opened,
    gate: fn(&Context) -> Gatekeeper,
}

/// The settings of a session's first run, where the backend keeps such.
pub(crate) struct Kept {
    /// As the backend left them.
    pub(crate) bytes: Vec<u8>,
    /// Something of the session has arrived somewhere: it goes on there.
    pub(crate) has_arrived: bool,
}

/// A backend with its settings resolved.
pub(crate) struct Opened {
    /// Whose settings these are.
    pub(crate) product: Product,
    /// What maps and judges.
    pub(crate) backend: Arc<dyn Backend>,
    /// What scrubs, with the user's rules.
    pub(crate) redactor: Redactor,
    /// Settings that concern delivery.
    pub(crate) common: Common,
    /// Where each setting came from.
    pub(crate) provenance: Provenance,
    /// What could not be used of the settings.
    pub(crate) warnings: Vec<Warning>,
    /// Redaction rules that could not be used.
    pub(crate) rule_problems: Vec<RuleProblem>,
    /// Why turns are not nested under the run that a caller named.
    pub(crate) parent_problem: Option<String>,
    /// What is to be kept from now on in place of [`Kept`], because nothing has arrived yet.
    pub(crate) keep: Option<Vec<u8>>,
}

impl Registration {
    /// `langsmith`, `braintrust`.
    pub(crate) fn name(&self) -> &'static str {
        self.product.name()
    }

    /// The ids (`plugin@marketplace`) under which its plugin is published: by itself, and with all others.
    pub(crate) fn plugin_ids(&self) -> [String; 2] {
        [self.marketplace, COMMON_MARKETPLACE]
            .map(|marketplace| format!("{}@{marketplace}", self.plugin))
    }

    /// Resolves what a hook needs of the settings; asked with the session, it gives `None` if that is
    /// not traced.
    pub(crate) fn gate(&self, context: &Context) -> Gatekeeper {
        (self.gate)(context)
    }

    /// Resolves settings and opens the backend.
    pub(crate) fn open(&self, context: &Context, kept: Option<&Kept>) -> Opened {
        (self.open)(context, kept)
    }
}

/// The backend called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Registration> {
    ALL.into_iter()
        .find(|registration| registration.name() == name)
}

/// The names that the command line takes, for it to list them and refuse others.
pub(crate) fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(ALL.map(Registration::name))
}

/// All backends, or the one called `name`; an unknown name is an error for people.
pub(crate) fn select(name: Option<&str>) -> anyhow::Result<Vec<&'static Registration>> {
    match name {
        None => Ok(ALL.to_vec()),
        Some(name) => find(name).map(|found| vec![found]).ok_or_else(|| {
            let known = ALL.map(|registration| format!("`{}`", registration.name()));
            anyhow::anyhow!("unknown backend `{name}`: expected {}", known.join(" or "))
        }),
    }
}

/// The word for `cargo xtask install` that installs the plugin of this id.
pub(crate) fn install_word(plugin_id: &str) -> &'static str {
    let marketplace = plugin_id
        .split_once('@')
        .map(|(_, marketplace)| marketplace);
    ALL.into_iter()
        .find(|registration| Some(registration.marketplace) == marketplace)
        .map_or("all", |registration| registration.name())
}

/// What scrubs, as `common` asks for it.
pub(crate) fn redactor(common: &Common) -> (Redactor, Vec<RuleProblem>) {
    let extra: Vec<ExtraRule> = common
        .redact_extra_rules
        .iter()
        .map(|rule| ExtraRule {
            pattern: rule.pattern.clone(),
            replace: rule.replace.clone(),
        })
        .collect();
    let images = match common.images {
        ImagePolicy::Keep => Images::Keep,
        ImagePolicy::Reference => Images::Reference,
        // A policy that this program does not know yet shows nothing.
        _ => Images::Omit,
    };
    Redactor::new(common.redact, &extra, common.max_field_bytes, images)
}
