//! Metadata only: no canary planted in content survives, every mark planted elsewhere does.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use codex_tracing_redact::{NOTICE, project_history, project_session, project_turn};
use codex_tracing_transcript::{
    Answer, Approval, Arguments, CallError, Compaction, Content, FileChange, FollowUp, Git, Item,
    ItemBody, ModelCall, ModelInput, Origin, Outcome, Output, Role, Session, Subagent, ToolCall,
    ToolKind, ToolStatus, Turn, TurnContext, TurnError, TurnKind, TurnStatus, Usage, Window,
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

#[derive(Default)]
struct Planter {
    planted: usize,
    kept: Vec<String>,
}

impl Planter {
    /// Content: must go.
    fn content(&mut self) -> String {
        self.planted += 1;
        format!("canary {} of the user", self.planted)
    }

    /// A name or id: must stay.
    fn keep(&mut self) -> String {
        let mark = format!("keep-{}-", self.kept.len());
        self.kept.push(mark.clone());
        mark
    }

    fn value(&mut self) -> Value {
        let mut object = Map::new();
        object.insert(self.content(), Value::from(self.content()));
        object.insert(
            "deep".into(),
            json!([{ "text": self.content(), "n": 7_777_777 }]),
        );
        Value::Object(object)
    }

    fn parts(&mut self) -> Vec<Content> {
        vec![
            Content::Text(self.content()),
            Content::Image(self.content()),
            Content::Other {
                kind: self.content(),
                value: self.value(),
            },
        ]
    }

    fn item(&mut self, body: ItemBody) -> Arc<Item> {
        Arc::new(Item {
            at: at(1),
            id: Some(self.keep()),
            body,
        })
    }

    fn items(&mut self) -> Vec<Arc<Item>> {
        let bodies = vec![
            ItemBody::Message {
                role: Role::User,
                content: self.parts(),
                phase: Some(self.content()),
            },
            ItemBody::Message {
                role: Role::Other(self.content()),
                content: Vec::new(),
                phase: Some("final_answer".into()),
            },
            ItemBody::Reasoning {
                summary: vec![self.content()],
                content: vec![self.content(), self.content()],
                encrypted: true,
            },
            ItemBody::ToolCall {
                call_id: self.keep(),
                kind: self.keep(),
                name: self.keep(),
                namespace: Some(self.keep()),
                arguments: Arguments::Json(self.value()),
            },
            ItemBody::ToolCall {
                call_id: self.keep(),
                kind: self.keep(),
                name: self.keep(),
                namespace: None,
                arguments: Arguments::Malformed(self.content()),
            },
            ItemBody::ToolOutput {
                call_id: self.keep(),
                output: Output::Json(self.value()),
            },
            ItemBody::ToolOutput {
                call_id: self.keep(),
                output: Output::Parts(self.parts()),
            },
            ItemBody::AgentMessage {
                author: Some(self.keep()),
                recipient: Some(self.keep()),
                content: self.parts(),
            },
            ItemBody::Other {
                kind: self.keep(),
                value: self.value(),
            },
            ItemBody::Other {
                kind: self.content(),
                value: Value::from(self.content()),
            },
        ];
        bodies.into_iter().map(|body| self.item(body)).collect()
    }

    fn call(&mut self, output: Vec<Arc<Item>>) -> ModelCall {
        ModelCall {
            index: 0,
            window: window(),
            model: Some(self.keep()),
            input: ModelInput {
                conversation: 0,
                len: 3,
            },
            output,
            first_output_at: Some(at(2)),
            usage: Some(usage()),
            response_id: Some(self.keep()),
            retries: 3,
            errors: vec![CallError {
                at: at(2),
                message: self.content(),
            }],
            completed: true,
            announced: true,
        }
    }

    fn tool(&mut self, arguments: Arguments, output: Output) -> ToolCall {
        let details = self.value();
        ToolCall {
            id: self.keep(),
            name: self.keep(),
            namespace: Some(self.keep()),
            mcp_server: Some(self.keep()),
            kind: ToolKind::Patch,
            arguments,
            outcome: Outcome {
                status: ToolStatus::Failed,
                output: Some(output),
                exit_code: Some(42),
                error: Some(self.content()),
            },
            window: window(),
            model_call: Some(0),
            parent: Some(self.keep()),
            approval: Some(Approval {
                granted: Some(false),
                sandbox_permissions: Some("require_escalated".into()),
                justification: Some(self.content()),
                prefix_rule: vec![self.content()],
            }),
            changes: vec![FileChange {
                path: self.content(),
                kind: "update".into(),
                text: Some(self.content()),
                moved_to: Some(self.content()),
            }],
            details: details.as_object().cloned().unwrap_or_default(),
        }
    }

    fn compaction(&mut self, after: Vec<Arc<Item>>) -> Compaction {
        Compaction {
            index: 0,
            window: window(),
            trigger: "auto".into(),
            model: Some(self.keep()),
            before: ModelInput {
                conversation: 0,
                len: 2,
            },
            after,
            summary: Some(self.content()),
            window_id: Some(self.keep()),
            usage: Some(usage()),
            response_id: Some(self.keep()),
        }
    }

    fn context(&mut self) -> TurnContext {
        let mut raw = Map::new();
        raw.insert("model".into(), Value::from(self.keep()));
        raw.insert("summary".into(), Value::from(self.content()));
        raw.insert("effort".into(), self.value());
        raw.insert("cwd".into(), Value::from(self.content()));
        raw.insert(self.content(), Value::from("x"));
        raw.insert("developer_instructions".into(), Value::from(self.content()));
        TurnContext {
            model: Some(self.keep()),
            effort: Some(self.keep()),
            approval_policy: Some(self.keep()),
            sandbox_policy: Some(self.keep()),
            cwd: Some(self.content()),
            raw,
        }
    }

    fn turn(&mut self) -> Turn {
        let items = self.items();
        let (json, text) = (self.value(), self.content());
        let (parts, thread_id, call_id) = (self.parts(), self.keep(), self.keep());
        let led_to = Some(self.keep());
        Turn {
            id: self.keep(),
            number: 7,
            thread_id: self.keep(),
            kind: TurnKind::Prompt,
            parent_turn_id: Some(self.keep()),
            window: window(),
            context: self.context(),
            prompt: self.parts(),
            status: TurnStatus::Failed,
            error: Some(TurnError {
                message: self.content(),
                code: Some("internal_server_error".into()),
            }),
            answer: Some(Answer {
                text: self.content(),
            }),
            time_to_first_token_ms: Some(1234),
            conversations: vec![items.clone(), Vec::new()],
            calls: vec![self.call(items[3..].to_vec())],
            tools: vec![
                self.tool(Arguments::Json(json), Output::Parts(parts)),
                self.tool(Arguments::Text(text.clone()), Output::Text(text)),
            ],
            subagents: vec![Subagent {
                thread_id: self.keep(),
                spawned_by: Some(self.keep()),
                path: Some(self.keep()),
                nickname: Some(self.keep()),
                role: Some(self.keep()),
                spawned_at: at(2),
            }],
            follow_ups: vec![FollowUp {
                thread_id,
                call_id,
                led_to,
            }],
            compactions: vec![self.compaction(items)],
            usage: usage(),
        }
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn window() -> Window {
    Window {
        started_at: at(0),
        ended_at: Some(at(9)),
    }
}

fn usage() -> Usage {
    Usage {
        input: 11,
        cached: 12,
        cache_write: 13,
        output: 14,
        reasoning: 15,
        total: 16,
    }
}

#[test]
fn no_canary_survives_and_every_mark_does() {
    let mut planter = Planter::default();
    let turn = planter.turn();
    let before = serde_json::to_string(&turn).unwrap();
    for number in 1..=planter.planted {
        let canary = format!("canary {number} of");
        assert!(before.contains(&canary), "not planted: {canary}");
    }
    let projected = project_turn(&turn);
    let after = serde_json::to_string(&projected).unwrap();
    assert!(!after.contains("canary"), "{after}");
    assert!(!after.contains("7777777"), "{after}");
    for mark in &planter.kept {
        assert!(after.contains(mark.as_str()), "{mark} is gone:\n{after}");
    }
}

#[test]
fn a_turn_that_repeats_hidden_items_keeps_its_own_content_alone() {
    let turn = Planter::default().turn();
    let hidden = project_history(&turn, &|_, _| true);
    assert_eq!(hidden.conversations, project_turn(&turn).conversations);
    let seen = serde_json::to_string(&hidden.conversations).unwrap();
    assert!(!seen.contains("canary"), "{seen}");
    assert_eq!((&hidden.prompt, &hidden.calls), (&turn.prompt, &turn.calls));
    assert_eq!(project_history(&turn, &|_, _| false), turn);
}

#[test]
fn topology_times_status_and_usage_stay() {
    let turn = Planter::default().turn();
    let after = project_turn(&turn);
    assert_eq!(
        (after.number, after.kind, after.status),
        (7, turn.kind, turn.status)
    );
    assert_eq!((after.window, after.usage), (turn.window, turn.usage));
    assert_eq!(after.time_to_first_token_ms, Some(1234));
    let code = after.error.unwrap().code;
    assert_eq!(code.as_deref(), Some("internal_server_error"));
    assert_eq!(after.answer.unwrap().text, NOTICE);
    assert_eq!(after.prompt, [Content::Text(NOTICE.into())]);
    let call = &after.calls[0];
    let before = &turn.calls[0];
    assert_eq!((call.input, call.usage), (before.input, before.usage));
    assert_eq!((call.retries, call.completed), (3, true));
    assert!(call.announced);
    let tool = &after.tools[0];
    assert_eq!(
        (tool.outcome.status, tool.outcome.exit_code),
        (ToolStatus::Failed, Some(42))
    );
    let error = tool.outcome.error.as_deref();
    assert_eq!(error, Some(NOTICE), "a failure still says that it failed");
    assert_eq!(
        (tool.window, tool.model_call),
        (turn.tools[0].window, Some(0))
    );
    assert_eq!(after.conversations[0].len(), turn.conversations[0].len());
    assert!(
        Arc::ptr_eq(&after.conversations[0][3], &after.calls[0].output[0]),
        "what was shared still is"
    );
}

#[test]
fn projecting_twice_changes_nothing() {
    let once = project_turn(&Planter::default().turn());
    assert_eq!(project_turn(&once), once);
}

#[test]
fn nothing_where_nothing_was() {
    let mut turn = Planter::default().turn();
    turn.prompt.clear();
    turn.answer = None;
    turn.error = None;
    turn.tools.clear();
    turn.calls.clear();
    let after = project_turn(&turn);
    assert!(after.prompt.is_empty() && after.answer.is_none() && after.error.is_none());
}

#[test]
fn a_session_keeps_its_ids_and_loses_paths_git_and_instructions() {
    let mut planter = Planter::default();
    let mut some = || Some(planter.keep());
    let mut session = Session {
        thread_id: "thread".into(),
        session_id: some(),
        parent_thread_id: some(),
        forked_from_id: some(),
        started_at: at(0),
        cwd: Some("canary".into()),
        git: Some(Git {
            commit: Some("canary".into()),
            branch: Some("canary".into()),
            repository_url: Some("canary".into()),
        }),
        cli_version: some(),
        originator: some(),
        origin: Origin::Review,
        model_provider: some(),
        base_instructions: Some("canary".into()),
    };
    let after = serde_json::to_string(&project_session(&session)).unwrap();
    assert!(!after.contains("canary"), "{after}");
    for mark in &planter.kept {
        assert!(after.contains(mark.as_str()), "{after}");
    }
    session.origin = Origin::Other("a canary with spaces".into());
    let after = format!("{:?}", project_session(&session));
    assert!(!after.contains("canary"), "{after}");
}
