//! LangSmith, composed of its settings and its crate.

use std::sync::Arc;

use codex_tracing_config::{Context, LangSmithSettings, Loaded, Product};
use codex_tracing_langsmith::{LangSmith, check_parent};

use super::{Kept, Opened, Registration, VERSION, redactor};
use crate::hook::gate::{Gate, Gatekeeper};

pub(super) const REGISTRATION: Registration = Registration {
    product: Product::LangSmith,
    plugin: "tracing",
    marketplace: "langsmith-codex-plugins",
    open,
    gate,
};

fn open(context: &Context, _kept: Option<&Kept>) -> Opened {
    let loaded: Loaded<LangSmithSettings> = codex_tracing_config::langsmith(context);
    let (redactor, rule_problems) = redactor(&loaded.settings.common);
    let backend = LangSmith::new(&loaded.settings, redactor.clone(), VERSION);
    let parent = loaded.settings.parent_headers.as_ref();
    let parent_problem = parent.and_then(|headers| check_parent(headers).err());
    Opened {
        product: Product::LangSmith,
        backend: Arc::new(backend),
        redactor,
        common: loaded.settings.common,
        provenance: loaded.provenance,
        warnings: loaded.warnings,
        rule_problems,
        parent_problem: parent_problem.map(|problem| problem.to_string()),
        keep: None,
    }
}

fn gate(context: &Context) -> Gatekeeper {
    let common = codex_tracing_config::langsmith(context).settings.common;
    Box::new(move |_| Gate::of(&common))
}
