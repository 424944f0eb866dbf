//! Is tracing on, where to, with which key, and what of the settings could not be used?

use codex_tracing_config::{Severity, Trust};

use super::finding::Finding;
use crate::backends::Opened;

/// What the settings alone tell. Without `enabled` and a key nothing arrives.
pub(crate) fn examine(opened: &Opened) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.push(examine_switch(opened));
    if opened.common.enabled {
        findings.extend(examine_destinations(opened));
    }
    findings.extend(examine_project(opened));
    findings.extend(
        opened
            .warnings
            .iter()
            .filter(|w| w.severity() == Severity::Warning)
            .map(|warning| {
                Finding::warning(
                    "setting-dropped",
                    warning.to_string(),
                    "mend the value named there",
                )
            }),
    );
    findings.extend(opened.rule_problems.iter().map(|problem| {
        Finding::warning(
            "redact-rule",
            problem.to_string(),
            "mend or remove that rule",
        )
    }));
    findings
        .into_iter()
        .map(|finding| finding.about(opened.name))
        .collect()
}

fn examine_switch(opened: &Opened) -> Finding {
    let row = opened
        .provenance
        .rows()
        .iter()
        .find(|row| matches!(row.key.as_str(), "enabled" | "traceToBraintrust"));
    let (source, given) = row.map_or_else(Default::default, |row| {
        (row.origin.to_string(), !row.value.is_null())
    });
    if opened.common.enabled {
        return Finding::ok("tracing-on", format!("tracing is on, by {source}"));
    }
    let variable = switch_variable(opened.name);
    let cause = if given {
        format!("tracing is switched off by {source}")
    } else {
        "tracing is off: nothing switches it on".to_owned()
    };
    Finding::problem(
        "tracing-off",
        cause,
        format!(
            "set {variable}=true in the shell that starts Codex, or the switch in a settings file"
        ),
    )
}

/// The variable that switches a backend on.
pub(crate) fn switch_variable(backend: &str) -> &'static str {
    if backend == "braintrust" {
        "TRACE_TO_BRAINTRUST"
    } else {
        "TRACE_TO_LANGSMITH"
    }
}

fn examine_destinations(opened: &Opened) -> Vec<Finding> {
    opened
        .backend
        .destinations()
        .iter()
        .map(|destination| {
            if destination.has_key {
                Finding::ok("destination", format!("traces go to {}", destination.label))
            } else {
                let variable = match opened.name {
                    "braintrust" => "BRAINTRUST_API_KEY",
                    _ => "LANGSMITH_API_KEY",
                };
                Finding::problem(
                    "key-missing",
                    format!("there is no API key for {}", destination.label),
                    format!("set {variable}, or the key in a settings file of your own"),
                )
            }
        })
        .collect()
}

fn examine_project(opened: &Opened) -> Option<Finding> {
    let project = opened.provenance.project.as_ref()?;
    let path = project.path.display();
    match project.trust {
        Trust::Trusted => None,
        Trust::Untrusted => Some(Finding::warning(
            "project-ignored",
            format!("{path} is ignored: Codex marks this project as untrusted"),
            "trust the project in Codex if it is yours",
        )),
        _ => Some(Finding::warning(
            "project-limited",
            format!("{path} counts only for harmless settings: Codex has no trust entry for it"),
            "trust the project in Codex, or set CODEX_TRACING_TRUST_PROJECT=1",
        )),
    }
}
