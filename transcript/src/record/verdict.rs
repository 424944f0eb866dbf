//! What the text of a tool output tells of the execution. Versions before 0.155 record no end of
//! shell commands, so this is all there is.

use serde_json::Value;

/// Findings in one tool output, taken from the original text.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The process's exit code.
    pub(crate) exit_code: Option<i32>,
    /// The output says that the call failed (beyond an exit code).
    pub(crate) failed: bool,
    /// The user or the policy refused.
    pub(crate) declined: bool,
    /// Cut short by the user.
    pub(crate) aborted: bool,
    /// The call returned while its process or cell goes on.
    pub(crate) going: Option<Going>,
    /// Thread and nickname of the agent a v1 `spawn_agent` made.
    pub(crate) agent: Option<(String, Option<String>)>,
    /// The turn that a message to a v1 agent led to.
    pub(crate) submission: Option<String>,
}

/// What goes on after its call has returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Going {
    /// A process, polled with `write_stdin`.
    Process(String),
    /// A code-mode cell, continued by `wait`.
    Cell(String),
}

/// Headers stand at the beginning; what the command printed must not be mistaken for them.
const HEADER_LINES: usize = 6;

/// How the first of them begins. A text that begins otherwise has none: it is all a tool's own words.
const HEADERS: [&str; 6] = [
    "Chunk ID:",
    "Wall time",
    "Exit code:",
    "Process ",
    "Script ",
    "aborted",
];

impl Verdict {
    pub(crate) fn of_text(text: &str) -> Self {
        if text.starts_with('{')
            && let Ok(value @ Value::Object(_)) = serde_json::from_str(text)
        {
            return Self::of_json(&value);
        }
        let mut verdict = Self {
            failed: FAILURES.iter().any(|start| text.starts_with(start)),
            declined: declined(text),
            ..Self::default()
        };
        if HEADERS.iter().any(|start| text.starts_with(start)) {
            let headers = text.lines().take(HEADER_LINES);
            headers
                .take_while(|line| *line != "Output:")
                .for_each(|line| verdict.header(line));
        }
        verdict
    }

    pub(crate) fn of_parts<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let mut verdict = Self::default();
        for text in texts.take(2) {
            let one = Self::of_text(text);
            let header = text.starts_with("Script ") || text.starts_with("Wall time");
            verdict.merge(one);
            if header {
                break;
            }
        }
        verdict
    }

    /// 0.128's `apply_patch` answers with `{"output", "metadata": {"exit_code"}}`, v1 agents with
    /// `{"agent_id", "nickname"}` or `{"submission_id"}`.
    pub(crate) fn of_json(value: &Value) -> Self {
        let exit_code = value
            .pointer("/metadata/exit_code")
            .and_then(Value::as_i64)
            .and_then(|code| i32::try_from(code).ok());
        let agent = value.get("agent_id").and_then(Value::as_str).map(|id| {
            let nickname = value.get("nickname").and_then(Value::as_str);
            (id.to_owned(), nickname.map(ToOwned::to_owned))
        });
        let submission = value.get("submission_id").and_then(Value::as_str);
        let output = value.get("output").and_then(Value::as_str);
        Self {
            exit_code,
            agent,
            submission: submission.map(ToOwned::to_owned),
            failed: value.get("isError") == Some(&Value::Bool(true)),
            declined: output.is_some_and(declined),
            ..Self::default()
        }
    }

    fn header(&mut self, line: &str) {
        let number = |prefix: &str| line.strip_prefix(prefix)?.trim().parse().ok();
        if let Some(code) = number("Process exited with code ").or_else(|| number("Exit code: ")) {
            self.exit_code = Some(code);
        } else if let Some(id) = line.strip_prefix("Process running with session ID ") {
            self.going = Some(Going::Process(id.trim().to_owned()));
        } else if let Some(id) = line.strip_prefix("Script running with cell ID ") {
            self.going = Some(Going::Cell(id.trim().to_owned()));
        } else if line.starts_with("Script failed") || line.starts_with("Script terminated") {
            self.failed = true;
        } else if matches!(line, "aborted" | "aborted by user")
            || line.starts_with("aborted by user after ")
        {
            self.aborted = true;
        }
    }

    fn merge(&mut self, other: Self) {
        self.exit_code = self.exit_code.or(other.exit_code);
        self.failed |= other.failed;
        self.declined |= other.declined;
        self.aborted |= other.aborted;
        self.going = self.going.take().or(other.going);
        self.agent = self.agent.take().or(other.agent);
        self.submission = self.submission.take().or(other.submission);
    }
}

