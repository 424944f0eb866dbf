//! Small turns, built by hand.

use std::sync::Arc;

use codex_tracing_braintrust::Braintrust;
use codex_tracing_config::BraintrustSettings;
use codex_tracing_delivery::{Ancestor, Backend, Cause, HookFacts, Item as Row, Mode, View};
use codex_tracing_redact::{Images, Redactor};
use codex_tracing_transcript::{
    Answer, Arguments, Content, Git, Item, ItemBody, ModelCall, ModelInput, Origin, Outcome,
    Output, Role, Session, ToolCall, ToolKind, ToolStatus, Turn, TurnContext, TurnKind, TurnStatus,
    Usage, Window,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::fold::{Trace, fold};

/// So many seconds after the session's start.
pub(crate) fn at(seconds: f64) -> Timestamp {
    let start = Timestamp::from_second(1_790_000_000).expect("time");
    start + SignedDuration::from_secs_f64(seconds)
}

/// From and to.
pub(crate) fn window(start: f64, end: f64) -> Window {
    Window {
        started_at: at(start),
        ended_at: Some(at(end)),
    }
}

/// Everything around a turn.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) settings: BraintrustSettings,
    pub(crate) root: Session,
    pub(crate) session: Session,
    pub(crate) turn: Turn,
    pub(crate) lineage: Vec<Ancestor>,
    pub(crate) hooks: HookFacts,
    pub(crate) git: Git,
    pub(crate) mode: Mode,
    pub(crate) session_ended_at: Option<Timestamp>,
    pub(crate) was_cut_off: bool,
}

impl Scene {
    pub(crate) fn new(turn: Turn) -> Self {
        let root = session("root-thread", 0.0);
        Self {
            settings: BraintrustSettings::default(),
            session: root.clone(),
            root,
            turn,
            lineage: Vec::new(),
            hooks: HookFacts {
                source: Some("startup".to_owned()),
                permission_mode: Some("default".to_owned()),
                transcript_path: Some("/home/dev/.codex/sessions/rollout.jsonl".to_owned()),
                ..HookFacts::default()
            },
            git: Git {
                commit: Some("c0ffee".to_owned()),
                branch: Some("main".to_owned()),
                repository_url: Some("https://me:secret@example.com/o/r.git".to_owned()),
            },
            mode: Mode::Full,
            session_ended_at: None,
            was_cut_off: false,
        }
    }

    /// The rows of the turn as it stands.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let backend = backend(&self.settings);
        let view = View {
            root: &self.root,
            session: &self.session,
            turn: &self.turn,
            lineage: &self.lineage,
            hooks: &self.hooks,
            git: &self.git,
            mode: self.mode,
            session_ended_at: self.session_ended_at,
            was_cut_off: self.was_cut_off,
        };
        backend.map(&backend.destinations()[0], &view)
    }

    pub(crate) fn trace(&self) -> Trace {
        fold(&self.rows())
    }
}

pub(crate) fn backend(settings: &BraintrustSettings) -> Braintrust {
    let (redactor, problems) = Redactor::new(true, &[], None, Images::Keep);
    assert!(problems.is_empty());
    Braintrust::new(settings, redactor, "9.9.9")
}

pub(crate) fn session(thread: &str, start: f64) -> Session {
    Session {
        thread_id: thread.to_owned(),
        session_id: None,
        parent_thread_id: None,
        forked_from_id: None,
        started_at: at(start),
        cwd: Some("/home/dev/app".to_owned()),
        git: None,
        cli_version: Some("0.169.0".to_owned()),
        originator: Some("codex_exec".to_owned()),
        origin: Origin::User("exec".to_owned()),
        model_provider: Some("openai".to_owned()),
        base_instructions: None,
    }
}

/// A completed turn of the root thread, from second 1 to 9, that said nothing yet.
pub(crate) fn turn(id: &str) -> Turn {
    Turn {
        id: id.to_owned(),
        number: 1,
        thread_id: "root-thread".to_owned(),
        kind: TurnKind::Prompt,
        parent_turn_id: None,
        window: window(1.0, 9.0),
        context: TurnContext {
            model: Some("gpt-5.5".to_owned()),
            effort: Some("high".to_owned()),
            ..TurnContext::default()
        },
        prompt: vec![Content::Text("list the files".to_owned())],
        status: TurnStatus::Completed,
        error: None,
        answer: Some(Answer {
            text: "done".to_owned(),
        }),
        time_to_first_token_ms: Some(500),
        conversations: vec![vec![
            message(Role::Developer, "be brief", 1.0),
            message(Role::User, "list the files", 1.0),
        ]],
        calls: Vec::new(),
        tools: Vec::new(),
        subagents: Vec::new(),
        follow_ups: Vec::new(),
        compactions: Vec::new(),
        usage: Usage::default(),
    }
}

