//! Braintrust, composed of its settings and its crate.
//!
//! A session keeps the settings of its first run, so that a resumed one continues the same trace
//! whatever the shell it is resumed from; the key alone is resolved afresh. Where it goes as long as nothing
//! has arrived is for whoever delivers.

use std::path::Path;
use std::sync::Arc;

use codex_tracing_braintrust::{Braintrust, record_line};
use codex_tracing_config::{BraintrustSettings, Common, Context, Frozen, Loaded, Product};
use codex_tracing_delivery::{SessionDir, append_private};

use super::{Kept, Opened, Registration, VERSION, redactor};
use crate::hook::gate::{Gate, Gatekeeper};

pub(super) const REGISTRATION: Registration = Registration {
    product: Product::Braintrust,
    plugin: "trace-codex",
    marketplace: "braintrust-codex-plugins",
    open,
    gate,
};

fn open(context: &Context, kept: Option<&Kept>) -> Opened {
    let loaded: Loaded<BraintrustSettings> = codex_tracing_config::braintrust(context);
    let (settings, keep) = put_back(loaded.settings, kept);
    let (redactor, rule_problems) = redactor(&settings.common);
    let backend = Braintrust::new(&settings, redactor.clone(), VERSION);
    Opened {
        product: Product::Braintrust,
        backend: Arc::new(backend),
        redactor,
        common: settings.common,
        provenance: loaded.provenance,
        warnings: loaded.warnings,
        rule_problems,
        parent_problem: None,
        keep,
    }
}

/// Today's settings with what was kept put back, and what is to be kept instead, if that is to
/// change.
fn put_back(
    today: BraintrustSettings,
    kept: Option<&Kept>,
) -> (BraintrustSettings, Option<Vec<u8>>) {
    let frozen = kept.and_then(|kept| Frozen::read(&kept.bytes, &today));
    let Some(frozen) = frozen else {
        return (today, None);
    };
    if kept.is_some_and(|kept| !kept.has_arrived) {
        let readdressed = frozen.clone().readdressed(&today);
        let keep = (readdressed != frozen).then(|| serde_json::to_vec(&readdressed).ok());
        return (today.thaw(&readdressed), keep.flatten());
    }
    if !today.rejoins(&frozen) {
        tracing::warn!(
            "the session began at other endpoints with another key; it goes on at today's"
        );
    }
    (today.thaw(&frozen), None)
}

fn gate(context: &Context) -> Gatekeeper {
    let settings = codex_tracing_config::braintrust(context).settings;
    Box::new(|session| resume(settings, session))
}

fn resume(settings: BraintrustSettings, session: &SessionDir) -> Option<Gate> {
    let kept = session
        .settings()
        .and_then(|bytes| Frozen::read(&bytes, &settings));
    let (settings, keep) = if let Some(frozen) = kept {
        (settings.thaw(&frozen), None)
    } else {
        let keep = serde_json::to_vec(&settings.freeze()).ok();
        (settings, keep)
    };
    let gate = Gate::of(&settings.common)?.keeping(keep);
    let common = settings.common;
    Some(match settings.record_file {
        Some(file) => gate.recording(Box::new(move |event| record(&file, &common, event))),
        None => gate,
    })
}

/// Appends the event, redacted, to the record file. Failing costs only that.
fn record(file: &Path, common: &Common, event: &[u8]) {
    let (redactor, _) = redactor(common);
    let line = std::str::from_utf8(event)
        .ok()
        .and_then(|text| record_line(text, None, &redactor).ok());
    if let Some(line) = line {
        let _ = append_private(file, format!("{line}\n").as_bytes());
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
        let pass = || gate(&context)(&session);
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
