//! Tool calls.

use codex_tracing_transcript::{Approval, Arguments, FileChange, Outcome, Output, ToolCall};
use serde_json::Map;

use super::{NOTICE, is_word, notice_for, word};

/// The call with its name, times, status and exit code, and nothing of what went in or came out.
pub(super) fn project(call: &ToolCall) -> ToolCall {
    let ToolCall {
        id,
        name,
        namespace,
        mcp_server,
        kind,
        arguments: _,
        outcome,
        window,
        model_call,
        parent,
        approval,
        changes,
        details: _,
    } = call;
    ToolCall {
        id: id.clone(),
        name: name.clone(),
        namespace: namespace.clone(),
        mcp_server: mcp_server.clone(),
        kind: *kind,
        arguments: Arguments::Text(NOTICE.into()),
        outcome: project_outcome(outcome),
        window: *window,
        model_call: *model_call,
        parent: parent.clone(),
        approval: approval.as_ref().map(project_approval),
        changes: changes.iter().map(project_change).collect(),
        details: Map::new(),
    }
}

fn project_outcome(outcome: &Outcome) -> Outcome {
    let Outcome {
        status,
        output,
        exit_code,
        error,
    } = outcome;
    Outcome {
        status: *status,
        output: output.as_ref().map(|_| Output::Text(NOTICE.into())),
        exit_code: *exit_code,
        error: notice_for(error.as_ref()),
    }
}

fn project_approval(approval: &Approval) -> Approval {
    let Approval {
        granted,
        sandbox_permissions,
        justification,
        prefix_rule: _,
    } = approval;
    Approval {
        granted: *granted,
        sandbox_permissions: word(sandbox_permissions.as_ref()),
        justification: notice_for(justification.as_ref()),
        prefix_rule: Vec::new(),
    }
}

fn project_change(change: &FileChange) -> FileChange {
    let FileChange {
        path: _,
        kind,
        text,
        moved_to,
    } = change;
    FileChange {
        path: NOTICE.into(),
        kind: if is_word(kind) {
            kind.clone()
        } else {
            "other".into()
        },
        text: notice_for(text.as_ref()),
        moved_to: notice_for(moved_to.as_ref()),
    }
}
