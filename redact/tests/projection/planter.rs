//! Content and names, each of them marked.

use std::sync::Arc;

use codex_tracing_transcript::{
    Answer, Approval, Arguments, CallError, Compaction, Content, FileChange, FollowUp, Item,
    ItemBody, ModelCall, ModelInput, Outcome, Output, Role, Subagent, ToolCall, ToolKind,
    ToolStatus, Turn, TurnContext, TurnError, TurnKind, TurnStatus, Usage, Window,
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

#[derive(Default)]
pub(crate) struct Planter {
    pub(crate) planted: usize,
    pub(crate) kept: Vec<String>,
}

impl Planter {
    /// Content: must go.
    fn content(&mut self) -> String {
        self.planted += 1;
        format!("canary {} of the user", self.planted)
    }

    /// A name or id: must stay.
    pub(crate) fn keep(&mut self) -> String {
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
                author: Some(self.content()),
                recipient: Some(self.content()),
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

    pub(crate) fn turn(&mut self) -> Turn {
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
                path: Some(self.content()),
                nickname: Some(self.content()),
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

pub(crate) fn at(second: i64) -> Timestamp {
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
