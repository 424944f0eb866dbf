//! Row ids: a function of thread, turn, kind and key alone, so that sending again overwrites.

use uuid::Uuid;

/// The namespace of all ids of this crate (itself a version 5 UUID of the project's name).
const NAMESPACE: Uuid = Uuid::from_u128(0x5d0a_4c2e_7f4b_5a86_9d35_1c6e_b0a2_47f1);

/// Separates the parts of a name; occurs in no id that Codex writes.
const SEPARATOR: char = '\u{1f}';

/// Id of the session's root span, from its root thread.
pub(crate) fn session(root_thread: &str) -> String {
    name(&["session", root_thread])
}

/// Id of a subagent's span, from its thread.
pub(crate) fn subagent(thread: &str) -> String {
    name(&["subagent", thread])
}

/// Id of a turn's span.
pub(crate) fn turn(thread: &str, turn: &str) -> String {
    name(&["turn", thread, turn])
}

/// Id of a model call's span, from its position in the turn.
pub(crate) fn model_call(thread: &str, turn: &str, index: usize) -> String {
    name(&["llm", thread, turn, &index.to_string()])
}

/// Id of a tool call's span. `occurrence` counts calls of the turn that share `call`, from 0.
pub(crate) fn tool(thread: &str, turn: &str, call: &str, occurrence: usize) -> String {
    name(&["tool", thread, turn, call, &occurrence.to_string()])
}

/// Id of a compaction's span, from its position in the turn.
pub(crate) fn compaction(thread: &str, turn: &str, index: usize) -> String {
    name(&["compaction", thread, turn, &index.to_string()])
}

/// Id of a destination, fit for a file name.
pub(crate) fn destination(endpoint: &str, organisation: &str, project: &str) -> String {
    name(&["destination", endpoint, organisation, project])
}

/// A digest of bytes, as hexadecimal digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Uuid::new_v5(&NAMESPACE, bytes).simple().to_string()
}

fn name(parts: &[&str]) -> String {
    let mut name = String::new();
    for part in parts {
        name.push_str(part);
        name.push(SEPARATOR);
    }
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_released_versions_never_change() {
        let ids = [
            session("t"),
            subagent("t"),
            turn("t", "1"),
            model_call("t", "1", 0),
            tool("t", "1", "c", 0),
            compaction("t", "1", 0),
        ];
        insta::assert_json_snapshot!(ids);
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(turn("ab", "c"), turn("a", "bc"));
        assert_ne!(tool("t", "1", "c", 0), tool("t", "1", "c", 1));
    }
}
