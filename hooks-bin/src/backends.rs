//! The registry: one line per backend.

use std::sync::Arc;

use clap::builder::PossibleValuesParser;
use codex_tracing_braintrust::Braintrust;
use codex_tracing_config::{
    BraintrustSettings, Common, Context, Frozen, ImagePolicy, LangSmithSettings, Loaded, Product,
    Provenance, Warning,
};
use codex_tracing_delivery::Backend;
use codex_tracing_langsmith::{LangSmith, ParentProblem, check_parent};
use codex_tracing_redact::{ExtraRule, Images, Redactor, RuleProblem};

use crate::hook::gate::{Gate, Gatekeeper};

/// This program's version, on every request and in every bundle.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Every backend there is.
pub(crate) const ALL: [&Registration; 2] = [
    &Registration {
        product: Product::LangSmith,
        open: open_langsmith,
        gate: Gate::langsmith,
    },
    &Registration {
        product: Product::Braintrust,
        open: open_braintrust,
        gate: Gate::braintrust,
    },
];

/// A backend by name, and how to open it.
pub(crate) struct Registration {
    /// Whose settings it takes.
    pub(crate) product: Product,
    open: fn(&Context, Option<&[u8]>) -> Opened,
    gate: fn(&Context) -> Gatekeeper,
}

/// A backend with its settings resolved.
pub(crate) struct Opened {
    /// Name of the backend.
    pub(crate) name: &'static str,
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
    pub(crate) parent_problem: Option<ParentProblem>,
}

impl Registration {
    /// `langsmith`, `braintrust`.
    pub(crate) fn name(&self) -> &'static str {
        self.product.name()
    }

    /// Resolves what a hook needs of the settings; asked with the session, it gives `None` if that is
    /// not traced.
    pub(crate) fn gate(&self, context: &Context) -> Gatekeeper {
        (self.gate)(context)
    }

    /// Resolves settings and opens the backend. `kept` are the settings of the session's first
    /// run, where the backend keeps such.
    pub(crate) fn open(&self, context: &Context, kept: Option<&[u8]>) -> Opened {
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
            anyhow::anyhow!("unknown backend `{name}`: expected `langsmith` or `braintrust`")
        }),
    }
}

fn open_langsmith(context: &Context, _kept: Option<&[u8]>) -> Opened {
    let loaded: Loaded<LangSmithSettings> = codex_tracing_config::langsmith(context);
    let (redactor, rule_problems) = redactor(&loaded.settings.common);
    let backend = LangSmith::new(&loaded.settings, redactor.clone(), VERSION);
    let parent = loaded.settings.parent_headers.as_ref();
    let parent_problem = parent.and_then(|headers| check_parent(headers).err());
    Opened {
        name: Product::LangSmith.name(),
        backend: Arc::new(backend),
        redactor,
        common: loaded.settings.common,
        provenance: loaded.provenance,
        warnings: loaded.warnings,
        rule_problems,
        parent_problem,
    }
}

fn open_braintrust(context: &Context, kept: Option<&[u8]>) -> Opened {
    let loaded: Loaded<BraintrustSettings> = codex_tracing_config::braintrust(context);
    let settings = match kept.and_then(|bytes| Frozen::read(bytes, &loaded.settings)) {
        Some(frozen) => {
            if !loaded.settings.rejoins(&frozen) {
                tracing::warn!(
                    "the session began at other endpoints with another key; it goes on at today's"
                );
            }
            loaded.settings.thaw(&frozen)
        }
        None => loaded.settings,
    };
    let (redactor, rule_problems) = redactor(&settings.common);
    let backend = Braintrust::new(&settings, redactor.clone(), VERSION);
    Opened {
        name: Product::Braintrust.name(),
        backend: Arc::new(backend),
        redactor,
        common: settings.common,
        provenance: loaded.provenance,
        warnings: loaded.warnings,
        rule_problems,
        parent_problem: None,
    }
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
