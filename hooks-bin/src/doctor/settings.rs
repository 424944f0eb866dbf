//! Is tracing on, where to, with which key, and what of the settings could not be used?

use codex_tracing_config::{Place, Problem, Severity, Trust, Warning};

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
    let warnings = opened.warnings.iter();
    findings.extend(
        warnings
            .filter(|warning| warning.severity() == Severity::Warning)
            .map(examine_warning),
    );
    findings.extend(opened.rule_problems.iter().map(|problem| {
        Finding::warning(
            "redact-rule",
            problem.to_string(),
            "mend or remove that rule",
        )
    }));
    findings.extend(opened.parent_problem.as_ref().map(|problem| {
        Finding::warning(
            "parent-headers",
            problem,
            "pass on both headers as the caller's tracing wrote them, or leave them out",
        )
    }));
    findings
        .into_iter()
        .map(|finding| finding.about(opened.product.name()))
        .collect()
}

/// What a setting wants that a project may not make without Codex's trust.
const TRUST_IT: &str = "trust the project in Codex, set CODEX_TRACING_TRUST_PROJECT=1, or set it in \
                        a file of your own";

/// What could not be used as written. A key has words of its own: without it nothing arrives.
fn examine_warning(warning: &Warning) -> Finding {
    let text = warning.to_string();
    if warning.problem == Problem::Unencrypted {
        let cure = "use an https address, or one of this machine (localhost)";
        return Finding::warning("plain-http", text, cure);
    }
    if !concerns_key(warning) {
        let cure = match warning.problem {
            Problem::NeedsTrust | Problem::Weakens => TRUST_IT,
            _ => "mend the value named there",
        };
        return Finding::warning("setting-dropped", text, cure);
    }
    match &warning.problem {
        Problem::UnsetVariable { name, .. } => Finding::problem(
            "key-malformed",
            text,
            format!("set {name} in the shell that starts Codex, or write the key there"),
        ),
        Problem::NoVariable => Finding::problem(
            "key-malformed",
            text,
            "write the key without ${ and }, or the name of the variable that holds it",
        ),
        Problem::NeedsTrust | Problem::KeyNotForHost { .. } => Finding::warning(
            "key-not-used",
            text,
            "trust the project in Codex, or give endpoint and key in one place of your own",
        ),
        _ => Finding::problem(
            "key-malformed",
            text,
            "copy the key again from the product's settings: one word, no quotes, no line breaks",
        ),
    }
}

/// Whether the warning is about a key: its variable or field is named so.
fn concerns_key(warning: &Warning) -> bool {
    let named = |name: &str| {
        let plain: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        plain.ends_with("apikey")
    };
    match (&warning.key, &warning.origin.place) {
        (Some(key), _) => named(key),
        (None, Place::Variable(name)) => named(name),
        _ => false,
    }
}

fn examine_switch(opened: &Opened) -> Finding {
    let row = opened.provenance.row("enabled");
    let (source, given) = row.map_or_else(Default::default, |row| {
        let given = !row.value.is_null() && row.origin.place != Place::BuiltIn;
        (row.origin.to_string(), given)
    });
    let needs_trust = Problem::NeedsTrust.to_string();
    let mut refused = row.into_iter().flat_map(|row| &row.dropped);
    let refused = refused.find(|dropped| dropped.reason == needs_trust);
    if opened.common.enabled {
        return Finding::ok("tracing-on", format!("tracing is on, by {source}"));
    }
    let variable = opened.product.switch_variable();
    let cause = if given {
        format!("tracing is switched off by {source}")
    } else if let Some(file) = refused.map(|dropped| &dropped.origin) {
        let cause = format!(
            "tracing is off: only {file} switches it on, of a project that Codex does not know"
        );
        let cure = format!(
            "trust the project in Codex, or set {variable}=true in the shell that starts it"
        );
        return Finding::problem("tracing-off", cause, cure);
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

fn examine_destinations(opened: &Opened) -> Vec<Finding> {
    opened
        .backend
        .destinations()
        .iter()
        .map(|destination| {
            if destination.has_key {
                Finding::ok("destination", format!("traces go to {}", destination.label))
            } else {
                let variable = opened.product.key_variable();
                Finding::problem(
                    "key-missing",
                    format!("there is no API key for {}", destination.label),
                    format!("set {variable}, or the key in a settings file of your own"),
                )
            }
        })
        .collect()
}

/// A file with a key in it that others can see.
pub(crate) fn examine_key_file(problem: &Warning) -> Finding {
    let text = problem.to_string();
    let place = &problem.origin;
    match problem.problem {
        Problem::TrackedByGit => Finding::warning(
            "key-file-tracked",
            text,
            "put ${VARIABLE} in the key's place, or `git rm --cached` the file and make a new key: \
             the old one is in the history",
        ),
        _ => Finding::warning("key-file-readable", text, format!("chmod 600 on {place}")),
    }
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
