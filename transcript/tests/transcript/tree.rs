//! The model as a text that can be reviewed: times in milliseconds since the thread began,
//! conversations as lengths, long texts shortened.

use std::fmt::Write as _;

use codex_tracing_transcript::{
    Arguments, Content, Item, ItemBody, Output, Rollout, Session, Subagent, ToolCall, Turn, Usage,
    Window,
};

pub(crate) fn tree(rollout: &Rollout) -> String {
    let mut out = String::new();
    let session = rollout.session.as_ref();
    let zero = session.map_or(0, |session| session.started_at.as_millisecond());
    if let Some(session) = session {
        header(&mut out, session);
    }
    writeln!(out, "totals {}", usage(rollout.totals)).unwrap();
    for (reason, count) in &rollout.skipped.counts {
        writeln!(out, "skipped {reason} {count}").unwrap();
    }
    for one in &rollout.turns {
        turn(&mut out, one, zero);
    }
    out
}

fn header(out: &mut String, session: &Session) {
    writeln!(
        out,
        "thread of {} {} {:?} cwd={} git={}",
        session.cli_version.as_deref().unwrap_or("?"),
        session.originator.as_deref().unwrap_or("?"),
        session.origin,
        session.cwd.as_deref().unwrap_or("?"),
        session
            .git
            .as_ref()
            .and_then(|git| git.branch.as_deref())
            .unwrap_or("?"),
    )
    .unwrap();
    let known = [
        (
            "session",
            session.session_id.as_deref() == Some(session.thread_id.as_str()),
        ),
        ("parent", session.parent_thread_id.is_some()),
        ("forked", session.forked_from_id.is_some()),
        ("instructions", session.base_instructions.is_some()),
    ];
    let known: Vec<&str> = known.iter().filter(|one| one.1).map(|one| one.0).collect();
    writeln!(out, "  knows {}", known.join(", ")).unwrap();
}

fn turn(out: &mut String, turn: &Turn, zero: i64) {
    let context = &turn.context;
    writeln!(
        out,
        "turn {} {:?} {:?} {} ttft={:?} model={} approval={} sandbox={} parent_turn={}",
        turn.number,
        turn.kind,
        turn.status,
        window(turn.window, zero),
        turn.time_to_first_token_ms,
        context.model.as_deref().unwrap_or("-"),
        context.approval_policy.as_deref().unwrap_or("-"),
        context.sandbox_policy.as_deref().unwrap_or("-"),
        turn.parent_turn_id.is_some(),
    )
    .unwrap();
    for part in &turn.prompt {
        writeln!(out, "  prompt {}", content(part)).unwrap();
    }
    if let Some(error) = &turn.error {
        let code = error.code.as_deref().unwrap_or("-");
        writeln!(out, "  error [{code}] {}", error.message).unwrap();
    }
    if let Some(answer) = &turn.answer {
        writeln!(out, "  answer {}", short(&answer.text)).unwrap();
    }
    let lengths: Vec<usize> = turn.conversations.iter().map(Vec::len).collect();
    writeln!(
        out,
        "  conversations {lengths:?} usage {}",
        usage(turn.usage)
    )
    .unwrap();
    for call in &turn.calls {
        writeln!(
            out,
            "  call {} {} first={} input={}:{} model={} {} {} retries={} {}",
            call.index,
            window(call.window, zero),
            call.first_output_at
                .map_or("-".to_owned(), |at| (at.as_millisecond() - zero)
                    .to_string()),
            call.input.conversation,
            call.input.len,
            call.model.as_deref().unwrap_or("-"),
            call.response_id.as_deref().unwrap_or("-"),
            call.usage.map_or("unpaid".to_owned(), usage),
            call.retries,
            if call.completed {
                "complete"
            } else {
                "incomplete"
            },
        )
        .unwrap();
        for error in &call.errors {
            writeln!(out, "    error {}", error.message).unwrap();
        }
        for item in &call.output {
            writeln!(out, "    > {}", body(item)).unwrap();
        }
    }
    for one in &turn.tools {
        tool(out, one, zero);
    }
    for agent in &turn.subagents {
        subagent(out, agent, zero);
    }
    for compaction in &turn.compactions {
        writeln!(
            out,
            "  compaction {} {} {} before={}:{} after={} window={} {} {} {}",
            compaction.index,
            compaction.trigger,
            window(compaction.window, zero),
            compaction.before.conversation,
            compaction.before.len,
            compaction.after.len(),
            compaction
                .window_id
                .as_ref()
                .map_or("-", |id| if id.len() == 36 { "uuid" } else { id }),
            compaction.response_id.as_deref().unwrap_or("-"),
            compaction.usage.map_or("unpaid".to_owned(), usage),
            short(compaction.summary.as_deref().unwrap_or("-")),
        )
        .unwrap();
    }
}

