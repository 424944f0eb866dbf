//! End records of executions: items of newer versions, events of older ones, the same fields.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::{Arguments, Output, Scrub, ToolCall, ToolKind, ToolStatus, fail};
use crate::FileChange;
use crate::record::structured;
use crate::wire::{Fields, raw_string, raw_value};

/// Whether the record tells of an execution, and not of an agent's progress.
pub(super) fn is_execution(end: &Fields<'_>) -> bool {
    !matches!(end.kind.as_str(), "SubAgentActivity" | "sub_agent_activity")
        || end.activity.as_str() == "started"
}

/// Native name and kind of a tool known by its end record only.
pub(super) fn named<'e>(end: &'e Fields<'_>) -> (&'e str, ToolKind) {
    match end.kind.as_str() {
        "CommandExecution" | "exec_command_end" => ("exec_command", ToolKind::Shell),
        "FileChange" | "patch_apply_end" => ("apply_patch", ToolKind::Patch),
        "McpToolCall" | "mcp_tool_call_end" => ("mcp", ToolKind::Mcp),
        "WebSearch" | "web_search_end" => ("web_search", ToolKind::WebSearch),
        "ImageView" | "view_image_tool_call" => ("view_image", ToolKind::ImageView),
        "ImageGeneration" | "image_generation_end" => {
            ("image_generation", ToolKind::ImageGeneration)
        }
        "CollabAgentToolCall" => (end.tool.as_str(), ToolKind::Agent),
        "SubAgentActivity" | "sub_agent_activity" | "collab_agent_spawn_end" => {
            ("spawn_agent", ToolKind::Agent)
        }
        _ if !end.tool.as_str().is_empty() => (end.tool.as_str(), ToolKind::Function),
        kind => (kind, ToolKind::Function),
    }
}

/// `completed_at_ms`, unless it lies outside of what the records around it say.
pub(super) fn ended_at(end: &Fields<'_>, started_at: Timestamp, at: Timestamp) -> Timestamp {
    let at = at.max(started_at);
    instant(end.completed_at_ms.0)
        .unwrap_or(at)
        .clamp(started_at, at)
}

pub(super) fn started_at(end: &Fields<'_>, at: Timestamp) -> Timestamp {
    instant(end.started_at_ms.0).unwrap_or(at).min(at)
}

/// MCP calls wait for one another and record their real beginning, or at least how long they took.
pub(super) fn exact_start(end: &Fields<'_>, ended_at: Timestamp) -> Option<Timestamp> {
    if !matches!(end.kind.as_str(), "McpToolCall" | "mcp_tool_call_end") {
        return None;
    }
    instant(end.started_at_ms.0).or_else(|| {
        let took = raw_value(end.duration)?;
        let number = |name| took.get(name).and_then(Value::as_i64);
        let nanos = i32::try_from(number("nanos")?).ok()?;
        // Both numbers are the file's: their sum may be more than a duration holds.
        let took = SignedDuration::from_secs(number("secs")?)
            .checked_add(SignedDuration::from_nanos(i64::from(nanos)))?;
        ended_at.checked_sub(took).ok()
    })
}

pub(super) fn instant(ms: Option<i64>) -> Option<Timestamp> {
    Timestamp::from_millisecond(ms?).ok()
}

/// The script a shell was given: the last word of `["/bin/bash", "-lc", script]`.
fn command_line(end: &Fields<'_>) -> Option<String> {
    match raw_value(end.command)? {
        Value::Array(words) => Some(words.last()?.as_str()?.to_owned()),
        Value::String(line) => Some(line),
        _ => None,
    }
    .filter(|line| !line.is_empty())
}

/// Words that may stand in the script of the cell that made this call: a shell's script, the tool of
/// an MCP server, the names of the files that a patch changed.
pub(super) fn words(end: &Fields<'_>) -> impl Iterator<Item = String> {
    let tool = end.tool.owned().or_else(|| {
        let invocation = raw_value(end.invocation)?;
        Some(invocation.get("tool")?.as_str()?.to_owned())
    });
    let files = match raw_value(end.changes) {
        Some(Value::Object(files)) => files,
        _ => Map::new(),
    };
    let name = |path: String| path.rsplit(['/', '\\']).next().map(ToOwned::to_owned);
    let names = files.into_iter().filter_map(move |(path, _)| name(path));
    command_line(end).into_iter().chain(tool).chain(names)
}

/// Takes over what the record has. Output only where the model is not told by a record of its
/// own: that of nested calls.
pub(super) fn apply(call: &mut ToolCall, end: &Fields<'_>, nested: bool, scrub: &dyn Scrub) {
    if let Some(code) = end.exit_code.0.and_then(|code| i32::try_from(code).ok()) {
        call.outcome.exit_code = Some(code);
    }
    call.details.append(&mut details(end, scrub));
    if let Some(changes) = raw_value(end.changes) {
        call.changes = file_changes(structured(changes, scrub), scrub);
    }
    mcp(call, end, nested, scrub);
    if nested {
        nested_call(call, end, scrub);
    }
    judge(call, end, scrub);
}

