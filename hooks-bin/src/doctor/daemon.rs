//! Does a running Codex daemon see the settings that this shell has?
//!
//! From Codex 0.158 on the terminal interface may run in a daemon that keeps the environment of the
//! shell that first started it; hooks inherit that one. Its process is named in
//! `<codex home>/app-server-daemon/daemon.pid`, a file that outlives it if it is killed. The environment
//! of another process can be read on Linux only.

use std::collections::BTreeMap;
use std::path::Path;

use codex_tracing_config::{Context, Environment, Product, env_table};
use serde::Deserialize;

use super::finding::Finding;

#[derive(Deserialize)]
struct PidFile {
    pid: u32,
    /// Newer versions tell which process had this id.
    #[serde(rename = "processIdentity")]
    identity: Option<serde_json::Value>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    boot_id: String,
    start_ticks: u64,
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
    let found: PidFile = serde_json::from_str(&text).ok()?;
    // One in words that are not known says as much as none.
    let told = found
        .identity
        .and_then(|told| serde_json::from_value(told).ok());
    // After the next start of the system another process has this id.
    let is_same = |told: Identity| identity_of(found.pid) == Some(told);
    told.is_none_or(is_same).then_some(found.pid)
}

fn identity_of(pid: u32) -> Option<Identity> {
    let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(Identity {
        boot_id: boot_id.trim().to_owned(),
        start_ticks: start_ticks(&stat)?,
    })
}

/// The 22nd field; the second is a name in parentheses, in which anything may stand.
fn start_ticks(stat: &str) -> Option<u64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.split_whitespace().nth(19)?.parse().ok()
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

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_has_only_the_id_of_one_that_was_killed_is_no_daemon() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("app-server-daemon");
        std::fs::create_dir(&folder).unwrap();
        let pid = std::process::id();
        let Identity {
            boot_id,
            start_ticks,
        } = identity_of(pid).unwrap();
        let told = |ticks: u64| {
            let text = format!(
                r#"{{"pid":{pid},"processStartTime":"Wed Nov 25 22:44:04 2026",
                "processIdentity":{{"bootId":"{boot_id}","startTicks":{ticks}}}}}"#
            );
            std::fs::write(folder.join("daemon.pid"), text).unwrap();
            daemon_pid(home.path())
        };
        assert_eq!(told(start_ticks), Some(pid));
        assert_eq!(told(start_ticks + 1), None);
        for text in [
            format!(r#"{{"pid":{pid}}}"#),
            format!(r#"{{"pid":{pid},"processIdentity":"of another kind"}}"#),
        ] {
            std::fs::write(folder.join("daemon.pid"), text).unwrap();
            assert_eq!(daemon_pid(home.path()), Some(pid));
        }
    }

    #[test]
    fn the_start_is_found_behind_any_name() {
        let stat = "7 (a) S 1 (b) S 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 2465664 21 22";
        assert_eq!(start_ticks(stat), Some(2_465_664));
        assert_eq!(start_ticks("7 (a) S 1"), None);
    }
}
