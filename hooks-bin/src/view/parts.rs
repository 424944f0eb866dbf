//! The lines for each part of the model.

use codex_tracing_transcript::{
    Arguments, Compaction, Content, ItemBody, ModelCall, Origin, Role, Rollout, Subagent, ToolCall,
    ToolStatus, Turn, TurnKind, TurnStatus, Usage, Window,
};

use super::paint::{Line, Tone};

pub(super) fn thread(thread: &Rollout, spawned: Option<&Subagent>, muted: &[&str]) -> Line {
    let mut line = Line::default();
    let Some(session) = &thread.session else {
        line.push(Tone::Name, "session without a header");
        return line;
    };
    let origin = match &session.origin {
        Origin::Review => "review".to_owned(),
        Origin::Spawned { path, nickname, .. } => path
            .as_ref()
            .or(nickname.as_ref())
            .map_or_else(|| "agent".to_owned(), |name| format!("agent {name}")),
        Origin::User(_) | Origin::Other(_) => "session".to_owned(),
    };
    let name = spawned.map_or(origin, agent_name);
    line.push(Tone::Name, name);
    line.push(Tone::Text, &session.thread_id);
    if !muted.is_empty() {
        line.push(Tone::Open, format!("muted for {}", muted.join(" and ")));
    }
    line.push(Tone::Faint, session.cwd.as_deref().unwrap_or_default());
    if let Some(branch) = session.git.as_ref().and_then(|git| git.branch.as_ref()) {
        line.push(Tone::Faint, format!("({branch})"));
    }
    if let Some(version) = &session.cli_version {
        line.push(Tone::Faint, format!("Codex {version}"));
    }
    line.push(Tone::Faint, tokens(thread.totals));
    let skipped: u64 = thread.skipped.counts.values().sum();
    if skipped > 0 {
        line.push(Tone::Open, format!("{skipped} records skipped"));
    }
    line
}

pub(super) fn agent_name(agent: &Subagent) -> String {
    let name = agent.path.as_ref().or(agent.nickname.as_ref());
    match (name, &agent.role) {
        (Some(name), Some(role)) => format!("agent {name} ({role})"),
        (Some(name), None) => format!("agent {name}"),
        (None, Some(role)) => role.clone(),
        (None, None) => "agent".to_owned(),
    }
}

pub(super) fn turn(turn: &Turn, zero: i64) -> Line {
    let mut line = Line::default();
    let name = match turn.kind {
        TurnKind::Prompt => "turn",
        TurnKind::Compact => "/compact",
        TurnKind::Review => "review",
    };
    line.push(Tone::Name, format!("{name} {}", turn.number));
    let (tone, status) = match turn.status {
        TurnStatus::Running => (Tone::Open, "running"),
        TurnStatus::Completed => (Tone::Good, "completed"),
        TurnStatus::Interrupted => (Tone::Open, "interrupted"),
        TurnStatus::Failed => (Tone::Bad, "failed"),
        TurnStatus::CutOff => (Tone::Open, "cut off"),
    };
    line.push(tone, status);
    line.push(Tone::Faint, window(turn.window, zero));
    line.push(
        Tone::Text,
        turn.context.model.as_deref().unwrap_or_default(),
    );
    line.push(Tone::Faint, tokens(turn.usage));
    line
}

pub(super) fn prompt(turn: &Turn) -> Option<Line> {
    let mut line = Line::default();
    line.push(Tone::Faint, "prompt");
    for part in &turn.prompt {
        match part {
            Content::Text(text) => line.push(Tone::Text, text),
            Content::Image(_) => line.push(Tone::Faint, "[image]"),
            Content::Other { kind, .. } => line.push(Tone::Faint, format!("[{kind}]")),
        }
    }
    (!turn.prompt.is_empty()).then_some(line)
}

/// How the turn ended, in words.
pub(super) fn end(turn: &Turn) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(error) = &turn.error {
        let mut line = Line::default();
        line.push(Tone::Bad, "error");
        line.push(Tone::Text, &error.message);
        lines.push(line);
    }
    if let Some(answer) = &turn.answer {
        let mut line = Line::default();
        line.push(Tone::Faint, "answer");
        line.push(Tone::Text, &answer.text);
        lines.push(line);
    }
    lines
}

pub(super) fn call(call: &ModelCall, zero: i64) -> Vec<Line> {
    let mut line = Line::default();
    line.push(Tone::Name, format!("call {}", call.index + 1));
    if !call.completed {
        line.push(Tone::Open, "incomplete");
    }
    line.push(Tone::Faint, window(call.window, zero));
    line.push(Tone::Text, call.model.as_deref().unwrap_or_default());
    line.push(Tone::Faint, call.usage.map(tokens).unwrap_or_default());
    if call.retries > 0 {
        line.push(Tone::Open, format!("asked again {}×", call.retries));
    }
    line.push(Tone::Text, said(call));
    let mut lines = vec![line];
    for error in &call.errors {
        let mut line = Line::default();
        line.push(Tone::Bad, "error");
        line.push(Tone::Text, &error.message);
        lines.push(line);
    }
    lines
}

