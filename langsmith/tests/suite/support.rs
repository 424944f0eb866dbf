//! Scaffolding: turns and backends with everything a test does not care about filled in.

use std::sync::Arc;

use codex_tracing_config::LangSmithSettings;
use codex_tracing_delivery::{Ancestor, Backend, Cause, CausingCall, HookFacts, Mode, View};
use codex_tracing_langsmith::LangSmith;
use codex_tracing_redact::{Images, Redactor};
use codex_tracing_transcript::{
    Arguments, Content, Git, Item, ItemBody, ModelCall, ModelInput, Origin, Outcome, Output, Role,
    Session, ToolCall, ToolKind, ToolStatus, Turn, TurnContext, TurnKind, TurnStatus, Usage,
    Window,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

pub(crate) const ROOT: &str = "01a1f885-5d62-7961-8288-2fca5debe037";
pub(crate) const TURN: &str = "01a1f885-5d74-7011-8026-ab203d51e97c";

/// Milliseconds after the session's beginning.
pub(crate) fn at(millis: i64) -> Timestamp {
    let start: Timestamp = "2026-11-20T10:34:12.000Z".parse().unwrap();
    start + SignedDuration::from_millis(millis)
}

pub(crate) fn window(from: i64, to: i64) -> Window {
    Window {
        started_at: at(from),
        ended_at: Some(at(to)),
    }
}

pub(crate) fn item(millis: i64, body: ItemBody) -> Arc<Item> {
    Arc::new(Item {
        at: at(millis),
        id: None,
        body,
    })
}

pub(crate) fn says(millis: i64, role: Role, text: &str) -> Arc<Item> {
    let content = vec![Content::Text(text.to_owned())];
    item(
        millis,
        ItemBody::Message {
            role,
            content,
            phase: None,
        },
    )
}

pub(crate) fn asks(millis: i64, id: &str, name: &str, arguments: Value) -> Arc<Item> {
    let body = ItemBody::ToolCall {
        call_id: id.to_owned(),
        kind: "function_call".to_owned(),
        name: name.to_owned(),
        namespace: None,
        arguments: Arguments::Json(arguments),
    };
    item(millis, body)
}

pub(crate) fn answers(millis: i64, id: &str, text: &str) -> Arc<Item> {
    let body = ItemBody::ToolOutput {
        call_id: id.to_owned(),
        output: Output::Text(text.to_owned()),
    };
    item(millis, body)
}

pub(crate) fn call(
    index: usize,
    from: i64,
    to: i64,
    seen: usize,
    output: &[Arc<Item>],
) -> ModelCall {
    ModelCall {
        index,
        window: window(from, to),
        model: Some("gpt-5.5".to_owned()),
        input: ModelInput {
            conversation: 0,
            len: seen,
        },
        output: output.to_vec(),
        first_output_at: None,
        usage: Some(usage(1000 + 100 * index as u64)),
        response_id: Some(format!("resp_{index}")),
        retries: 0,
        errors: Vec::new(),
        completed: true,
        announced: false,
    }
}

pub(crate) fn usage(input: u64) -> Usage {
    Usage {
        input,
        cached: 400,
        cache_write: 30,
        output: 50,
        reasoning: 10,
        total: input + 50,
    }
}

pub(crate) fn tool(id: &str, name: &str, from: i64, to: i64) -> ToolCall {
    ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        namespace: None,
        mcp_server: None,
        kind: ToolKind::Shell,
        arguments: Arguments::Json(json!({"cmd": "ls"})),
        outcome: Outcome {
            status: ToolStatus::Completed,
            output: Some(Output::Text("README.md\n".to_owned())),
            exit_code: Some(0),
            error: None,
        },
        window: window(from, to),
        model_call: Some(0),
        parent: None,
        approval: None,
        changes: Vec::new(),
        details: Map::new(),
    }
}

/// Two model calls with a command between.
pub(crate) fn turn() -> Turn {
    let environment = says(0, Role::User, "<environment_context>");
    let prompt = says(30, Role::User, "List the files.");
    let comment = says(90, Role::Assistant, "I will list the files.");
    let ask = asks(91, "call_1", "exec_command", json!({"cmd": "ls"}));
    let output = answers(150, "call_1", "README.md\n");
    let answer = says(200, Role::Assistant, "There is a README.");
    let context = json!({"turn_id": TURN, "model": "gpt-5.5", "cwd": "/home/dev/app",
        "approval_policy": "never", "effort": "low", "sandbox_policy": {"type": "read-only"}});
    let first = call(0, 31, 95, 2, &[comment.clone(), ask.clone()]);
    let second = call(1, 151, 205, 5, std::slice::from_ref(&answer));
    Turn {
        id: TURN.to_owned(),
        number: 1,
        thread_id: ROOT.to_owned(),
        kind: TurnKind::Prompt,
        parent_turn_id: None,
        window: window(20, 210),
        context: TurnContext {
            model: Some("gpt-5.5".to_owned()),
            effort: Some("low".to_owned()),
            approval_policy: Some("never".to_owned()),
            sandbox_policy: Some("read-only".to_owned()),
            cwd: Some("/home/dev/app".to_owned()),
            raw: context.as_object().unwrap().clone(),
        },
        prompt: vec![Content::Text("List the files.".to_owned())],
        status: TurnStatus::Completed,
        error: None,
        answer: None,
        time_to_first_token_ms: Some(60),
        conversations: vec![vec![environment, prompt, comment, ask, output, answer]],
        calls: vec![first, second],
        tools: vec![tool("call_1", "exec_command", 92, 149)],
        subagents: Vec::new(),
        follow_ups: Vec::new(),
        compactions: Vec::new(),
        usage: usage(1000) + usage(1100),
    }
}

