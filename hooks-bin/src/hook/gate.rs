//! Is tracing on for this session, and how?

use std::path::PathBuf;

use codex_tracing_config::{BraintrustSettings, Common, Context, Frozen};
use codex_tracing_delivery::{SessionDir, append_private};

use crate::backends;

/// What the hook needs of the settings.
pub(crate) struct Gate {
    /// Whether the turn's end waits for delivery.
    pub(crate) flushes: bool,
    /// Whether threads start muted.
    pub(crate) default_muted: bool,
    record: Option<(PathBuf, Common)>,
    /// Settings to keep for the session's later runs, encoded.
    keep: Option<Vec<u8>>,
}

/// Settings that are resolved and wait for the session: `None` if it is not traced.
pub(crate) type Gatekeeper = Box<dyn FnOnce(&SessionDir) -> Option<Gate>>;

impl Gate {
    /// For LangSmith.
    pub(crate) fn langsmith(context: &Context) -> Gatekeeper {
        let common = codex_tracing_config::langsmith(context).settings.common;
        Box::new(move |_| Self::of(&common))
    }

    /// For Braintrust.
    ///
    /// A session keeps the settings of its first run, so that a resumed one continues
    /// the same trace whatever the shell it is resumed from; the key alone is resolved afresh.
    pub(crate) fn braintrust(context: &Context) -> Gatekeeper {
        let settings = codex_tracing_config::braintrust(context).settings;
        Box::new(|session| Self::resumed(settings, session))
    }

    fn resumed(settings: BraintrustSettings, session: &SessionDir) -> Option<Self> {
        let kept = session
            .settings()
            .and_then(|bytes| Frozen::read(&bytes, &settings));
        let (settings, keep) = if let Some(frozen) = kept {
            (settings.thaw(&frozen), None)
        } else {
            let keep = serde_json::to_vec(&settings.freeze()).ok();
            (settings, keep)
        };
        let gate = Self::of(&settings.common)?;
        let record = settings.record_file.map(|file| (file, settings.common));
        Some(Self {
            record,
            keep,
            ..gate
        })
    }

    fn of(common: &Common) -> Option<Self> {
        common.enabled.then_some(Self {
            flushes: common.flush_on_turn_end,
            default_muted: common.default_muted,
            record: None,
            keep: None,
        })
    }

    /// Keeps the settings of a session's first run. Failing costs only that.
    pub(crate) fn keep_settings(&self, session: &SessionDir) {
        if let Some(bytes) = &self.keep {
            let _ = session.keep_settings(bytes);
        }
    }

    /// Appends the event, redacted, to the record file, where one is set. Failing costs only that.
    pub(crate) fn record(&self, text: &[u8]) {
        let Some((path, common)) = &self.record else {
            return;
        };
        let text = std::str::from_utf8(text).ok();
        let (redactor, _) = backends::redactor(common);
        let line =
            text.and_then(|text| codex_tracing_braintrust::record_line(text, None, &redactor).ok());
        if let Some(line) = line {
            let _ = append_private(path, format!("{line}\n").as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use codex_tracing_config::Environment;
    use codex_tracing_delivery::StateDir;

    use super::*;

    #[test]
    fn settings_of_a_newer_version_are_in_force_and_left_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let session = StateDir::at(folder.path()).session("s").unwrap();
        let env = Environment::from_pairs([("TRACE_TO_BRAINTRUST", "true")]);
        let mut context = Context::new(env, "/nowhere".into());
        context.team_dir = "/nowhere/team".into();
        let pass = || (Gate::braintrust(&context))(&session);
        for (kept, passes, is_left) in [
            (r#"{"v":2,"enabled":{"since":1}}"#, true, true),
            (r#"{"v":2,"enabled":false}"#, false, true),
            (r#"{"enabled":true,"#, true, false),
        ] {
            session.keep_settings(kept.as_bytes()).unwrap();
            let gate = pass();
            assert_eq!(gate.is_some(), passes, "{kept}");
            if let Some(gate) = gate {
                gate.keep_settings(&session);
            }
            let now = session.settings().unwrap();
            assert_eq!(now == kept.as_bytes(), is_left, "{kept}");
        }
    }
}
