//! What the JavaScript plugin has already sent.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The file beside a rollout in which the JavaScript plugin notes the turns it is done with:
/// `<rollout>.langsmith`.
pub fn sidecar(rollout: &Path) -> PathBuf {
    let mut name = OsString::from(rollout.as_os_str());
    name.push(".langsmith");
    PathBuf::from(name)
}

/// The turn ids that a sidecar's text names.
///
/// Early versions wrote one id a line, later ones one object a line:
/// `{"turnId":"…","state":"uploaded" | "backlog" | "off"}`. Each state means that the turn is not
/// to be sent (again): it was sent, left behind on purpose, or muted. Lines of other shapes are
/// passed over.
pub fn sidecar_turns(text: &str) -> BTreeSet<String> {
    text.lines().filter_map(turn_of).collect()
}

fn turn_of(line: &str) -> Option<String> {
    let line = line.trim();
    if line.starts_with('{') {
        let entry: Value = serde_json::from_str(line).ok()?;
        return Some(entry.get("turnId")?.as_str()?.to_owned());
    }
    let is_id = !line.is_empty() && !line.contains(|c: char| c.is_whitespace() || c == '"');
    is_id.then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_are_read_and_torn_lines_passed_over() {
        let text = "turn-1\r\n\n{\"turnId\":\"turn-2\",\"state\":\"uploaded\"}\n\
                    {\"turnId\":\"turn-3\",\"state\":\"off\"}\n{\"state\":\"off\"}\n{\"turnId\":\"tu";
        let turns = sidecar_turns(text);
        assert_eq!(
            turns.into_iter().collect::<Vec<_>>(),
            ["turn-1", "turn-2", "turn-3"]
        );
    }

    #[test]
    fn the_sidecar_stands_beside_the_rollout() {
        let path = sidecar(Path::new("/s/rollout-x.jsonl"));
        assert_eq!(path, Path::new("/s/rollout-x.jsonl.langsmith"));
    }
}
