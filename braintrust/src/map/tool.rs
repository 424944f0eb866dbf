//! The spans of a turn's tool calls.

use std::collections::BTreeMap;

use codex_tracing_transcript::{Approval, ToolCall, ToolKind, ToolStatus, Window};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Trace, messages, skills};
use crate::ids;
use crate::row::{Row, SpanType, raw, seconds};

pub(super) fn map<'a>(trace: &'a Trace<'_>) -> Vec<Row<'a>> {
    let loaded = skills::explicit(trace.view.turn);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut cells: BTreeMap<&str, Cell> = BTreeMap::new();
    let mut rows = Vec::new();
    for call in &trace.view.turn.tools {
        let occurrence = seen.entry(&call.id).or_default();
        let turn = trace.view.turn;
        let id = ids::tool(&turn.thread_id, &turn.id, &call.id, *occurrence);
        *occurrence += 1;
        let window = trace.within_turn(call.window);
        if call.kind == ToolKind::Cell {
            let cell = Cell {
                span: id.clone(),
                window,
            };
            cells.insert(&call.id, cell);
        }
        if !is_settled(trace, call) {
            continue;
        }
        let cell = call.parent.as_deref().and_then(|cell| cells.get(cell));
        let parent = cell
            .filter(|cell| cell.holds(window))
            .map_or(&trace.turn_span, |cell| &cell.span);
        rows.push(span(trace, call, id, parent.clone(), window, &loaded));
    }
    rows
}

/// Whether place, time and input of the call will not change any more, as far as they are told.
fn is_settled(trace: &Trace<'_>, call: &ToolCall) -> bool {
    let calls = &trace.view.turn.calls;
    let is_over =
        |index: usize| calls.len() > index + 1 || calls.get(index).is_some_and(|c| c.completed);
    let is_hosted = matches!(
        call.kind,
        ToolKind::WebSearch | ToolKind::ImageGeneration | ToolKind::Computer
    );
    trace.is_over()
        || if call.parent.is_some() {
            // Only its end makes it certain that a nested call lies within its cell.
            call.window.ended_at.is_some()
        } else if is_hosted {
            // A tool of the model's provider is told in pieces until its model call is over.
            call.model_call.is_some_and(is_over)
        } else {
            true
        }
}

/// A code-mode cell that later calls of the turn may lie in.
struct Cell {
    span: String,
    window: Window,
}

impl Cell {
    /// Whether `window` begins and ends within the cell. A cell may yield and go on elsewhere;
    /// what ends after its span hangs under the turn.
    fn holds(&self, window: Window) -> bool {
        let ends_inside = match (window.ended_at, self.window.ended_at) {
            (Some(own), Some(cell)) => own <= cell,
            (_, None) => true,
            (None, Some(_)) => false,
        };
        window.started_at >= self.window.started_at && ends_inside
    }
}

fn span<'a>(
    trace: &'a Trace<'_>,
    call: &ToolCall,
    id: String,
    parent: String,
    window: Window,
    loaded: &[String],
) -> Row<'a> {
    let skill = skills::implicit(call);
    let name = match &skill {
        Some(skill) => format!("skill: {}", skill.name),
        None => call.name.clone(),
    };
    let mut row = trace.row(
        id,
        Some(parent),
        Some(name),
        SpanType::Tool,
        window.started_at,
    );
    if call.kind == ToolKind::Mcp {
        // It may have waited for others: when it began is told at its end.
        row.created = asked_at(trace, call);
        if !trace.is_over() && call.window.ended_at.is_none() {
            row.metrics.shift_remove("start");
        }
    }
    row.input = raw(&messages::arguments(&call.arguments));
    row.note("tool_name", call.name.as_str());
    row.note("call_id", call.id.as_str());
    row.note("turn_id", trace.view.turn.id.as_str());
    row.note("tool_namespace", call.namespace.as_deref());
    row.note("mcp_server", call.mcp_server.as_deref());
    row.note("parent_call_id", call.parent.as_deref());
    match &skill {
        Some(skill) => {
            row.note("tool_kind", "skill");
            row.note("skill_name", skill.name.as_str());
            if trace.is_full() {
                row.note("skill_path", skill.path.as_deref());
            }
            if loaded.contains(&skill.name) {
                row.note("skill_load_trigger", "explicit");
            }
        }
        None => row.note("tool_kind", kind(call.kind)),
    }
    if let Some(approval) = &call.approval {
        request(trace, &mut row, approval);
    }
    if trace.is_over() || call.outcome.status != ToolStatus::Running {
        finish(trace, &mut row, call, window);
    }
    row
}

