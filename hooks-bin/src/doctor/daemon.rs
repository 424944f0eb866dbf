//! Does a running Codex daemon see the settings that this shell has?
//!
//! From Codex 0.158 on the terminal interface may run in a daemon that keeps the environment of the
//! shell that first started it; hooks inherit that one. Its process is named in
//! `<codex home>/app-server-daemon/daemon.pid`. The environment of another process can be read on
//! Linux only.

use std::collections::BTreeMap;
use std::path::Path;

use codex_tracing_config::{Context, Environment, Product, env_table};
use serde::Deserialize;

use super::finding::Finding;

#[derive(Deserialize)]
struct PidFile {
    pid: u32,
}

/// Compares the daemon's environment with this shell's, variable by variable; names only.
pub(crate) fn examine(product: Product, context: &Context) -> Option<Finding> {
    let pid = daemon_pid(&context.codex_home)?;
    let bytes = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    compare(product, pid, &parse(&bytes), &context.env)
}

fn daemon_pid(codex_home: &Path) -> Option<u32> {
    let file = codex_home.join("app-server-daemon").join("daemon.pid");
    let text = std::fs::read_to_string(file).ok()?;
    serde_json::from_str::<PidFile>(&text)
        .ok()
        .map(|found| found.pid)
}

/// `NAME=value` pairs, each ended by a NUL.
fn parse(bytes: &[u8]) -> Environment {
    let pairs: BTreeMap<String, String> = bytes
        .split(|byte| *byte == 0)
        .filter_map(|pair| {
            let (name, value) = std::str::from_utf8(pair).ok()?.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        })
        .collect();
    Environment::from_pairs(pairs)
}

fn compare(
    product: Product,
    pid: u32,
    daemon: &Environment,
    shell: &Environment,
) -> Option<Finding> {
    let differ: Vec<&str> = env_table()
        .iter()
        .filter(|variable| variable.concerns(product))
        .map(|variable| variable.name)
        .filter(|name| daemon.get(name) != shell.get(name))
        .collect();
    if differ.is_empty() {
        return None;
    }
    let names = differ.join(", ");
    Some(
        Finding::warning(
            "daemon-environment",
            format!(
                "a Codex daemon (process {pid}) runs with another environment than this shell: \
                 {names} differ, and hooks of the terminal interface see the daemon's"
            ),
            "put settings into a file (they are read each time), or end the daemon and start Codex \
             from this shell",
        )
        .about(product.name()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_only_one_of_them_has_is_named_without_its_value() {
        let daemon = parse(b"PATH=/bin\0LANGSMITH_API_KEY=planted-secret\0");
        let shell = Environment::from_pairs([("TRACE_TO_LANGSMITH", "true")]);
        let finding = compare(Product::LangSmith, 7, &daemon, &shell).unwrap();
        assert!(finding.cause.contains("LANGSMITH_API_KEY"));
        assert!(finding.cause.contains("TRACE_TO_LANGSMITH"));
        assert!(!finding.cause.contains("planted-secret"));
    }

    #[test]
    fn the_same_environment_is_no_finding() {
        let shell = Environment::from_pairs([("TRACE_TO_LANGSMITH", "true"), ("OTHER", "1")]);
        let daemon = parse(b"TRACE_TO_LANGSMITH=true\0");
        assert_eq!(compare(Product::LangSmith, 7, &daemon, &shell), None);
        assert_eq!(compare(Product::Braintrust, 7, &daemon, &shell), None);
    }
}
