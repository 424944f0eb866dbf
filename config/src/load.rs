//! Settings of a product from all layers.

use secrecy::ExposeSecret;

use crate::context::Context;
use crate::field::Setting;
use crate::gather::{Candidate, Gathered, gather};
use crate::layer::Origin;
use crate::product::Product;
use crate::provenance::Provenance;
use crate::settings::{BraintrustSettings, Common, LangSmithSettings};
use crate::span_environment;
use crate::value::Checked;
use crate::warning::{Problem, Warning, nearest, shown_variable};

/// Settings, where each came from, and what could not be used.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Loaded<T> {
    /// The effective settings.
    pub settings: T,
    /// Where each value came from.
    pub provenance: Provenance,
    /// What could not be used as written, and what is worth knowing.
    pub warnings: Vec<Warning>,
}

/// The effective settings of LangSmith. Never fails: what cannot be used is left out alone and
/// told in [`Loaded::warnings`].
///
/// ```
/// use codex_tracing_config::{Context, Environment, langsmith};
///
/// let env = Environment::from_pairs([
///     ("TRACE_TO_LANGSMITH", "yes"),
///     ("LANGSMITH_PROJECT", "from the SDK's variable"),
///     ("LANGSMITH_CODEX_PROJECT", "mine"),
/// ]);
/// let loaded = langsmith(&Context::new(env, "/nowhere".into()));
/// assert!(loaded.settings.common.enabled);
/// assert_eq!(loaded.settings.project, "mine");
/// assert!(loaded.warnings.is_empty());
/// ```
pub fn langsmith(ctx: &Context) -> Loaded<LangSmithSettings> {
    let mut gathered = gather(ctx, Product::LangSmith);
    warn_of_misspelt_variables(
        ctx,
        &["LANGSMITH_CODEX_", "CODEX_TRACING_", "TRACE_TO_L"],
        &mut gathered,
    );
    let mut settings = LangSmithSettings::default();
    common(&gathered, &mut settings.common);
    drop_foreign_keys(&mut gathered, BRAINTRUST_KEY);
    if let Some(endpoint) = gathered.endpoint(Setting::ApiUrl, None) {
        settings.replicas = gathered.bind_replicas(&endpoint);
        // With replicas the primary gets nothing, unless one of them goes there.
        let replicas = &settings.replicas;
        if replicas.is_empty() || replicas.iter().any(|it| it.api_url == endpoint.url) {
            gathered.warn_if_exposed(Setting::ApiUrl);
        }
        settings.api_key = gathered.bind_key(std::slice::from_ref(&endpoint));
        settings.api_url = endpoint.url;
    }
    if let Some(project) = gathered.text(Setting::Project) {
        settings.project = project;
    }
    settings.workspace_id = gathered.text(Setting::WorkspaceId);
    if let Some(Checked::Headers(headers)) =
        gathered.top(Setting::ParentHeaders).map(|top| &top.value)
    {
        settings.parent_headers = Some(headers.clone());
    }
    finish(gathered, Product::LangSmith, settings)
}

/// The effective settings of Braintrust. Never fails: what cannot be used is left out alone and
/// told in [`Loaded::warnings`].
///
/// ```
/// use codex_tracing_config::{Context, Environment, braintrust};
///
/// let env = Environment::from_pairs([
///     ("TRACE_TO_BRAINTRUST", "true"),
///     ("BRAINTRUST_API_URL", "api-eu.braintrust.dev"),
///     ("BRAINTRUST_ADDITIONAL_METADATA", "not JSON"),
/// ]);
/// let loaded = braintrust(&Context::new(env, "/nowhere".into()));
/// assert!(loaded.settings.common.enabled);
/// assert_eq!(loaded.settings.api_url.as_deref(), Some("https://api-eu.braintrust.dev"));
/// // One bad value costs that value alone, and is told.
/// assert!(loaded.settings.common.metadata.is_empty());
/// assert!(loaded.warnings[0].to_string().starts_with("BRAINTRUST_ADDITIONAL_METADATA: "));
/// ```
pub fn braintrust(ctx: &Context) -> Loaded<BraintrustSettings> {
    let mut gathered = gather(ctx, Product::Braintrust);
    warn_of_misspelt_variables(ctx, &["CODEX_TRACING_", "TRACE_TO_B"], &mut gathered);
    let mut settings = BraintrustSettings::default();
    common(&gathered, &mut settings.common);
    drop_foreign_keys(&mut gathered, LANGSMITH_KEY);
    let app = gathered.endpoint(Setting::AppUrl, None);
    // The data plane of an organisation is learned from the control plane; unless the user has
    // another one, the documented default is what the key is for.
    let fallback = app
        .as_ref()
        .filter(|app| app.url == settings.app_url)
        .map(|_| DEFAULT_DATA_PLANE);
    let api = gathered.endpoint(Setting::ApiUrl, fallback);
    gathered.warn_if_exposed(Setting::AppUrl);
    gathered.warn_if_exposed(Setting::ApiUrl);
    let endpoints: Vec<_> = app.iter().chain(&api).cloned().collect();
    settings.endpoints_from_project = endpoints.iter().any(crate::resolve::Endpoint::is_projects);
    settings.api_key = gathered.bind_key(&endpoints);
    settings.api_url = api.map(|api| api.url);
    if let Some(app) = app {
        settings.app_url = app.url;
    }
    if let Some(project) = gathered.text(Setting::Project) {
        settings.project = project;
    }
    settings.org_name = gathered.text(Setting::OrgName);
    settings.parent_span_id = gathered.text(Setting::ParentSpanId);
    settings.root_span_id = gathered.text(Setting::RootSpanId);
    if let Some(Checked::Path(path)) = gathered.top(Setting::RecordFile).map(|top| &top.value) {
        settings.record_file = Some(path.clone());
    }
    settings.environment = span_environment::detect(&ctx.env);
    finish(gathered, Product::Braintrust, settings)
}

