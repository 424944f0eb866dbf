//! Images on their way from the bytes of a rollout to what a backend sends.

use std::sync::Arc;

use codex_tracing_redact::{Images, Redactor};
use codex_tracing_transcript::{Assembler, Turn};
use serde_json::json;

/// Fails the test unless a generated image leaves whole, or as what is said in its place; `sent` gives
/// all that a backend sends of a turn.
pub fn check_generated_image(sent: impl Fn(Turn) -> String) {
    let check = |images: Images, limit: Option<usize>, said: Option<&str>| {
        let (turn, payload) = drawn(images, limit);
        let sent = sent(turn);
        let url = format!("data:image/png;base64,{payload}");
        assert_eq!(
            sent.contains(&payload),
            said.is_none(),
            "{images:?}: {sent}"
        );
        let expected = said.unwrap_or(&url);
        let address = format!(r#""url":"{expected}"#);
        assert!(sent.contains(&address), "{images:?}: {sent}");
        assert_eq!(
            sent.contains("base64,"),
            said.is_none(),
            "{images:?}: {sent}"
        );
    };
    let reference = "[image image/png, 132 bytes, sha256 ";
    check(Images::Keep, None, None);
    check(Images::Keep, Some(100), Some(reference));
    check(Images::Reference, None, Some(reference));
    check(Images::Omit, None, Some("[image omitted]"));
}

/// The turn in which a picture was generated, and the picture in base64 that begins like none.
fn drawn(images: Images, limit: Option<usize>) -> (Turn, String) {
    let payload = "AAAAIGZ0eXBhdmlm".to_owned() + &"QUJD".repeat(40);
    let lines = [
        json!({"type": "session_meta", "payload": {"id": "01a1f885-0000-7000-8000-000000000001",
            "timestamp": "2026-11-20T10:00:00Z", "source": "exec", "cli_version": "0.169.0"}}),
        json!({"type": "event_msg", "payload": {"type": "task_started", "turn_id": "t1"}}),
        json!({"type": "response_item", "payload": {"type": "message", "role": "user",
            "content": [{"type": "input_text", "text": "Draw a cat."}]}}),
        json!({"type": "response_item", "payload": {"type": "image_generation_call", "id": "ig_1",
            "status": "completed", "result": payload}}),
        json!({"type": "response_item", "payload": {"type": "message", "role": "assistant",
            "content": [{"type": "output_text", "text": "A cat."}]}}),
        json!({"type": "event_msg", "payload": {"type": "task_complete", "turn_id": "t1",
            "last_agent_message": "A cat."}}),
    ];
    let (redactor, _) = Redactor::new(true, &[], limit, images);
    let mut assembler = Assembler::new(Arc::new(redactor));
    let mut offset = 0;
    for mut line in lines {
        line["timestamp"] = json!("2026-11-20T10:00:01Z");
        let line = line.to_string();
        assembler.push(offset, line.as_bytes());
        offset += line.len() as u64 + 1;
    }
    (assembler.take_turns().remove(0), payload)
}
