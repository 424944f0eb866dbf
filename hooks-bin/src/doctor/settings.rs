//! Is tracing on, where to, with which key, and what of the settings could not be used?

use std::path::Path;

use codex_tracing_config::{Context, Layer, Place, Problem, Severity, Trust, Warning};

use super::finding::Finding;
use crate::backends::Opened;

/// What the settings alone tell. Without `enabled` and a key nothing arrives.
pub(crate) fn examine(opened: &Opened, context: &Context) -> Vec<Finding> {
    let mut findings = Vec::new();
    // First: what else is said is often the consequence.
    let (files, others): (Vec<_>, Vec<_>) = opened
        .warnings
        .iter()
        .filter(|warning| warning.severity() == Severity::Warning)
        .partition(|warning| warning.drops_file());
    findings.extend(files.into_iter().map(examine_file));
    findings.push(examine_switch(opened, context));
    if opened.common.enabled {
        findings.extend(examine_destinations(opened, &context.codex_home));
    }
    findings.extend(examine_project(opened));
    findings.extend(others.into_iter().map(|warning| {
        examine_address(warning, opened).unwrap_or_else(|| examine_warning(warning))
    }));
    let rules = opened.provenance.row("redact_extra_rules");
    let rules = rules.map_or_else(String::new, |row| format!("{}: ", row.origin));
    findings.extend(opened.rule_problems.iter().map(|problem| {
        Finding::warning(
            "redact-rule",
            format!("{rules}{problem}"),
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

/// A settings file that counts for nothing.
fn examine_file(warning: &Warning) -> Finding {
    let cure = match warning.problem {
        Problem::MalformedFile { .. } => {
            "correct that line; `codex-tracing config schema` lets an editor help"
        }
        Problem::Unexpected { .. } => {
            "make it one object, such as {\"enabled\": true}; `codex-tracing config schema` lets an \
             editor help"
        }
        _ => "make it a file that you can read, or take away what names it",
    };
    Finding::problem("settings-file", warning.to_string(), cure)
}

/// An address that could not be used: traces do not stay away, they go where another layer says.
fn examine_address(warning: &Warning, opened: &Opened) -> Option<Finding> {
    let name = match (&warning.key, &warning.origin.place) {
        // A destination of a list is left out as a whole.
        (Some(key), _) if !key.contains('[') => key.as_str(),
        (None, Place::Variable(name)) => name.as_ref(),
        _ => return None,
    };
    let key = match letters(name) {
        name if name.ends_with("appurl") => "app_url",
        name if name.ends_with("apiurl") || name.ends_with("endpoint") => "api_url",
        _ => return None,
    };
    let is_dropped = matches!(
        warning.problem,
        Problem::Unexpected { .. } | Problem::NotText
    );
    let row = opened.provenance.row(key);
    let instead = row.and_then(|row| row.value.as_str());
    let instead = instead.map_or_else(
        || "until then it counts as unset".to_owned(),
        |url| format!("until then {url} counts"),
    );
    let cure = format!("mend the address; {instead}");
    is_dropped.then(|| Finding::problem("setting-dropped", warning.to_string(), cure))
}

/// What could not be used as written. A key has words of its own: without it nothing arrives.
fn examine_warning(warning: &Warning) -> Finding {
    let text = warning.to_string();
    if warning.problem == Problem::Unencrypted {
        let cure = "use an https address, or one of this machine (localhost)";
        return Finding::warning("plain-http", text, cure);
    }
    let is_misspelt = matches!(
        warning.problem,
        Problem::UnknownKey { .. }
            | Problem::UnknownVariable { .. }
            | Problem::Twice
            | Problem::Repeated
    );
    if is_misspelt || !concerns_key(warning) {
        let cure = match warning.problem {
            Problem::NeedsTrust | Problem::Weakens => TRUST_IT,
            Problem::UnknownKey { .. } | Problem::UnknownVariable { .. } => {
                "correct its spelling, or remove it"
            }
            Problem::Twice | Problem::Repeated => "remove one of the two",
            Problem::DestinationLeftOut => "mend the value of it that is named above",
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
        Problem::NoReference { in_file, .. } => Finding::problem(
            "key-malformed",
            text,
            if *in_file {
                "write ${NAME} with the name of the variable that holds the key, or the key itself"
            } else {
                "export the key itself; in a shell, between double quotes or none"
            },
        ),
        Problem::NeedsTrust => Finding::warning("key-not-used", text, TRUST_IT),
        Problem::KeyNotForHost { .. } => Finding::warning(
            "key-not-used",
            text,
            "put a key for that host into the project's file, or the endpoint into one of your own",
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
    let named = |name: &str| letters(name).ends_with("apikey");
    match (&warning.key, &warning.origin.place) {
        (Some(key), _) => named(key),
        (None, Place::Variable(name)) => named(name),
        _ => false,
    }
}

/// A name without what sets its words apart, which spellings differ in.
fn letters(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

fn examine_switch(opened: &Opened, context: &Context) -> Finding {
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
    let (cause, elsewhere) = if given {
        let cause = format!("tracing is switched off by {source}");
        (cause, format!("change it there: {source}"))
    } else if let Some(file) = refused.map(|dropped| &dropped.origin) {
        let cause = format!(
            "tracing is off: only {file} switches it on, of a project that Codex does not know"
        );
        let cure = format!(
            "trust the project in Codex, or set {variable}=true in the shell that starts it"
        );
        return Finding::problem("tracing-off", cause, cure);
    } else {
        let others = opened.product.other_switches().iter();
        let mut set = others.filter(|name| context.env.get(name).is_some());
        let word = set.next().map_or_else(String::new, |name| {
            format!(" ({name} is for other tools of {})", opened.product.title())
        });
        let cause = format!("tracing is off: nothing switches it on{word}");
        let file = user_file(opened, &context.codex_home);
        (cause, format!("\"enabled\": true in {file}"))
    };
    let cure = format!("set {variable}=true in the shell that starts Codex, or {elsewhere}");
    Finding::problem("tracing-off", cause, cure)
}

/// The user's settings file that is read, or else the one to make.
fn user_file(opened: &Opened, codex_home: &Path) -> String {
    let read = opened.provenance.files.iter();
    let read = read.rev().find(|(layer, _)| *layer == Layer::User);
    let file = read.map_or_else(
        || codex_home.join(format!("{}.json", opened.product)),
        |(_, path)| path.clone(),
    );
    file.display().to_string()
}

fn examine_destinations(opened: &Opened, codex_home: &Path) -> Vec<Finding> {
    opened
        .backend
        .destinations()
        .iter()
        .map(|destination| {
            if destination.has_key {
                Finding::ok("destination", format!("traces go to {}", destination.label))
            } else {
                let variable = opened.product.key_variable();
                let file = user_file(opened, codex_home);
                Finding::problem(
                    "key-missing",
                    format!("there is no API key for {}", destination.label),
                    format!(
                        "set {variable} in the shell that starts Codex, or \"api_key\" in {file}"
                    ),
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