fn tool(out: &mut String, tool: &ToolCall, zero: i64) {
    let outcome = &tool.outcome;
    writeln!(
        out,
        "  tool {:?} {}{} {:?} {} exit={:?} call={:?} in={}{}",
        tool.kind,
        tool.namespace
            .as_ref()
            .map_or(String::new(), |namespace| format!("{namespace}/")),
        tool.name,
        outcome.status,
        window(tool.window, zero),
        outcome.exit_code,
        tool.model_call,
        tool.parent.as_deref().map_or("-", |_| "cell"),
        tool.mcp_server
            .as_ref()
            .map_or(String::new(), |server| format!(" server={server}")),
    )
    .unwrap();
    writeln!(out, "    < {}", arguments(&tool.arguments)).unwrap();
    if let Some(answer) = &outcome.output {
        writeln!(out, "    > {}", output(answer)).unwrap();
    }
    if let Some(error) = &outcome.error {
        writeln!(out, "    ! {}", short(error)).unwrap();
    }
    for change in &tool.changes {
        let text = change.text.as_deref().unwrap_or("-");
        writeln!(out, "    {} {} {}", change.kind, change.path, short(text)).unwrap();
    }
    if !tool.details.is_empty() {
        let names: Vec<&str> = tool.details.keys().map(String::as_str).collect();
        writeln!(out, "    details {}", names.join(" ")).unwrap();
    }
}

fn subagent(out: &mut String, agent: &Subagent, zero: i64) {
    writeln!(
        out,
        "  subagent {} nickname={} role={} spawned {} at {}",
        agent.path.as_deref().unwrap_or("-"),
        agent.nickname.as_deref().unwrap_or("-"),
        agent.role.as_deref().unwrap_or("-"),
        if agent.spawned_by.is_some() {
            "by a call"
        } else {
            "by itself"
        },
        agent.spawned_at.as_millisecond() - zero,
    )
    .unwrap();
}

fn window(window: Window, zero: i64) -> String {
    let end = window.ended_at.map_or("…".to_owned(), |at| {
        (at.as_millisecond() - zero).to_string()
    });
    format!("{}–{end}", window.started_at.as_millisecond() - zero)
}

fn usage(usage: Usage) -> String {
    let Usage {
        input,
        cached,
        cache_write,
        output,
        reasoning,
        total,
    } = usage;
    format!("{input}({cached}+{cache_write})/{output}({reasoning})={total}")
}

fn body(item: &Item) -> String {
    match &item.body {
        ItemBody::Message {
            role,
            content: parts,
            phase,
        } => {
            let phase = phase.as_deref().unwrap_or("-");
            let parts: Vec<String> = parts.iter().map(content).collect();
            format!("{role:?} [{phase}] {}", parts.join(" + "))
        }
        ItemBody::Reasoning {
            summary, encrypted, ..
        } => {
            format!(
                "reasoning {} encrypted={encrypted}",
                short(&summary.join(" / "))
            )
        }
        ItemBody::ToolCall { name, kind, .. } => format!("{kind} {name}"),
        ItemBody::ToolOutput { output: answer, .. } => output(answer),
        ItemBody::AgentMessage {
            author, recipient, ..
        } => {
            format!("from {author:?} to {recipient:?}")
        }
        ItemBody::Other { kind, value } => format!("{kind} {}", short(&value.to_string())),
    }
}

fn content(part: &Content) -> String {
    match part {
        Content::Text(text) => short(text),
        Content::Image(url) => format!("image {}", short(url)),
        Content::Other { kind, value } => format!("{kind} {}", short(&value.to_string())),
    }
}

fn arguments(arguments: &Arguments) -> String {
    match arguments {
        Arguments::Json(value) => format!("json {}", short(&value.to_string())),
        Arguments::Text(text) => format!("text {}", short(text)),
        Arguments::Malformed(text) => format!("malformed {}", short(text)),
    }
}

fn output(output: &Output) -> String {
    match output {
        Output::Text(text) => stable(text),
        Output::Parts(parts) => parts.iter().map(content).collect::<Vec<_>>().join(" + "),
        Output::Json(value) => short(&value.to_string()),
    }
}

/// Thread ids in answers would make every recording a new snapshot only to the eye.
fn stable(text: &str) -> String {
    short(text)
}

fn short(text: &str) -> String {
    const LONGEST: usize = 70;
    let line = text.replace('\n', "⏎");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… ({} bytes)", &line[..end], text.len()),
        None => line,
    }
}