/// What a call answered: its messages, or its reasoning, or how many tools it asked for.
fn said(call: &ModelCall) -> String {
    let mut tools = 0;
    let mut thought = None;
    for item in &call.output {
        match &item.body {
            ItemBody::Message {
                role: Role::Assistant,
                content,
                ..
            } => {
                if let Some(Content::Text(text)) = content.first() {
                    return text.clone();
                }
            }
            ItemBody::Reasoning { summary, .. } => thought = summary.first().or(thought),
            _ => tools += 1,
        }
    }
    match (thought, tools) {
        (Some(thought), _) => thought.clone(),
        (None, 0) => String::new(),
        (None, 1) => "→ 1 tool".to_owned(),
        (None, tools) => format!("→ {tools} tools"),
    }
}

pub(super) fn tool(tool: &ToolCall, zero: i64) -> Line {
    let mut line = Line::default();
    let name = match (&tool.mcp_server, &tool.namespace) {
        (Some(server), _) => format!("{server}.{}", tool.name),
        (None, Some(namespace)) => format!("{namespace}.{}", tool.name),
        (None, None) => tool.name.clone(),
    };
    line.push(Tone::Name, name);
    let (tone, status) = match tool.outcome.status {
        ToolStatus::Running => (Tone::Open, "running"),
        ToolStatus::Completed => (Tone::Good, "✓"),
        ToolStatus::Failed => (Tone::Bad, "✗"),
        ToolStatus::Declined => (Tone::Bad, "declined"),
        ToolStatus::Interrupted => (Tone::Open, "interrupted"),
    };
    line.push(tone, status);
    if let Some(error) = tool.outcome.error.as_ref().filter(|error| is_short(error)) {
        line.push(tone, error);
    }
    line.push(Tone::Faint, window(tool.window, zero));
    line.push(Tone::Text, arguments(&tool.arguments));
    line
}

pub(super) fn tool_error(tool: &ToolCall) -> Option<Line> {
    let error = tool
        .outcome
        .error
        .as_ref()
        .filter(|error| !is_short(error))?;
    let mut line = Line::default();
    line.push(Tone::Bad, error);
    Some(line)
}

/// Whether a reason (`exit code 3`) fits into the tool's own line.
fn is_short(error: &str) -> bool {
    error.len() <= 24
}

/// The one argument that says most, else all of them.
fn arguments(arguments: &Arguments) -> String {
    match arguments {
        Arguments::Json(serde_json::Value::Null) => String::new(),
        Arguments::Json(value) => ["cmd", "command", "query", "path", "task_name", "message"]
            .iter()
            .find_map(|name| value.get(name)?.as_str())
            .map_or_else(|| value.to_string(), ToOwned::to_owned),
        Arguments::Text(text) | Arguments::Malformed(text) => text.clone(),
    }
}

pub(super) fn compaction(compaction: &Compaction, zero: i64) -> Line {
    let mut line = Line::default();
    line.push(Tone::Name, format!("compaction ({})", compaction.trigger));
    line.push(Tone::Faint, window(compaction.window, zero));
    line.push(
        Tone::Faint,
        compaction.usage.map(tokens).unwrap_or_default(),
    );
    line.push(
        Tone::Text,
        compaction.summary.as_deref().unwrap_or_default(),
    );
    line
}

/// `+12.3 s, 450 ms`: since the session began, and for how long.
fn window(window: Window, zero: i64) -> String {
    let begun = window.started_at.as_millisecond();
    let since = span(begun - zero);
    match window.ended_at {
        Some(end) => format!("+{since}, {}", span(end.as_millisecond() - begun)),
        None => format!("+{since}"),
    }
}

/// Milliseconds for people.
fn span(ms: i64) -> String {
    let ms = ms.max(0);
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
        _ => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// `12.3k in (4.5k cached), 678 out`.
fn tokens(usage: Usage) -> String {
    if usage.is_zero() {
        return String::new();
    }
    let cached = match usage.cached {
        0 => String::new(),
        cached => format!(" ({} cached)", count(cached)),
    };
    format!(
        "{} in{cached}, {} out",
        count(usage.input),
        count(usage.output)
    )
}

fn count(tokens: u64) -> String {
    match tokens {
        0..1000 => tokens.to_string(),
        1000..1_000_000 => format!("{}.{}k", tokens / 1000, tokens % 1000 / 100),
        _ => format!("{}.{}M", tokens / 1_000_000, tokens % 1_000_000 / 100_000),
    }
}
