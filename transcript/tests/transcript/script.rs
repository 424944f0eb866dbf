//! Rollouts written by hand, record by record.

use std::sync::Arc;

use codex_tracing_transcript::{Assembler, Turn, Verbatim};
use serde_json::{Value, json};

pub(crate) const THREAD: &str = "01a1f885-5d62-7961-8288-2fca5debe037";
pub(crate) const TURN: &str = "01a1f885-5d74-7011-8026-ab203d51e97c";

/// A rollout in the making: each record comes 100 ms after the one before it.
pub(crate) struct Script {
    pub(crate) assembler: Assembler,
    pub(crate) millis: u64,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self {
            assembler: Assembler::new(Arc::new(Verbatim)),
            millis: 0,
        }
    }

    pub(crate) fn begun() -> Self {
        Self::new().meta(THREAD, json!({})).start(TURN)
    }

    pub(crate) fn line(mut self, kind: &str, payload: &Value) -> Self {
        self.millis += 100;
        let (s, ms) = (self.millis / 1000, self.millis % 1000);
        let line = format!(
            r#"{{"timestamp":"2026-11-20T10:00:{s:02}.{ms:03}Z","type":"{kind}","payload":{payload}}}"#
        );
        self.assembler.push(self.millis, line.as_bytes());
        self
    }

    /// A line that is no record.
    pub(crate) fn raw(mut self, line: &str) -> Self {
        self.millis += 100;
        self.assembler.push(self.millis, line.as_bytes());
        self
    }

    pub(crate) fn event(self, payload: &Value) -> Self {
        self.line("event_msg", payload)
    }

    pub(crate) fn item(self, payload: &Value) -> Self {
        self.line("response_item", payload)
    }

    pub(crate) fn meta(self, id: &str, more: Value) -> Self {
        let mut meta = json!({"id": id, "timestamp": "2026-11-20T10:00:00Z", "source": "exec"});
        let (Value::Object(all), Value::Object(more)) = (&mut meta, more) else {
            unreachable!("both are objects");
        };
        all.extend(more);
        self.line("session_meta", &meta)
    }

    pub(crate) fn start(self, turn: &str) -> Self {
        self.event(&json!({"type": "task_started", "turn_id": turn}))
    }

    pub(crate) fn end(self, turn: &str) -> Self {
        self.event(
            &json!({"type": "task_complete", "turn_id": turn, "last_agent_message": "done",
            "started_at": 1}),
        )
    }

    pub(crate) fn say(self, text: &str) -> Self {
        self.item(&json!({"type": "message", "role": "assistant",
            "content": [{"type": "output_text", "text": text}]}))
    }

    pub(crate) fn call(self, id: &str, name: &str, arguments: &Value) -> Self {
        self.item(
            &json!({"type": "function_call", "name": name, "call_id": id,
            "arguments": arguments.to_string()}),
        )
    }

    pub(crate) fn answer(self, id: &str, output: &str) -> Self {
        self.item(&json!({"type": "function_call_output", "call_id": id, "output": output}))
    }

    pub(crate) fn cell(self, id: &str, script: &str) -> Self {
        self.item(
            &json!({"type": "custom_tool_call", "name": "exec", "call_id": id,
            "input": script}),
        )
    }

    pub(crate) fn ran(self, id: &str, command: &str) -> Self {
        self.event(&ran(id, command))
    }

    /// A command that ended at this millisecond of the rollout, whenever that was recorded.
    pub(crate) fn ran_at(self, id: &str, command: &str, millis: u64) -> Self {
        let mut end = ran(id, command);
        end["completed_at_ms"] = Self::instant(millis).into();
        self.event(&end)
    }

    /// A command that began at this millisecond of the rollout and ends now.
    pub(crate) fn ran_from(self, id: &str, command: &str, millis: u64) -> Self {
        let mut end = ran(id, command);
        end["started_at_ms"] = Self::instant(millis).into();
        end["completed_at_ms"] = Self::instant(self.millis + 100).into();
        self.event(&end)
    }

    /// This millisecond of the rollout, in milliseconds since 1970.
    pub(crate) fn instant(millis: u64) -> i64 {
        let beginning: jiff::Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        beginning.as_millisecond() + i64::try_from(millis).unwrap()
    }

    pub(crate) fn count(self, total: u64, last: u64) -> Self {
        self.event(&json!({"type": "token_count", "info": {
            "total_token_usage": {"input_tokens": total, "total_tokens": total},
            "last_token_usage": {"input_tokens": last, "total_tokens": last}}}))
    }

    pub(crate) fn turns(mut self) -> Vec<Turn> {
        self.assembler.take_turns()
    }

    pub(crate) fn turn(self) -> Turn {
        let mut turns = self.turns();
        assert_eq!(turns.len(), 1);
        turns.remove(0)
    }
}

fn ran(id: &str, command: &str) -> Value {
    json!({"type": "item_completed", "thread_id": THREAD, "turn_id": TURN,
        "item": {"type": "CommandExecution", "id": id, "command": ["bash", "-lc", command],
            "status": "completed", "aggregated_output": command, "exit_code": 0}})
}
