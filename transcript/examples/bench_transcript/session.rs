//! A long session as Codex 0.169 writes it: many small records, tool outputs at Codex's cap, a
//! compaction whenever the context is full.
#![expect(
    clippy::needless_pass_by_value,
    reason = "every payload is made where it is passed"
)]

use std::io::{self, Write};

use serde_json::{Value, json};

/// Input tokens at which the context is compacted, as bytes of conversation.
const CONTEXT: usize = 1_000_000;

struct Session<'w> {
    out: &'w mut dyn Write,
    written: u64,
    millis: u64,
    ordinal: u64,
    noise: u64,
    total: u64,
    context: usize,
    big_outputs: bool,
}

/// Writes at least `bytes` bytes of whole turns; gives how many.
pub(crate) fn write(out: &mut dyn Write, bytes: u64, big_outputs: bool) -> io::Result<u64> {
    let mut session = Session {
        out,
        written: 0,
        millis: 1_795_170_852_000,
        ordinal: 0,
        noise: 0x9e37_79b9_7f4a_7c15,
        total: 0,
        context: 0,
        big_outputs,
    };
    session.header()?;
    let mut number = 0;
    while session.written < bytes {
        session.turn(number)?;
        number += 1;
    }
    session.out.flush()?;
    Ok(session.written)
}

const THREAD: &str = "01a1f885-5d62-7961-8288-2fca5debe037";

