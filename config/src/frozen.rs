//! The part of Braintrust's settings that stays in force when a session is resumed.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::settings::{BraintrustSettings, RedactRule};

/// What of a session's settings stays in force for its whole life. Holds no key; the metadata and
/// redaction rules are the user's own. Unknown members are ignored when read, so a newer version
/// may add some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Frozen {
    /// Whether the session is traced.
    pub enabled: bool,
    /// Project name.
    pub project: String,
    /// Custom metadata.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// Span the session hangs under.
    #[serde(default)]
    pub parent_span_id: Option<String>,
    /// Trace the session joined.
    #[serde(default)]
    pub root_span_id: Option<String>,
    /// Organisation name.
    #[serde(default)]
    pub org_name: Option<String>,
    /// Whether secrets are redacted.
    #[serde(default = "yes")]
    pub redact: bool,
    /// Extra redaction rules.
    #[serde(default)]
    pub redact_extra_rules: Vec<RedactRule>,
    /// Data plane URL, if one was configured.
    #[serde(default)]
    pub api_url: Option<String>,
    /// Control plane URL.
    pub app_url: String,
    /// Whether one of the URLs was set by a project file.
    #[serde(default = "yes")]
    pub endpoints_from_project: bool,
}

const fn yes() -> bool {
    true
}

impl BraintrustSettings {
    /// What of these settings is to be kept for the session's later runs.
    pub fn freeze(&self) -> Frozen {
        Frozen {
            enabled: self.common.enabled,
            project: self.project.clone(),
            metadata: self.common.metadata.clone(),
            parent_span_id: self.parent_span_id.clone(),
            root_span_id: self.root_span_id.clone(),
            org_name: self.org_name.clone(),
            redact: self.common.redact,
            redact_extra_rules: self.common.redact_extra_rules.clone(),
            api_url: self.api_url.clone(),
            app_url: self.app_url.clone(),
            endpoints_from_project: self.endpoints_from_project,
        }
    }

    /// These settings with what was frozen when the session began put back.
    ///
    /// The key stays today's. Redaction only gets stricter: it is on if it was or is on, and
    /// today's extra rules run after those of the beginning. Endpoints that a project file had set
    /// are not put back unless they are still today's, because today's key may not be meant for
    /// them.
    ///
    /// ```
    /// use codex_tracing_config::{Context, Environment, braintrust};
    ///
    /// let load = |pairs: &[(&str, &str)]| {
    ///     let env = Environment::from_pairs(pairs.iter().copied());
    ///     braintrust(&Context::new(env, "/nowhere".into())).settings
    /// };
    /// let began = load(&[("TRACE_TO_BRAINTRUST", "1"), ("BRAINTRUST_PROJECT", "first")]);
    /// let stored = serde_json::to_string(&began.freeze()).unwrap();
    ///
    /// let today = load(&[("BRAINTRUST_PROJECT", "second")]);
    /// let resumed = today.thaw(&serde_json::from_str(&stored).unwrap());
    /// assert!(resumed.common.enabled);
    /// assert_eq!(resumed.project, "first");
    /// ```
    #[must_use]
    pub fn thaw(mut self, frozen: &Frozen) -> Self {
        self.common.enabled = frozen.enabled;
        self.common.metadata.clone_from(&frozen.metadata);
        self.common.redact |= frozen.redact;
        let today = std::mem::take(&mut self.common.redact_extra_rules);
        self.common
            .redact_extra_rules
            .clone_from(&frozen.redact_extra_rules);
        for rule in today {
            if !self.common.redact_extra_rules.contains(&rule) {
                self.common.redact_extra_rules.push(rule);
            }
        }
        self.project.clone_from(&frozen.project);
        self.parent_span_id.clone_from(&frozen.parent_span_id);
        self.root_span_id.clone_from(&frozen.root_span_id);
        self.org_name.clone_from(&frozen.org_name);
        if !frozen.endpoints_from_project {
            self.api_url.clone_from(&frozen.api_url);
            self.app_url.clone_from(&frozen.app_url);
            self.endpoints_from_project = false;
        }
        self
    }
}
