//! A tool call as a tool run.

use std::borrow::Cow;

use codex_tracing_transcript::{Arguments, Output, ToolCall, ToolStatus, Turn};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Scene;
use super::messages::tool_message;
use super::metadata::Stamp;
use crate::ids::{Identity, Kind};
use crate::place::Place;
use crate::run::{Json, Operation, Run, RunType};

/// Inputs: the arguments. Outputs: what the execution's end record said, and the message to the
/// model.
pub(super) fn run(
    scene: &Scene<'_>,
    stamp: &Stamp,
    parent: &Place,
    at: Timestamp,
    tool: &ToolCall,
) -> Run {
    let turn = scene.view.turn;
    let identity = Identity {
        thread: &turn.thread_id,
        turn: &turn.id,
        kind: Kind::Tool,
        key: &key(turn, tool),
    };
    Run {
        operation: Operation::Whole,
        place: Place::below(Some(parent), at, &identity),
        name: tool.name.clone(),
        kind: RunType::Tool,
        ended_at: scene.end(tool.window.ended_at),
        inputs: inputs(&tool.arguments),
        outputs: outputs(tool),
        error: scene.error(error(tool)),
        metadata: metadata(scene, stamp, tool),
        runtime: stamp.runtime(),
        tags: Vec::new(),
    }
}

/// The call id, which is unique in a turn; should a model use one twice, with a number.
fn key<'a>(turn: &Turn, tool: &'a ToolCall) -> Cow<'a, str> {
    let before = turn
        .tools
        .iter()
        .take_while(|other| !std::ptr::eq(*other, tool));
    match before.filter(|other| other.id == tool.id).count() {
        0 => Cow::Borrowed(&tool.id),
        count => Cow::Owned(format!("{}#{}", tool.id, count + 1)),
    }
}

fn inputs(arguments: &Arguments) -> Json {
    match arguments {
        Arguments::Json(value) => Json::of(&json!({ "input": value })),
        Arguments::Text(text) | Arguments::Malformed(text) => Json::of(&json!({ "input": text })),
    }
}

fn outputs(tool: &ToolCall) -> Option<Json> {
    let mut fields = tool.details.clone();
    if let Some(code) = tool.outcome.exit_code {
        fields.insert("exit_code".to_owned(), json!(code));
    }
    if !tool.changes.is_empty() {
        fields.insert("changes".to_owned(), json!(tool.changes));
    }
    let status = match tool.outcome.status {
        ToolStatus::Running => None,
        ToolStatus::Completed => Some("completed"),
        ToolStatus::Failed => Some("failed"),
        ToolStatus::Declined => Some("declined"),
        ToolStatus::Interrupted => Some("interrupted"),
    }?;
    fields.insert("status".to_owned(), json!(status));
    let message = tool
        .outcome
        .output
        .as_ref()
        .map(|output| tool_message(&tool.id, output));
    let messages: Vec<Value> = message.into_iter().collect();
    fields.insert("messages".to_owned(), json!(messages));
    Some(Json::of(&fields))
}

/// Set for all that did not end well: what the execution said of it. Of a command that failed
/// nothing says more than what it printed.
fn error(tool: &ToolCall) -> Option<String> {
    let word = match tool.outcome.status {
        ToolStatus::Running | ToolStatus::Completed => return None,
        ToolStatus::Failed => match tool.outcome.exit_code {
            Some(code) => format!("Exit code: {code}"),
            None => "Failed".to_owned(),
        },
        ToolStatus::Declined => "Declined".to_owned(),
        ToolStatus::Interrupted => "Interrupted".to_owned(),
    };
    let told = tool.outcome.error.as_deref().map(str::trim);
    let told = told.filter(|text| !text.is_empty());
    let is_bare = told.is_none_or(|text| text.to_ascii_lowercase().starts_with("exit code"));
    let printed = || printed(tool).filter(|_| tool.outcome.status == ToolStatus::Failed && is_bare);
    Some(printed().or(told).unwrap_or(&word).to_owned())
}

/// What a command printed, without the lines that Codex puts before it for the model.
fn printed(tool: &ToolCall) -> Option<&str> {
    let Some(Output::Text(text)) = &tool.outcome.output else {
        return None;
    };
    let has_preface = text.starts_with("Chunk ID:") || text.starts_with("Exit code:");
    let printed = match text.split_once("\nOutput:\n") {
        Some((_, printed)) if has_preface => printed,
        _ => text.as_str(),
    };
    Some(printed.trim()).filter(|text| !text.is_empty())
}