/// A turn with a call that asks for a command, the command, and a call that answers.
pub(crate) fn tool_turn(id: &str) -> Turn {
    let mut turn = turn(id);
    let asks = item(
        2.0,
        ItemBody::ToolCall {
            call_id: "c1".to_owned(),
            kind: "function_call".to_owned(),
            name: "exec_command".to_owned(),
            namespace: None,
            arguments: Arguments::Json(serde_json::json!({ "cmd": "ls" })),
        },
    );
    let told = item(
        3.0,
        ItemBody::ToolOutput {
            call_id: "c1".to_owned(),
            output: Output::Text("a.txt".to_owned()),
        },
    );
    let answers = message(Role::Assistant, "done", 4.0);
    turn.conversations[0].extend([asks.clone(), told]);
    turn.calls = vec![
        call(0, (1.0, 2.0), 2, vec![asks], usage(100)),
        call(1, (3.0, 4.0), 4, vec![answers], usage(200)),
    ];
    turn.tools = vec![tool("c1", "exec_command", (2.0, 3.0))];
    turn.usage = usage(100) + usage(200);
    turn
}

pub(crate) fn item(seconds: f64, body: ItemBody) -> Arc<Item> {
    Arc::new(Item {
        at: at(seconds),
        id: None,
        body,
    })
}

pub(crate) fn message(role: Role, text: &str, seconds: f64) -> Arc<Item> {
    item(
        seconds,
        ItemBody::Message {
            role,
            content: vec![Content::Text(text.to_owned())],
            phase: None,
        },
    )
}

pub(crate) fn call(
    index: usize,
    (start, end): (f64, f64),
    len: usize,
    output: Vec<Arc<Item>>,
    usage: Usage,
) -> ModelCall {
    ModelCall {
        index,
        window: window(start, end),
        model: Some("gpt-5.5".to_owned()),
        input: ModelInput {
            conversation: 0,
            len,
        },
        output,
        first_output_at: Some(at(end)),
        usage: Some(usage),
        response_id: None,
        retries: 0,
        errors: Vec::new(),
        completed: true,
        announced: false,
    }
}

/// Usage of `input` tokens, half of them cached, a tenth written to the cache.
pub(crate) fn usage(input: u64) -> Usage {
    Usage {
        input,
        cached: input / 2,
        cache_write: input / 10,
        output: 7,
        reasoning: 3,
        total: input + 7,
    }
}

pub(crate) fn tool(id: &str, name: &str, (start, end): (f64, f64)) -> ToolCall {
    ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        namespace: None,
        mcp_server: None,
        kind: ToolKind::Shell,
        arguments: Arguments::Json(serde_json::json!({ "cmd": "ls" })),
        outcome: Outcome {
            status: ToolStatus::Completed,
            output: Some(Output::Text("a.txt".to_owned())),
            exit_code: Some(0),
            error: None,
        },
        window: window(start, end),
        model_call: Some(0),
        parent: None,
        approval: None,
        changes: Vec::new(),
        details: Map::new(),
    }
}

/// The scene of a turn of `child`, spawned by turn `turn` of `parent`.
pub(crate) fn spawned(mut scene: Scene, chain: &[(&str, &str, &str)], start: f64) -> Scene {
    scene.lineage = chain
        .iter()
        .map(|(parent, turn, child)| Ancestor {
            thread_id: (*parent).to_owned(),
            turn_id: (*turn).to_owned(),
            turn_number: 1,
            turn_started_at: at(1.0),
            call_id: Some("spawn".to_owned()),
            child_thread_id: (*child).to_owned(),
            child_started_at: at(start),
            cause: Cause {
                turn_id: (*turn).to_owned(),
                turn_started_at: at(1.0),
                call: None,
            },
        })
        .collect();
    if let Some((_, _, child)) = chain.last() {
        scene.session = session(child, start);
        scene.session.origin = Origin::Spawned {
            depth: u32::try_from(chain.len()).ok(),
            path: None,
            nickname: Some("Alpha".to_owned()),
            role: Some("worker".to_owned()),
        };
        (*child).clone_into(&mut scene.turn.thread_id);
    }
    scene
}

/// Metadata of a row.
pub(crate) fn metadata<'a>(row: &'a Value, key: &str) -> &'a Value {
    &row["metadata"][key]
}