impl Session<'_> {
    fn record(&mut self, kind: &str, payload: Value) -> io::Result<()> {
        self.millis += 7;
        let (seconds, millis) = (self.millis / 1000, self.millis % 1000);
        let (minutes, hours) = (seconds / 60 % 60, seconds / 3600 % 24);
        let day = 1 + seconds / 86400 % 28;
        let line = json!({
            "timestamp": format!("2026-11-{day:02}T{hours:02}:{minutes:02}:{:02}.{millis:03}Z", seconds % 60),
            "ordinal": self.ordinal,
            "type": kind,
            "payload": payload,
        });
        self.ordinal += 1;
        let line = line.to_string();
        self.written += line.len() as u64 + 1;
        writeln!(self.out, "{line}")
    }

    fn event(&mut self, payload: Value) -> io::Result<()> {
        self.record("event_msg", payload)
    }

    fn item(&mut self, payload: Value) -> io::Result<()> {
        self.context += 400;
        self.record("response_item", payload)
    }

    /// Text like a program's output, with what JSON must escape now and then.
    fn text(&mut self, len: usize) -> String {
        const WORDS: [&str; 8] = [
            "warning: unused variable",
            "src/main.rs:120:9",
            "    let value = parse(input)?;\n",
            "\"quoted\"",
            "running 42 tests\n",
            "ok. 42 passed; 0 failed;",
            "path/to/some/file.rs",
            "\tindented\n",
        ];
        let mut text = String::with_capacity(len + 40);
        while text.len() < len {
            self.noise ^= self.noise << 13;
            self.noise ^= self.noise >> 7;
            self.noise ^= self.noise << 17;
            let word = usize::try_from(self.noise >> 61).unwrap_or(0);
            text.push_str(WORDS.get(word).copied().unwrap_or_default());
            text.push(' ');
        }
        text
    }

    fn header(&mut self) -> io::Result<()> {
        let instructions = self.text(20_000);
        self.record(
            "session_meta",
            json!({
                "session_id": THREAD, "id": THREAD, "timestamp": "2026-11-20T10:34:12.202Z",
                "cwd": "/home/dev/app", "originator": "codex_exec", "cli_version": "0.169.0",
                "source": "exec", "model_provider": "openai",
                "base_instructions": {"text": instructions}, "history_mode": "paginated",
                "git": {"commit_hash": "a3afcd1a", "branch": "main"},
            }),
        )
    }

    fn turn(&mut self, number: u32) -> io::Result<()> {
        let turn = format!("01a1f885-5d74-7011-8026-{number:012}");
        self.event(
            json!({"type": "task_started", "turn_id": turn, "started_at": self.millis / 1000,
            "model_context_window": 258_400}),
        )?;
        self.context(&turn)?;
        let prompt = self.text(300);
        self.item(
            json!({"type": "message", "role": "user", "id": format!("msg_{}", self.ordinal),
            "content": [{"type": "input_text", "text": prompt}]}),
        )?;
        self.completed(
            &turn,
            json!({"type": "UserMessage", "id": "u",
            "content": [{"type": "text", "text": prompt, "text_elements": []}]}),
        )?;
        for step in 0..12 {
            if self.context > CONTEXT {
                self.compact(&turn)?;
            }
            self.step(&turn, step)?;
        }
        let answer = self.text(1500);
        self.say(&turn, &answer, "final_answer")?;
        self.spend(&turn)?;
        self.count()?;
        self.event(
            json!({"type": "task_complete", "turn_id": turn, "last_agent_message": answer,
            "started_at": 1, "completed_at": 2, "duration_ms": 900, "time_to_first_token_ms": 87}),
        )
    }

    fn context(&mut self, turn: &str) -> io::Result<()> {
        self.record(
            "turn_context",
            json!({"turn_id": turn, "cwd": "/home/dev/app",
            "approval_policy": "never", "sandbox_policy": {"type": "danger-full-access"},
            "model": "gpt-5.5", "summary": "none"}),
        )
    }

    fn completed(&mut self, turn: &str, item: Value) -> io::Result<()> {
        self.event(
            json!({"type": "item_completed", "thread_id": THREAD, "turn_id": turn,
            "item": item, "started_at_ms": self.millis, "completed_at_ms": self.millis}),
        )
    }

    fn say(&mut self, turn: &str, text: &str, phase: &str) -> io::Result<()> {
        let id = format!("msg_{}", self.ordinal);
        self.completed(
            turn,
            json!({"type": "AgentMessage", "id": id,
            "content": [{"type": "Text", "text": text}], "phase": phase}),
        )?;
        self.item(json!({"type": "message", "id": id, "role": "assistant",
            "content": [{"type": "output_text", "text": text}], "phase": phase}))
    }

    fn step(&mut self, turn: &str, step: u32) -> io::Result<()> {
        let thought = self.text(250);
        let id = format!("rs_{}", self.ordinal);
        self.completed(
            turn,
            json!({"type": "Reasoning", "id": id, "summary_text": [thought],
            "raw_content": []}),
        )?;
        let sealed = "gAAAAABo".repeat(150);
        self.item(json!({"type": "reasoning", "id": id,
            "summary": [{"type": "summary_text", "text": thought}], "content": null,
            "encrypted_content": sealed}))?;
        let remark = self.text(120);
        self.say(turn, &remark, "commentary")?;
        let call = format!("call_{}", self.ordinal);
        let command = self.text(80);
        self.item(
            json!({"type": "function_call", "id": format!("fc_{call}"), "name": "exec_command",
            "arguments": json!({"cmd": command}).to_string(), "call_id": call}),
        )?;
        self.spend(turn)?;
        let is_big = self.big_outputs && step.is_multiple_of(4);
        let len = if is_big { 44_000 } else { 1_200 };
        let printed = self.text(len);
        let whole = self.text(if is_big { 70_000 } else { 1_200 });
        self.completed(
            turn,
            json!({"type": "CommandExecution", "id": call, "process_id": "71194",
            "command": ["/bin/bash", "-lc", command], "cwd": "file:///home/dev/app",
            "parsed_cmd": [{"type": "unknown", "cmd": command}], "status": "completed",
            "aggregated_output": whole, "exit_code": 0, "duration": {"secs": 0, "nanos": 4725}}),
        )?;
        self.context += len;
        self.item(json!({"type": "function_call_output", "id": format!("fco_{call}"), "call_id": call,
            "output": format!("Chunk ID: 0f252b\nWall time: 0.1 seconds\nProcess exited with code 0\nOutput:\n{printed}")}))?;
        self.count()
    }

    fn usage(&self, input: u64) -> Value {
        json!({"input_tokens": input, "cached_input_tokens": input / 2,
            "cache_write_input_tokens": 0, "output_tokens": 50, "reasoning_output_tokens": 10,
            "total_tokens": input + 50, "calls": self.ordinal})
    }

    fn spend(&mut self, turn: &str) -> io::Result<()> {
        self.total += 1000;
        let payload = json!({"thread_id": THREAD, "turn_id": turn, "session_id": THREAD,
            "root_turn_id": turn, "response_id": format!("resp_{}", self.ordinal),
            "usage": self.usage(1000), "turn_token_usage": self.usage(1000),
            "thread_token_usage": self.usage(self.total)});
        self.record("token_usage_record", payload)
    }

    fn count(&mut self) -> io::Result<()> {
        let payload = json!({"type": "token_count", "info": {
            "total_token_usage": self.usage(self.total), "last_token_usage": self.usage(1000),
            "model_context_window": 258_400},
            "rate_limits": {"primary": {"used_percent": 3.0, "window_minutes": 300}}});
        self.event(payload)
    }

    fn compact(&mut self, turn: &str) -> io::Result<()> {
        let summary = self.text(4000);
        self.item(json!({"type": "message", "role": "assistant",
            "content": [{"type": "output_text", "text": summary}]}))?;
        self.spend(turn)?;
        self.count()?;
        self.record(
            "compacted",
            json!({"message": summary, "window_number": 1,
            "replacement_history": [{"type": "message", "role": "user",
                "content": [{"type": "input_text", "text": summary}]}]}),
        )?;
        self.context = 4000;
        self.context(turn)?;
        self.count()
    }
}
