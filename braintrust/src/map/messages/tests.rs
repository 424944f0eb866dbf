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

#[test]
fn the_middle_gives_way() {
    let texts: Vec<Box<RawValue>> = (0..10).filter_map(|_| raw(&"x".repeat(97))).collect();
    let messages: Vec<&RawValue> = texts.iter().map(AsRef::as_ref).collect();
    let check = |head_limit, limit, expected| {
        assert_eq!(super::cut(&messages, head_limit, limit), expected);
    };
    check(250, 1000, None);
    let middle = Cut {
        head: 2,
        tail: 7,
        bytes: 500,
    };
    check(250, 599, Some(middle));
    let all = Cut {
        head: 0,
        tail: 10,
        bytes: 1000,
    };
    check(20, 50, Some(all));
}

#[test]
fn later_calls_get_less_and_a_long_turn_stays_bounded() {
    assert_eq!(input_limit(0), 512 * 1024);
    assert_eq!(input_limit(7), 512 * 1024);
    assert_eq!(input_limit(15), 256 * 1024);
    assert_eq!(input_limit(5000), 32 * 1024);
    let turn: usize = (0..500).map(input_limit).sum();
    assert!(turn < 28 * 1024 * 1024, "{turn}");
}
