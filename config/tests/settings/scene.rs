//! A machine with all layers below one temporary folder.

use std::path::{Path, PathBuf};

use codex_tracing_config::{
    BraintrustSettings, Context, Environment, LangSmithSettings, Layer, Loaded, Product,
    braintrust, explain, langsmith,
};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// Files and variables of every layer; the repository is a git checkout without a trust entry.
pub(crate) struct Scene {
    root: TempDir,
    env: Vec<(String, String)>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let scene = Self {
            root: tempfile::tempdir().unwrap(),
            env: Vec::new(),
        };
        for folder in ["home/.codex", "team", "data", "repo/.git", "repo/.codex"] {
            std::fs::create_dir_all(scene.path(folder)).unwrap();
        }
        scene
    }

    /// A path below the scene's folder, which is canonical.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(below)
    }

    pub(crate) fn write(&self, below: &str, text: impl AsRef<str>) -> PathBuf {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text.as_ref()).unwrap();
        path
    }

    pub(crate) fn var(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// The file of a layer, below the scene's folder.
    pub(crate) fn file_of(product: Product, layer: Layer) -> String {
        match layer {
            Layer::Team => format!("team/{product}.json"),
            Layer::User => format!("home/.codex/{product}.json"),
            Layer::PluginData => "data/config.json".to_owned(),
            Layer::Project => format!("repo/.codex/{product}.json"),
            other => panic!("{other} has no file"),
        }
    }

    pub(crate) fn settings(&self, product: Product, layer: Layer, settings: &Value) -> PathBuf {
        self.write(&Self::file_of(product, layer), settings.to_string())
    }

    /// Codex's trust entry for a folder.
    pub(crate) fn codex_says(&self, folder: &Path, level: &str) {
        let entry = format!(
            "[projects.{:?}]\ntrust_level = {level:?}\n",
            folder.display().to_string()
        );
        let config = self.path("home/.codex/config.toml");
        let before = std::fs::read_to_string(&config).unwrap_or_default();
        std::fs::write(config, before + &entry).unwrap();
    }

    pub(crate) fn trust_repo(&self) {
        self.codex_says(&self.path("repo"), "trusted");
    }

    pub(crate) fn ctx(&self) -> Context {
        self.ctx_in("repo")
    }

    pub(crate) fn ctx_in(&self, cwd: &str) -> Context {
        let mut env = self.env.clone();
        env.push(("HOME".to_owned(), self.path("home").display().to_string()));
        env.push((
            "PLUGIN_DATA".to_owned(),
            self.path("data").display().to_string(),
        ));
        let mut ctx = Context::new(Environment::from_pairs(env), self.path(cwd));
        ctx.team_dir = self.path("team");
        ctx
    }

    pub(crate) fn langsmith(&self) -> Loaded<LangSmithSettings> {
        langsmith(&self.ctx())
    }

    pub(crate) fn braintrust(&self) -> Loaded<BraintrustSettings> {
        braintrust(&self.ctx())
    }

    pub(crate) fn explain(&self, product: Product) -> Loaded<()> {
        explain(&self.ctx(), product)
    }

    /// Everything that is told or shown, with the scene's folder written as `<scene>`.
    pub(crate) fn told<T>(&self, loaded: &Loaded<T>) -> Vec<String> {
        let root = self.path("").display().to_string();
        let root = root.trim_end_matches('/');
        let warnings = loaded.warnings.iter();
        warnings
            .map(|warning| warning.to_string().replace(root, "<scene>"))
            .collect()
    }

    /// `to_json` with the scene's folder written as `<scene>`.
    pub(crate) fn shown<T>(&self, loaded: &Loaded<T>) -> Value {
        let root = self.path("").display().to_string();
        let text = loaded.provenance.to_json().to_string();
        serde_json::from_str(&text.replace(root.trim_end_matches('/'), "<scene>")).unwrap()
    }
}

/// The effective settings as JSON by canonical key, keys in the clear.
pub(crate) fn effective(product: Product, ctx: &Context) -> Map<String, Value> {
    use secrecy::ExposeSecret;

    let (common, own) = match product {
        Product::LangSmith => {
            let s = langsmith(ctx).settings;
            let key = |key: &secrecy::SecretString| key.expose_secret().to_owned();
            let replica = |r: &codex_tracing_config::Replica| {
                json!([r.api_url, r.api_key.as_ref().map(key), r.project, r.updates])
            };
            let own = json!({
                "api_key": s.api_key.as_ref().map(key),
                "api_url": s.api_url,
                "project": s.project,
                "workspace_id": s.workspace_id,
                "replicas": s.replicas.iter().map(replica).collect::<Vec<_>>(),
                "parent_headers": s.parent_headers,
            });
            (s.common, own)
        }
        Product::Braintrust => {
            let s = braintrust(ctx).settings;
            let own = json!({
                "api_key": s.api_key.as_ref().map(|key| key.expose_secret().to_owned()),
                "api_url": s.api_url,
                "app_url": s.app_url,
                "project": s.project,
                "org_name": s.org_name,
                "parent_span_id": s.parent_span_id,
                "root_span_id": s.root_span_id,
                "record_file": s.record_file,
            });
            (s.common, own)
        }
        other => panic!("{other}"),
    };
    let mut all = json!({
        "enabled": common.enabled,
        "metadata": common.metadata,
        "redact": common.redact,
        "redact_extra_rules": common.redact_extra_rules,
        "flush_on_turn_end": common.flush_on_turn_end,
        "max_field_bytes": common.max_field_bytes,
        "images": common.images,
        "default_muted": common.default_muted,
        "live": common.live,
    });
    let all = all.as_object_mut().unwrap();
    all.extend(own.as_object().unwrap().clone());
    all.clone()
}