fn judge(call: &mut ToolCall, end: &Fields<'_>, scrub: &dyn Scrub) {
    let succeeded = raw_value(end.success).and_then(|value| value.as_bool());
    match (end.status.as_str(), call.outcome.exit_code, succeeded) {
        _ if call.outcome.status == ToolStatus::Interrupted => {}
        ("declined" | "rejected", ..) => fail(call, ToolStatus::Declined, "declined"),
        (_, Some(code), _) if code != 0 => {
            fail(call, ToolStatus::Failed, &format!("exit code {code}"));
        }
        ("failed" | "error", ..) | (_, _, Some(false)) => {
            let reason = raw_string(end.stderr).map(|text| scrub.text(Cow::Owned(text)));
            fail(
                call,
                ToolStatus::Failed,
                reason.as_deref().unwrap_or("failed"),
            );
        }
        // A direct call is over only when the model has its answer, but a version may end here.
        _ if call.outcome.status == ToolStatus::Running && completes(end) => {
            call.outcome.status = ToolStatus::Completed;
        }
        _ => {}
    }
}

/// Whether the record says that the execution is over; a spawned agent has only begun.
fn completes(end: &Fields<'_>) -> bool {
    !matches!(end.status.as_str(), "in_progress" | "inProgress")
}

fn details(end: &Fields<'_>, scrub: &dyn Scrub) -> Map<String, Value> {
    let fields = [
        ("command", end.command),
        ("cwd", end.cwd),
        ("parsed_cmd", end.parsed_cmd),
        ("source", end.source),
        ("process_id", end.process_id),
        ("duration", end.duration),
        ("query", end.query),
        ("path", end.path),
        ("receiver_thread_ids", end.receiver_thread_ids),
        ("agents_states", end.agents_states),
    ];
    fields
        .into_iter()
        .filter_map(|(name, raw)| {
            let value = raw_value(raw).filter(|value| !value.is_null())?;
            Some((name.to_owned(), structured(value, scrub)))
        })
        .collect()
}

/// `changes`: path → `{type, content | unified_diff, move_path}`; in old versions
/// path → `{add: {content}}`.
fn file_changes(value: Value, scrub: &dyn Scrub) -> Vec<FileChange> {
    let Value::Object(files) = value else {
        return Vec::new();
    };
    files
        .into_iter()
        .map(|(path, change)| {
            let (kind, fields) = match change.get("type").and_then(Value::as_str) {
                Some(kind) => (kind.to_owned(), &change),
                None => match change.as_object().and_then(|map| map.iter().next()) {
                    Some((kind, fields)) => (kind.clone(), fields),
                    None => (String::new(), &change),
                },
            };
            let text = |name| {
                fields
                    .get(name)
                    .and_then(Value::as_str)
                    .map(ToOwned::to_owned)
            };
            FileChange {
                path: scrub.text(Cow::Owned(path)),
                kind,
                text: text("unified_diff").or_else(|| text("content")),
                moved_to: text("move_path"),
            }
        })
        .collect()
}

fn mcp(call: &mut ToolCall, end: &Fields<'_>, nested: bool, scrub: &dyn Scrub) {
    if !matches!(end.kind.as_str(), "McpToolCall" | "mcp_tool_call_end") {
        return;
    }
    let invocation = raw_value(end.invocation).unwrap_or_default();
    let text = |name| {
        invocation
            .get(name)
            .and_then(Value::as_str)
            .map(ToOwned::to_owned)
    };
    if let Some(server) = end.server.owned().or_else(|| text("server")) {
        call.mcp_server = Some(server);
    }
    if nested {
        if let Some(tool) = end.tool.owned().or_else(|| text("tool")) {
            call.name = tool;
        }
        let arguments = raw_value(end.arguments).or_else(|| invocation.get("arguments").cloned());
        call.arguments = Arguments::Json(structured(arguments.unwrap_or_default(), scrub));
    }
    let mut result = raw_value(end.result).unwrap_or_default();
    let mut error = raw_string(end.error).or_else(|| {
        let error = raw_value(end.error)?;
        Some(error.get("message")?.as_str()?.to_owned())
    });
    if let Some(ok) = result.get_mut("Ok") {
        result = ok.take();
    } else if let Some(reason) = result.get("Err") {
        error = Some(
            reason
                .as_str()
                .map_or_else(|| reason.to_string(), Into::into),
        );
    }
    if result.get("isError") == Some(&Value::Bool(true)) {
        let texts = result.get("content").and_then(Value::as_array);
        let texts = texts.into_iter().flatten();
        let said: Vec<&str> = texts
            .filter_map(|part| part.get("text")?.as_str())
            .collect();
        error = Some(said.join("\n"));
    }
    if let Some(reason) = error {
        fail(call, ToolStatus::Failed, &scrub.text(Cow::Owned(reason)));
    }
    if nested && !result.is_null() {
        call.outcome.output = Some(Output::Json(structured(result, scrub)));
    }
}

/// What the model asked and was told, where only the end record has it.
fn nested_call(call: &mut ToolCall, end: &Fields<'_>, scrub: &dyn Scrub) {
    let asked = match call.kind {
        ToolKind::Shell => command_line(end).map(|line| ("cmd", Value::String(line))),
        ToolKind::ImageView => raw_value(end.path).map(|path| ("path", path)),
        ToolKind::Agent => raw_value(end.prompt).map(|prompt| ("message", prompt)),
        ToolKind::Patch => raw_value(end.changes).map(|changes| ("changes", changes)),
        ToolKind::WebSearch => raw_value(end.action).map(|action| ("action", action)),
        _ => None,
    };
    if let Some((name, value)) = asked {
        let mut arguments = Map::new();
        arguments.insert(name.to_owned(), value);
        call.arguments = Arguments::Json(structured(Value::Object(arguments), scrub));
    }
    let printed = raw_string(end.aggregated_output).or_else(|| raw_string(end.stdout));
    if let Some(printed) = printed {
        call.outcome.output = Some(Output::Text(scrub.text(Cow::Owned(printed))));
    }
}