const FAILURES: [&str; 11] = [
    "apply_patch verification failed",
    "unsupported call",
    "unsupported custom tool call",
    "failed to parse function arguments",
    "execution error",
    "exec_command failed",
    "write_stdin failed",
    "tool call error",
    "collab manager unavailable",
    "collab spawn failed",
    "collab tool failed",
];

/// How an answer begins that is a refusal of Codex's.
const REFUSALS: [&str; 4] = [
    "rejected by user",
    "exec command rejected",
    "patch rejected",
    "approval policy is Never; reject",
];

/// Refusals that nobody else words so: Codex may put them into a few words more.
const MCP_REFUSALS: [&str; 2] = [
    "user rejected MCP tool call",
    "user cancelled MCP tool call",
];

fn declined(text: &str) -> bool {
    let head = text
        .char_indices()
        .nth(300)
        .and_then(|(end, _)| text.get(..end))
        .unwrap_or(text);
    // A refusal is the whole answer: below a header stands what a command printed.
    if head.contains("Output:") {
        return false;
    }
    let holds = |refusals: &[&str]| refusals.iter().any(|refusal| head.contains(refusal));
    // ``exec_command failed for `…`: … Rejected("rejected by user")``
    let is_wrapped = head.starts_with("exec_command failed") && holds(&REFUSALS);
    is_wrapped || holds(&MCP_REFUSALS) || REFUSALS.iter().any(|refusal| head.starts_with(refusal))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &Verdict) {
        assert_eq!(&Verdict::of_text(text), expected, "{text:?}");
    }

    #[test]
    fn what_an_output_says_of_its_execution() {
        let none = Verdict::default();
        let exit = |code| Verdict {
            exit_code: Some(code),
            ..none.clone()
        };
        let failed = Verdict {
            failed: true,
            ..none.clone()
        };
        check("plain words", &none);
        check("", &none);
        check(
            "Chunk ID: 1\nWall time: 0.0\nProcess exited with code 3\nOutput:\nx",
            &exit(3),
        );
        check("Exit code: 1\nWall time: 0 seconds\nOutput:\n", &exit(1));
        check(r#"{"output":"x","metadata":{"exit_code":2}}"#, &exit(2));
        check("apply_patch verification failed: no such line", &failed);
        check("unsupported call: no_such_tool", &failed);
        check("Output:\nProcess exited with code 9", &none);
        check(
            "Wall time: 2.9 seconds\naborted by user",
            &Verdict {
                aborted: true,
                ..none.clone()
            },
        );
        check(
            "Process running with session ID 61925\n",
            &Verdict {
                going: Some(Going::Process("61925".to_owned())),
                ..none.clone()
            },
        );
        check(
            r#"{"agent_id":"a","nickname":"Plato"}"#,
            &Verdict {
                agent: Some(("a".to_owned(), Some("Plato".to_owned()))),
                ..none.clone()
            },
        );
        check(
            "exec command rejected by user",
            &Verdict {
                declined: true,
                ..none
            },
        );
    }

    #[test]
    fn words_of_a_tool_are_no_verdict_of_codex() {
        let none = Verdict::default();
        for text in [
            "collaborators: ann, bob",
            "Transaction was rejected by user 7.",
            "3 requests: 1 open, 2 where the user rejected the change",
            "hunk.patch rejected upstream",
            "aborted builds: 3",
            "nightly build\nProcess exited with code 1\nExit code: 1",
            "log:\nScript failed\naborted",
        ] {
            check(text, &none);
        }
    }

    #[test]
    fn a_refusal_is_known_however_codex_wraps_it() {
        for text in [
            "rejected by user",
            "patch rejected by user",
            "exec command rejected: \"forbidden\"",
            "approval policy is Never; reject command — you cannot ask for escalated permissions",
            "exec_command failed for `rm x`: CreateProcess { message: \"Rejected(\\\"rejected by user\\\")\" }",
            "user cancelled MCP tool call",
            "err: \"user rejected MCP tool call\"",
        ] {
            assert!(Verdict::of_text(text).declined, "{text}");
        }
    }

    #[test]
    fn agents_that_cannot_be_made_or_reached_have_failed() {
        for text in [
            "collab manager unavailable",
            "collab spawn failed: agent thread limit reached",
            "collab tool failed: no such agent",
        ] {
            assert!(Verdict::of_text(text).failed, "{text}");
        }
    }

    #[test]
    fn a_failed_script_is_found_in_its_first_part() {
        let parts = ["Script failed\nWall time 0.1 seconds\nOutput:\n", "boom"];
        assert!(Verdict::of_parts(parts.into_iter()).failed);
        let printed = [
            "Script completed\nWall time 0.1\nOutput:\n",
            "Script failed",
        ];
        assert!(!Verdict::of_parts(printed.into_iter()).failed);
    }
}
