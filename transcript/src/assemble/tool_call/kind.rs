//! What sort of tool a call is, and what its arguments and answer amount to.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Approval, Arguments, Content, Output, ToolCall, ToolKind, ToolStatus, Verdict};
use crate::Window;

pub(super) fn of(wire_kind: &str, name: &str, namespace: Option<&str>) -> ToolKind {
    match wire_kind {
        "web_search_call" => return ToolKind::WebSearch,
        "tool_search_call" => return ToolKind::ToolSearch,
        "image_generation_call" => return ToolKind::ImageGeneration,
        "computer_call" => return ToolKind::Computer,
        "local_shell_call" => return ToolKind::Shell,
        _ => {}
    }
    if mcp_server(name, namespace).is_some() {
        return ToolKind::Mcp;
    }
    if matches!(namespace, Some("multi_agent_v1" | "collaboration")) {
        return ToolKind::Agent;
    }
    match (name, wire_kind) {
        ("exec", "custom_tool_call") => ToolKind::Cell,
        ("apply_patch", _) => ToolKind::Patch,
        (
            "exec_command" | "write_stdin" | "shell" | "shell_command" | "local_shell"
            | "container.exec" | "unified_exec",
            _,
        ) => ToolKind::Shell,
        ("view_image", _) => ToolKind::ImageView,
        ("image_generation" | "image_gen", _) => ToolKind::ImageGeneration,
        ("web_search", _) => ToolKind::WebSearch,
        ("tool_search", _) => ToolKind::ToolSearch,
        (
            "spawn_agent" | "wait_agent" | "close_agent" | "resume_agent" | "send_input"
            | "send_message" | "followup_task" | "interrupt_agent" | "list_agents",
            _,
        ) => ToolKind::Agent,
        (_, "custom_tool_call") => ToolKind::Custom,
        _ => ToolKind::Function,
    }
}

/// `mcp__notes` as a namespace, or in front of the name (`mcp__notes__add_note`).
pub(super) fn mcp_server(name: &str, namespace: Option<&str>) -> Option<String> {
    let server = match namespace.and_then(|namespace| namespace.strip_prefix("mcp__")) {
        Some(server) => server.trim_end_matches("__"),
        None => name.strip_prefix("mcp__")?.split("__").next()?,
    };
    (!server.is_empty()).then(|| server.to_owned())
}

/// A call without a call record of its own.
pub(super) fn nested(id: String, name: &str, kind: ToolKind, at: Timestamp) -> ToolCall {
    ToolCall {
        id,
        name: name.to_owned(),
        namespace: None,
        mcp_server: None,
        kind,
        arguments: Arguments::Json(Value::Null),
        outcome: super::pending(),
        window: Window {
            started_at: at,
            ended_at: None,
        },
        model_call: None,
        parent: None,
        approval: None,
        changes: Vec::new(),
        details: Map::new(),
    }
}

/// What a hosted tool was asked: its action, else all fields but those of its result.
pub(super) fn hosted_arguments(value: &Value) -> Value {
    if let Some(action) = value.get("action") {
        return action.clone();
    }
    let mut value = value.clone();
    if let Value::Object(map) = &mut value {
        map.retain(|key, _| !matches!(key.as_str(), "id" | "status" | "result"));
    }
    value
}

/// The address of a generated image, recorded as base64. What the gate has put in its place is no
/// base64, and stays what it is.
pub(super) fn image_url(result: &str) -> String {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(&byte);
    if result.bytes().all(is_base64) {
        format!("data:image/png;base64,{result}")
    } else {
        result.to_owned()
    }
}

/// The wish to go beyond the sandbox, if the arguments hold one.
pub(super) fn approval(arguments: &Arguments) -> Option<Approval> {
    let Arguments::Json(Value::Object(map)) = arguments else {
        return None;
    };
    let text = |name| map.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let permissions = text("sandbox_permissions");
    let escalated = map.get("with_escalated_permissions") == Some(&Value::Bool(true));
    let asked = permissions
        .as_deref()
        .is_some_and(|word| word != "use_default");
    (asked || escalated).then(|| Approval {
        granted: None,
        sandbox_permissions: permissions,
        justification: text("justification"),
        prefix_rule: map
            .get("prefix_rule")
            .and_then(Value::as_array)
            .map(|words| {
                words
                    .iter()
                    .filter_map(Value::as_str)
                    .map(Into::into)
                    .collect()
            })
            .unwrap_or_default(),
    })
}

/// Status and reason from what an answer tells.
pub(super) fn judge(
    verdict: &Verdict,
    exit_code: Option<i32>,
    output: Option<&Output>,
) -> (ToolStatus, Option<String>) {
    let said = || output.map(said).unwrap_or_default();
    match exit_code {
        _ if verdict.declined => (ToolStatus::Declined, Some(said())),
        _ if verdict.aborted => (
            ToolStatus::Interrupted,
            Some("aborted by the user".to_owned()),
        ),
        Some(code) if code != 0 => (ToolStatus::Failed, Some(format!("exit code {code}"))),
        _ if verdict.failed => (ToolStatus::Failed, Some(said())),
        _ => (ToolStatus::Completed, None),
    }
}

/// The beginning of an answer, as the reason of a failure.
fn said(output: &Output) -> String {
    const LONGEST: usize = 2000;
    let text = match output {
        Output::Text(text) => text.clone(),
        Output::Parts(parts) => {
            let texts = parts.iter().filter_map(|part| match part {
                Content::Text(text) => Some(text.trim_end()),
                _ => None,
            });
            texts.collect::<Vec<_>>().join("\n")
        }
        Output::Json(value) => value.to_string(),
    };
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_known_by_name_and_namespace() {
        let check = |wire, name, namespace, kind| assert_eq!(of(wire, name, namespace), kind);
        check("function_call", "exec_command", None, ToolKind::Shell);
        check("custom_tool_call", "exec", None, ToolKind::Cell);
        check("custom_tool_call", "apply_patch", None, ToolKind::Patch);
        check("function_call", "add", Some("mcp__notes"), ToolKind::Mcp);
        check("function_call", "mcp__notes__add", None, ToolKind::Mcp);
        check("function_call", "spawn_agent", None, ToolKind::Agent);
        check(
            "function_call",
            "wait",
            Some("multi_agent_v1"),
            ToolKind::Agent,
        );
        check("function_call", "wait", None, ToolKind::Function);
        check("web_search_call", "web_search", None, ToolKind::WebSearch);
        check("custom_tool_call", "other", None, ToolKind::Custom);
    }

    #[test]
    fn only_a_wish_beyond_the_sandbox_needs_approval() {
        let json = |text: &str| Arguments::Json(serde_json::from_str(text).unwrap());
        assert_eq!(approval(&json(r#"{"cmd":"ls"}"#)), None);
        assert_eq!(
            approval(&json(r#"{"sandbox_permissions":"use_default"}"#)),
            None
        );
        let asked = json(
            r#"{"sandbox_permissions":"require_escalated","justification":"net","prefix_rule":["npm","i"]}"#,
        );
        assert_eq!(
            approval(&asked),
            Some(Approval {
                granted: None,
                sandbox_permissions: Some("require_escalated".to_owned()),
                justification: Some("net".to_owned()),
                prefix_rule: vec!["npm".to_owned(), "i".to_owned()],
            })
        );
    }
}
