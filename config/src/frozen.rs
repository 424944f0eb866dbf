//! The part of Braintrust's settings that stays in force when a session is resumed.

use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::settings::{BraintrustSettings, RedactRule};
use crate::value::{holds_key, masked_members, same_endpoint};

/// Version of the format.
const FROZEN_VERSION: u32 = 1;

/// What of a session's settings stays in force for its whole life. Holds no key: keys within the
/// metadata are masked, and a redaction rule with a key in it is left out, since what it is there
/// for has a built-in rule. A newer version is read as far as it is understood, see [`Frozen::read`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Frozen {
    /// Version of the format that the writer knew; the first writers left it out.
    #[serde(rename = "v", default = "first_version")]
    pub version: u32,
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
    /// By which a later run knows whether it has the same key: 32 bits of a hash over key and
    /// endpoints, from which neither can be found.
    #[serde(default)]
    pub key_mark: Option<String>,
}

const fn yes() -> bool {
    true
}

const fn first_version() -> u32 {
    1
}

impl Frozen {
    /// Settings as they were kept. Of a newer format every member is taken that still reads, and for
    /// the others today's settings hold; it is to be left as it is. `None` for what no version wrote:
    /// that may be replaced.
    pub fn read(kept: &[u8], today: &BraintrustSettings) -> Option<Self> {
        let members: Map<String, Value> = serde_json::from_slice(kept).ok()?;
        let version = members.get("v").and_then(Value::as_u64);
        if version.is_none_or(|version| version <= u64::from(FROZEN_VERSION)) {
            return serde_json::from_value(members.into()).ok();
        }
        let Ok(Value::Object(mut taken)) = serde_json::to_value(today.freeze()) else {
            return None;
        };
        for (name, value) in members {
            let mut attempt = taken.clone();
            attempt.insert(name.clone(), value.clone());
            if serde_json::from_value::<Self>(attempt.into()).is_ok() {
                taken.insert(name, value);
            }
        }
        // A number too large for us is newer all the same.
        let newer = FROZEN_VERSION.saturating_add(1);
        let read: Self = serde_json::from_value(taken.into()).ok()?;
        Some(Self {
            version: read.version.max(newer),
            ..read
        })
    }

    /// The same with today's endpoints, organisation and project: for a session of which nothing has
    /// arrived anywhere yet. What it began with may have been a mistyped address. Those of a newer format
    /// stay as they are.
    #[must_use]
    pub fn readdressed(self, today: &BraintrustSettings) -> Self {
        if self.is_newer() {
            return self;
        }
        let today = today.freeze();
        Self {
            project: today.project,
            org_name: today.org_name,
            api_url: today.api_url,
            app_url: today.app_url,
            endpoints_from_project: today.endpoints_from_project,
            key_mark: today.key_mark,
            ..self
        }
    }

    fn is_newer(&self) -> bool {
        self.version > FROZEN_VERSION
    }
}

/// The rules that hold no key.
fn keyless(rules: &[RedactRule]) -> Vec<RedactRule> {
    let holds = |rule: &&RedactRule| {
        holds_key(&rule.pattern) || rule.replace.as_deref().is_some_and(holds_key)
    };
    rules.iter().filter(|rule| !holds(rule)).cloned().collect()
}

impl BraintrustSettings {
    /// What of these settings is to be kept for the session's later runs.
    pub fn freeze(&self) -> Frozen {
        Frozen {
            version: FROZEN_VERSION,
            enabled: self.common.enabled,
            project: self.project.clone(),
            metadata: masked_members(&self.common.metadata),
            parent_span_id: self.parent_span_id.clone(),
            root_span_id: self.root_span_id.clone(),
            org_name: self.org_name.clone(),
            redact: self.common.redact,
            redact_extra_rules: keyless(&self.common.redact_extra_rules),
            api_url: self.api_url.clone(),
            app_url: self.app_url.clone(),
            endpoints_from_project: self.endpoints_from_project,
            key_mark: self.key_mark([self.api_url.as_deref(), Some(&self.app_url)]),
        }
    }

    /// Whether the session goes on at the endpoints it began with.
    ///
    /// A key goes only to the host it was configured for, so they are put back only if they are still
    /// today's, or if today's key is the one they had and no project file had set them; by what a newer
    /// version knows a key again is not for this one to say. Otherwise the session goes on at today's
    /// endpoints, under the same ids.
    pub fn rejoins(&self, frozen: &Frozen) -> bool {
        let same_data_plane = match (&self.api_url, &frozen.api_url) {
            (None, None) => true,
            (Some(today), Some(then)) => same_endpoint(today, then),
            _ => false,
        };
        let unchanged = same_data_plane && same_endpoint(&self.app_url, &frozen.app_url);
        let same_key = || {
            let mark = self.key_mark([frozen.api_url.as_deref(), Some(&frozen.app_url)]);
            mark.is_some() && mark == frozen.key_mark
        };
        unchanged || (!frozen.is_newer() && !frozen.endpoints_from_project && same_key())
    }

    fn key_mark(&self, endpoints: [Option<&str>; 2]) -> Option<String> {
        let key = self.api_key.as_ref()?.expose_secret();
        let mut hash = Sha256::new();
        for part in [Some("codex-tracing key"), Some(key)]
            .iter()
            .chain(&endpoints)
        {
            hash.update(part.unwrap_or_default());
            hash.update([0]);
        }
        let mark = format!("{:x}", hash.finalize());
        mark.get(..8).map(ToOwned::to_owned)
    }

    /// These settings with what was frozen when the session began put back.
    ///
    /// The key stays today's. Redaction only gets stricter: it is on if it was or is on, and
    /// today's extra rules run after those of the beginning. Endpoints are put back where
    /// [`BraintrustSettings::rejoins`] says so.
    ///
    /// ```
    /// use codex_tracing_config::{Context, Environment, Frozen, braintrust};
    ///
    /// let load = |pairs: &[(&str, &str)]| {
    ///     let env = Environment::from_pairs(pairs.iter().copied());
    ///     braintrust(&Context::new(env, "/nowhere".into())).settings
    /// };
    /// let began = load(&[("TRACE_TO_BRAINTRUST", "1"), ("BRAINTRUST_PROJECT", "first")]);
    /// let stored = serde_json::to_string(&began.freeze()).unwrap();
    ///
    /// let today = load(&[("BRAINTRUST_PROJECT", "second")]);
    /// let frozen = Frozen::read(stored.as_bytes(), &today).unwrap();
    /// let resumed = today.thaw(&frozen);
    /// assert!(resumed.common.enabled);
    /// assert_eq!(resumed.project, "first");
    /// ```
    #[must_use]
    pub fn thaw(mut self, frozen: &Frozen) -> Self {
        let rejoins = self.rejoins(frozen);
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
        if rejoins {
            self.api_url.clone_from(&frozen.api_url);
            self.app_url.clone_from(&frozen.app_url);
            self.endpoints_from_project = frozen.endpoints_from_project;
        }
        self
    }
}
