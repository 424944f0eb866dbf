//! Every realistic output with planted secrets, in a rollout of Codex's, through both backends.

use serde_json::{Value, json};

use super::outputs::{Case, cases};
use super::sandbox::{Recorded, SESSIONS, Sandbox};

/// The forms in which Codex's rollouts hold what a tool printed.
fn forms(text: &str) -> [(&'static str, String); 5] {
    let json_text = json!({ "output": [{ "content": text, "exit_code": 0 }] }).to_string();
    let quoted = Value::from(text).to_string();
    let head = "Chunk ID: a1\nWall time: 0.0100 seconds\nOutput:\n";
    [
        ("plain", format!("{head}{text}")),
        ("CRLF", text.replace('\n', "\r\n")),
        ("a piece of JSON", format!("{head}line 7: {quoted}, \"cut")),
        (
            "JSON in JSON",
            json!({ "arguments": json_text }).to_string(),
        ),
        ("JSON", json_text),
    ]
}

/// A call of a tool whose arguments and output hold the text, and a message that repeats it.
fn records(call: &str, text: &str, output: &str) -> Vec<Value> {
    let record = |payload: Value| json!({"timestamp": "2026-11-20T10:34:12.308Z", "type": "response_item", "payload": payload});
    let arguments = json!({ "cmd": format!("cat <<'EOF'\n{text}\nEOF") }).to_string();
    vec![
        record(json!({
            "type": "function_call", "name": "exec_command", "call_id": call, "arguments": arguments,
        })),
        record(json!({"type": "function_call_output", "call_id": call, "output": output})),
        record(json!({
            "type": "message", "role": "assistant",
            "content": [{"type": "output_text", "text": format!("It says:\n{text}")}],
        })),
    ]
}

/// A recorded session whose turn has, before its end, one call for each output and form.
fn planted_session(sandbox: &Sandbox, cases: &[Case]) -> Recorded {
    let recorded = sandbox.recorded_in(SESSIONS);
    let text = std::fs::read_to_string(&recorded.rollout).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let end = lines.pop().unwrap();
    assert!(end.contains("task_complete"), "{end}");
    for (number, case) in cases.iter().enumerate() {
        for (form, output) in forms(&case.text) {
            let call = format!("call {number} {form}");
            let records = records(&call, &case.text, &output);
            lines.extend(records.iter().map(Value::to_string));
        }
    }
    lines.push(end);
    std::fs::write(&recorded.rollout, lines.join("\n") + "\n").unwrap();
    recorded
}

#[test]
fn no_secret_of_any_kind_in_any_output_in_any_form_passes_either_backend() {
    let (cases, kinds) = cases();
    assert!(cases.len() >= 60, "{} outputs", cases.len());
    assert!(kinds.len() >= 30, "{} kinds", kinds.len());
    let sandbox = Sandbox::new();
    let recorded = planted_session(&sandbox, &cases);
    let rollout = recorded.rollout.to_str().unwrap();
    let held = std::fs::read_to_string(rollout).unwrap();
    for backend in ["langsmith", "braintrust"] {
        let export = sandbox.run(&["export", rollout, "--backend", backend], b"");
        assert_eq!(export.status.code(), Some(0), "{export:?}");
        let sent = String::from_utf8(export.stdout).unwrap();
        // The outputs are there, whatever was taken out of them.
        assert!(sent.contains("registry=https://registry.npmjs.org/"));
        let hidden = sent.matches("[SECRET_DETECTED]").count();
        assert!(
            hidden >= cases.len() * 5,
            "{backend}: only {hidden} were hidden"
        );
        for case in &cases {
            for secret in &case.planted {
                assert!(held.contains(secret.as_str()), "{}: not planted", case.name);
                let found = sent.find(secret.as_str());
                let around = found.map(|at| {
                    let from = sent.floor_char_boundary(at.saturating_sub(200));
                    sent.get(from..at + secret.len()).unwrap_or_default()
                });
                assert_eq!(around, None, "{backend}: {} of {}", secret, case.name);
            }
        }
    }
}