/// When the model was asked that then asked for the call: known from its beginning.
fn asked_at(trace: &Trace<'_>, call: &ToolCall) -> Timestamp {
    let turn = trace.view.turn;
    let asking = call.model_call.and_then(|index| turn.calls.get(index));
    asking.map_or(turn.window.started_at, |asking| {
        trace.within_turn(asking.window).started_at
    })
}

/// A request to leave the sandbox. `use_default` asks for nothing.
fn request(trace: &Trace<'_>, row: &mut Row<'_>, approval: &Approval) {
    let asked = approval
        .sandbox_permissions
        .as_deref()
        .filter(|asked| !asked.is_empty() && *asked != "use_default");
    if asked.is_none() && approval.granted.is_none() {
        return;
    }
    row.tags.push("permission-request");
    let mut permission = serde_json::Map::new();
    if let Some(asked) = asked {
        permission.insert("sandbox_permissions".to_owned(), Value::from(asked));
    }
    if trace.is_full() {
        if let Some(why) = &approval.justification {
            permission.insert("justification".to_owned(), Value::from(why.as_str()));
        }
        if !approval.prefix_rule.is_empty() {
            permission.insert("prefix_rule".to_owned(), json!(approval.prefix_rule));
        }
    }
    if !permission.is_empty() {
        row.note("permission", Value::Object(permission));
    }
}

fn finish(trace: &Trace<'_>, row: &mut Row<'_>, call: &ToolCall, window: Window) {
    if let Some(end) = window.ended_at {
        row.measure("end", seconds(end));
    }
    let outcome = &call.outcome;
    row.output = outcome
        .output
        .as_ref()
        .and_then(|output| raw(&messages::output(output)));
    row.note("status", status(call));
    row.note("exit_code", outcome.exit_code);
    row.note("tool_approval", approval(call));
    if !trace.is_full() {
        return;
    }
    let cwd = call.details.get("cwd").and_then(Value::as_str);
    row.note(
        "cwd",
        cwd.map(|cwd| cwd.strip_prefix("file://").unwrap_or(cwd)),
    );
    if !call.changes.is_empty() {
        let changes: Vec<Value> = call
            .changes
            .iter()
            .map(|change| json!({ "path": change.path, "kind": change.kind }))
            .collect();
        row.note("file_changes", changes);
    }
    row.error = error(call).map(Value::from);
}

/// Whether the call was let through: answered by somebody, or run without anybody being asked.
fn approval(call: &ToolCall) -> Option<&'static str> {
    let answer = call.approval.as_ref().map(|approval| approval.granted);
    match (call.outcome.status, answer) {
        (ToolStatus::Declined, _) | (_, Some(Some(false))) => Some("declined"),
        (ToolStatus::Completed | ToolStatus::Failed, _) | (_, Some(Some(true))) => Some("approved"),
        (_, Some(None)) => Some("requested"),
        (ToolStatus::Running | ToolStatus::Interrupted, None) => None,
    }
}

fn error(call: &ToolCall) -> Option<String> {
    let outcome = &call.outcome;
    let told = outcome.error.clone().filter(|error| !error.is_empty());
    match outcome.status {
        ToolStatus::Completed => None,
        ToolStatus::Failed => Some(told.unwrap_or_else(|| match outcome.exit_code {
            Some(code) => format!("Exit code {code}"),
            None => "Tool call failed".to_owned(),
        })),
        ToolStatus::Declined => Some(told.unwrap_or_else(|| "Declined".to_owned())),
        ToolStatus::Running if outcome.output.is_some() => None,
        ToolStatus::Running | ToolStatus::Interrupted => {
            Some(told.unwrap_or_else(|| "Tool output missing before turn ended".to_owned()))
        }
    }
}

/// A command that still runs when its turn is over, and has told so, goes on in the background.
fn status(call: &ToolCall) -> &'static str {
    match call.outcome.status {
        ToolStatus::Completed => "completed",
        ToolStatus::Failed => "failed",
        ToolStatus::Declined => "declined",
        ToolStatus::Running if call.outcome.output.is_some() => "running",
        ToolStatus::Running | ToolStatus::Interrupted => "interrupted",
    }
}

fn kind(kind: ToolKind) -> &'static str {
    match kind {
        ToolKind::Function => "function",
        ToolKind::Custom => "custom",
        ToolKind::Shell => "shell",
        ToolKind::Cell => "cell",
        ToolKind::Patch => "patch",
        ToolKind::Mcp => "mcp",
        ToolKind::WebSearch => "web_search",
        ToolKind::ToolSearch => "tool_search",
        ToolKind::ImageView => "image_view",
        ToolKind::ImageGeneration => "image_generation",
        ToolKind::Computer => "computer",
        ToolKind::Agent => "agent",
    }
}