const DEFAULT_DATA_PLANE: &str = "https://api.braintrust.dev";

/// What only LangSmith's keys begin with, and what only Braintrust's do.
const LANGSMITH_KEY: &str = "lsv2_";
const BRAINTRUST_KEY: &str = "bt-st-";

/// Where a product's settings come from, without the settings themselves: for whoever shows them.
pub fn explain(ctx: &Context, product: Product) -> Loaded<()> {
    fn without_settings<T>(loaded: Loaded<T>) -> Loaded<()> {
        Loaded {
            settings: (),
            provenance: loaded.provenance,
            warnings: loaded.warnings,
        }
    }
    match product {
        Product::LangSmith => without_settings(langsmith(ctx)),
        Product::Braintrust => without_settings(braintrust(ctx)),
    }
}

fn common(gathered: &Gathered, common: &mut Common) {
    gathered.switch(Setting::Enabled, &mut common.enabled);
    gathered.switch(Setting::Redact, &mut common.redact);
    gathered.switch(Setting::FlushOnTurnEnd, &mut common.flush_on_turn_end);
    gathered.switch(Setting::DefaultMuted, &mut common.default_muted);
    gathered.switch(Setting::Live, &mut common.live);
    common.metadata = gathered.merged(Setting::Metadata);
    if let Some(Checked::Rules(rules)) = gathered
        .top(Setting::RedactExtraRules)
        .map(|top| &top.value)
    {
        common.redact_extra_rules.clone_from(rules);
    }
    if let Some(Checked::Bytes(limit)) = gathered.top(Setting::MaxFieldBytes).map(|top| &top.value)
    {
        common.max_field_bytes = (*limit > 0).then_some(*limit);
    }
    if let Some(Checked::Images(policy)) = gathered.top(Setting::Images).map(|top| &top.value) {
        common.images = *policy;
    }
}

fn finish<T>(mut gathered: Gathered, product: Product, settings: T) -> Loaded<T> {
    let warnings = std::mem::take(&mut gathered.warnings);
    Loaded {
        settings,
        provenance: Provenance::new(product, &gathered, &warnings),
        warnings,
    }
}

/// A team file under a name of its own is read for both products, so a key of the other one may
/// be met. It can be told by its prefix, and goes nowhere.
fn drop_foreign_keys(gathered: &mut Gathered, foreign_prefix: &str) {
    let Some(opinions) = gathered.opinions.get_mut(&Setting::ApiKey) else {
        return;
    };
    let is_foreign = |candidate: &Candidate| {
        matches!(&candidate.value,
            Checked::Key(key) if key.secret.expose_secret().starts_with(foreign_prefix))
    };
    let (foreign, own): (Vec<_>, Vec<_>) = std::mem::take(&mut opinions.candidates)
        .into_iter()
        .partition(is_foreign);
    opinions.candidates = own;
    if foreign.is_empty() {
        return;
    }
    for candidate in foreign {
        let key = Some("api_key".to_owned());
        gathered.reject(Setting::ApiKey, &candidate.origin, key, Problem::ForeignKey);
    }
    gathered.merge();
}

fn warn_of_misspelt_variables(ctx: &Context, prefixes: &[&str], gathered: &mut Gathered) {
    for name in ctx.env.names() {
        let ours = prefixes.iter().any(|prefix| name.starts_with(prefix));
        if ours && !crate::env::is_known(name) {
            let origin = Origin::variable(shown_variable(name));
            let nearest = nearest(name, crate::env::names());
            gathered.warn(&origin, None, Problem::UnknownVariable { nearest });
        }
    }
}
