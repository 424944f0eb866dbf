use super::*;

fn check(body: &ItemBody, expected: &Value) {
    assert_eq!(message(body).as_ref(), Some(expected));
}

#[test]
fn every_item_has_a_message() {
    check(
        &ItemBody::Reasoning {
            summary: vec!["plan".to_owned(), String::new()],
            content: Vec::new(),
            encrypted: true,
        },
        &json!({ "type": "reasoning", "summary": [{ "type": "summary_text", "text": "plan" }] }),
    );
    check(
        &ItemBody::AgentMessage {
            author: Some("/root/alpha".to_owned()),
            recipient: None,
            content: vec![Content::Text("hi".to_owned())],
        },
        &json!({ "role": "user", "content": "hi", "name": "/root/alpha" }),
    );
    check(
        &ItemBody::Other {
            kind: "web_search_call".to_owned(),
            value: json!({ "type": "other", "status": "completed" }),
        },
        &json!({ "type": "web_search_call", "status": "completed" }),
    );
    check(
        &ItemBody::ToolOutput {
            call_id: "c".to_owned(),
            output: Output::Json(json!({ "a": 1 })),
        },
        &json!({ "role": "tool", "tool_call_id": "c", "content": "{\"a\":1}" }),
    );
    check(
        &ItemBody::ToolCall {
            call_id: "c".to_owned(),
            kind: "custom_tool_call".to_owned(),
            name: "add".to_owned(),
            namespace: Some("mcp__notes".to_owned()),
            arguments: Arguments::Malformed("{".to_owned()),
        },
        &json!({ "role": "assistant", "content": null, "tool_calls": [{
            "id": "c",
            "type": "function",
            "function": { "name": "add", "namespace": "mcp__notes", "arguments": "{" },
        }]}),
    );
}

#[test]
fn encrypted_reasoning_alone_is_no_message() {
    let body = ItemBody::Reasoning {
        summary: Vec::new(),
        content: Vec::new(),
        encrypted: true,
    };
    assert_eq!(message(&body), None);
}