pub(crate) fn session() -> Session {
    Session {
        thread_id: ROOT.to_owned(),
        session_id: Some(ROOT.to_owned()),
        parent_thread_id: None,
        forked_from_id: None,
        started_at: at(0),
        cwd: Some("/home/dev/app".to_owned()),
        git: None,
        cli_version: Some("0.169.0".to_owned()),
        originator: Some("codex_exec".to_owned()),
        origin: Origin::User("exec".to_owned()),
        model_provider: Some("openai".to_owned()),
        base_instructions: Some("You are a coding agent.".to_owned()),
    }
}

/// The header of a subagent's thread.
pub(crate) fn child_session(thread: &str, parent: &str) -> Session {
    Session {
        thread_id: thread.to_owned(),
        session_id: None,
        parent_thread_id: Some(parent.to_owned()),
        origin: Origin::Spawned {
            depth: Some(1),
            path: Some("/root/alpha".to_owned()),
            nickname: Some("Ada".to_owned()),
            role: Some("explorer".to_owned()),
        },
        ..session()
    }
}

pub(crate) fn git() -> Git {
    Git {
        commit: Some("a3afcd1a".to_owned()),
        branch: Some("main".to_owned()),
        repository_url: Some("https://me:pw@github.com/org/app.git".to_owned()),
    }
}

/// What led to a subagent's turn, as delivery finds it out.
fn cause(turn: &Turn, call_id: Option<&str>) -> Cause {
    let call = call_id.and_then(|id| {
        let at = turn.agent_call(id)?;
        Some(CausingCall {
            id: id.to_owned(),
            at,
        })
    });
    Cause {
        turn_id: turn.id.clone(),
        turn_started_at: turn.window.started_at,
        call,
    }
}

/// `spawn_agent`.
pub(crate) fn spawn(id: &str, from: i64, to: i64) -> ToolCall {
    ToolCall {
        kind: ToolKind::Agent,
        ..tool(id, "spawn_agent", from, to)
    }
}

/// One turn and all around it.
pub(crate) struct Given {
    pub(crate) settings: LangSmithSettings,
    pub(crate) root: Session,
    pub(crate) session: Session,
    pub(crate) turn: Turn,
    pub(crate) lineage: Vec<Ancestor>,
    pub(crate) hooks: HookFacts,
    pub(crate) git: Git,
    pub(crate) mode: Mode,
    pub(crate) was_cut_off: bool,
}

impl Given {
    pub(crate) fn new(turn: Turn) -> Self {
        Self {
            settings: LangSmithSettings::default(),
            root: session(),
            session: session(),
            turn,
            lineage: Vec::new(),
            hooks: HookFacts::default(),
            git: git(),
            mode: Mode::Full,
            was_cut_off: false,
        }
    }

    /// A turn of a subagent that `call_id` in turn `parent` spawned.
    pub(crate) fn child(mut turn: Turn, thread: &str, parent: &Turn, call_id: &str) -> Self {
        thread.clone_into(&mut turn.thread_id);
        let ancestor = Ancestor {
            thread_id: parent.thread_id.clone(),
            turn_id: parent.id.clone(),
            turn_number: parent.number,
            turn_started_at: parent.window.started_at,
            call_id: Some(call_id.to_owned()),
            child_thread_id: thread.to_owned(),
            child_started_at: turn.window.started_at,
            cause: cause(parent, Some(call_id)),
        };
        Self {
            session: child_session(thread, &parent.thread_id),
            lineage: vec![ancestor],
            ..Self::new(turn)
        }
    }

    /// The same, below this turn and call of the thread above instead.
    pub(crate) fn caused_by(mut self, turn: &Turn, call_id: Option<&str>) -> Self {
        if let Some(ancestor) = self.lineage.last_mut() {
            ancestor.cause = cause(turn, call_id);
        }
        self
    }

    pub(crate) fn backend(&self) -> LangSmith {
        backend(&self.settings)
    }

    pub(crate) fn items(&self, destination: usize) -> Vec<codex_tracing_delivery::Item> {
        let backend = self.backend();
        let destination = &backend.destinations()[destination];
        backend.map(destination, &self.view())
    }

    pub(crate) fn view(&self) -> View<'_> {
        View {
            root: &self.root,
            session: &self.session,
            turn: &self.turn,
            lineage: &self.lineage,
            hooks: &self.hooks,
            git: &self.git,
            mode: self.mode,
            session_ended_at: None,
            was_cut_off: self.was_cut_off,
        }
    }

    /// The runs for one destination.
    pub(crate) fn runs_for(&self, destination: usize) -> Vec<Value> {
        let items = self.items(destination);
        items
            .iter()
            .map(|item| serde_json::from_slice(&item.body).unwrap())
            .collect()
    }

    pub(crate) fn runs(&self) -> Vec<Value> {
        self.runs_for(0)
    }
}

pub(crate) fn backend(settings: &LangSmithSettings) -> LangSmith {
    let (redactor, _) = Redactor::new(true, &[], None, Images::Keep);
    LangSmith::new(settings, redactor, "1.2.3")
}

/// The one run with this name.
pub(crate) fn named<'a>(runs: &'a [Value], name: &str) -> &'a Value {
    let mut found = runs.iter().filter(|run| run["name"] == name);
    let run = found
        .next()
        .unwrap_or_else(|| panic!("no run named {name}"));
    assert!(found.next().is_none(), "several runs named {name}");
    run
}

pub(crate) fn text<'a>(run: &'a Value, key: &str) -> &'a str {
    run[key].as_str().unwrap_or_default()
}

pub(crate) fn metadata(run: &Value) -> &Map<String, Value> {
    run["extra"]["metadata"].as_object().unwrap()
}