fn metadata(scene: &Scene<'_>, stamp: &Stamp, tool: &ToolCall) -> Map<String, Value> {
    let model = tool
        .model_call
        .and_then(|index| scene.view.turn.calls.get(index));
    let mut metadata = stamp.tool(scene, model.and_then(|call| call.model.as_deref()));
    let mut set = |name: &str, value: Value| metadata.insert(name.to_owned(), value);
    set("tool_call_id", json!(tool.id));
    if let Some(namespace) = &tool.namespace {
        set("tool_namespace", json!(namespace));
    }
    if let Some(server) = &tool.mcp_server {
        set("mcp_server", json!(server));
    }
    if let Some(cell) = &tool.parent {
        set("parent_tool_call_id", json!(cell));
    }
    if let Some(skill) = skill(&tool.arguments).filter(|_| scene.is_full()) {
        set("ls_skill_name", json!(skill));
    }
    if let Some(approval) = tool.approval.as_ref().filter(|_| scene.is_full()) {
        set("approval", json!(approval));
    }
    metadata
}

/// The skill that a command reads: `…/skills/<name>/SKILL.md` somewhere in the arguments.
fn skill(arguments: &Arguments) -> Option<String> {
    let text = match arguments {
        Arguments::Json(value) => Cow::Owned(value.to_string()),
        Arguments::Text(text) => Cow::Borrowed(text.as_str()),
        Arguments::Malformed(_) => return None,
    };
    let (path, _) = text.split_once("/SKILL.md")?;
    let (_, below) = path.rsplit_once("/skills/")?;
    let name = below.rsplit('/').next()?;
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_path = !below.contains(|c: char| c.is_whitespace() || c == '"');
    (is_path && !name.is_empty() && name.chars().all(is_name)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(output: &str, told: Option<&str>) -> Option<String> {
        error(&ToolCall {
            id: "call_1".to_owned(),
            name: "exec_command".to_owned(),
            namespace: None,
            mcp_server: None,
            kind: codex_tracing_transcript::ToolKind::Shell,
            arguments: Arguments::Text(String::new()),
            outcome: codex_tracing_transcript::Outcome {
                status: ToolStatus::Failed,
                output: Some(Output::Text(output.to_owned())),
                exit_code: Some(3),
                error: told.map(str::to_owned),
            },
            window: codex_tracing_transcript::Window {
                started_at: Timestamp::UNIX_EPOCH,
                ended_at: None,
            },
            model_call: None,
            parent: None,
            approval: None,
            changes: Vec::new(),
            details: Map::new(),
        })
    }

    #[test]
    fn the_error_of_a_command_is_what_it_printed() {
        let check = |output: &str, told: Option<&str>, expected: &str| {
            assert_eq!(
                failed(output, told).as_deref(),
                Some(expected),
                "{output:?} {told:?}"
            );
        };
        let preface = "Chunk ID: 1\nProcess exited with code 3\nOutput:\n";
        check(
            &format!("{preface}no such file\n"),
            Some("exit code 3"),
            "no such file",
        );
        check(preface, Some("exit code 3"), "exit code 3");
        check("plain", Some("exit code 3"), "plain");
        check("plain\nOutput:\nx", None, "plain\nOutput:\nx");
        check("plain", Some("the sandbox said no"), "the sandbox said no");
        check("", None, "Exit code: 3");
    }

    #[test]
    fn a_skill_is_named_after_the_file_that_is_read() {
        let check = |command: &str, expected: Option<&str>| {
            let found = skill(&Arguments::Json(json!({ "cmd": command })));
            assert_eq!(found.as_deref(), expected, "{command}");
        };
        check("cat ~/.codex/skills/deploy/SKILL.md", Some("deploy"));
        check(
            "sed -n 1,80p /a/skills/.system/imagegen/SKILL.md | head",
            Some("imagegen"),
        );
        check("cat SKILL.md", None);
        check("ls /a/skills/ && cat b/SKILL.md", None);
        check("cat /a/skills/deploy/README.md", None);
    }
}
