use serde_json::json;

use super::*;

const PROMPT: &str = "please look into Mrs. Miller's account\nand tell nobody";

fn response(status: u16, body: &str) -> Response {
    Response {
        status,
        retry_after: None,
        content_type: None,
        body: body.as_bytes().to_vec(),
    }
}

fn check(body: &impl ToString, expected: &str) {
    let body = body.to_string();
    assert_eq!(excerpt(&response(422, &body)), expected, "{body}");
}

#[test]
fn of_a_validation_error_place_and_kind_are_told_and_never_the_input() {
    let body = json!({"detail": [
        {"type": "string_type", "loc": ["body", "post", 0, "inputs"], "url": "https://errors.test",
         "msg": "Input should be a valid string", "input": PROMPT, "ctx": {"given": PROMPT}},
        {"type": "missing", "loc": ["body", "id"], "msg": "Field required", "input": {"a": PROMPT}},
    ], "body": PROMPT});
    check(
        &body,
        "HTTP 422: Input should be a valid string (body.post.0.inputs, string_type); \
         Field required (body.id, missing)",
    );
}

#[test]
fn messages_are_found_where_servers_put_them() {
    check(&json!({"error": "no"}), "HTTP 422: no");
    check(&json!({"detail": "no", "input": PROMPT}), "HTTP 422: no");
    check(
        &json!({"error": {"message": "no", "param": PROMPT}}),
        "HTTP 422: no",
    );
    check(
        &json!({"error": "no", "message": "never"}),
        "HTTP 422: no; never",
    );
    check(&json!({"error": "no", "message": "no"}), "HTTP 422: no");
    check(&json!({"Code": "X", "Message": "no"}), "HTTP 422: no");
    check(&json!("no"), "HTTP 422: no");
    check(&"no\n", "HTTP 422: no");
}

#[test]
fn what_may_hold_anything_is_not_told() {
    check(&"", "HTTP 422");
    check(&json!({"input": PROMPT}), "HTTP 422");
    check(&json!([PROMPT]), "HTTP 422");
    check(&json!({"error": [[PROMPT]]}), "HTTP 422");
    check(&json!({"msg": {"x": PROMPT}}), "HTTP 422");
    check(
        &format!("{{\"detail\": [{{\"input\": \"{PROMPT}"),
        "HTTP 422",
    );
    check(&format!("<html>{PROMPT}"), "HTTP 422: a web page");
}

#[test]
fn a_long_answer_is_cut() {
    let told = excerpt(&response(400, &"x".repeat(5000)));
    assert_eq!(told.len(), "HTTP 400: ".len() + LONGEST);
}

#[test]
fn no_answer_puts_a_planted_prompt_on_disk() {
    let body = json!({"id": "r1", "inputs": {"messages": [{"content": PROMPT}]}}).to_string();
    let item = Item {
        id: "r1".to_owned(),
        body: body.clone().into_bytes(),
        known: false,
    };
    let echoes = [
        format!("cannot take {PROMPT}!"),
        format!("cannot take {body}!"),
        json!({"error": format!("bad value: {PROMPT}")}).to_string(),
        json!({"error": format!("bad body: {body}")}).to_string(),
        json!({"detail": [{"msg": format!("got {PROMPT}"), "loc": [PROMPT], "type": PROMPT}]})
            .to_string(),
        json!({"detail": PROMPT, "input": PROMPT}).to_string(),
        format!("cut short: {}", PROMPT.get(..30).unwrap()),
    ];
    for echo in echoes {
        let told = without_echoes(&excerpt(&response(422, &echo)), &[&item]);
        assert!(
            told.starts_with("HTTP 422: ") && told.contains(LEFT_OUT),
            "{told}"
        );
        for piece in ["Miller", "look into", "tell nobody"] {
            assert!(!told.contains(piece), "{echo} -> {told}");
        }
    }
}

#[test]
fn words_of_the_servers_own_are_told_whole() {
    let item = Item {
        id: "r1".to_owned(),
        body: json!({"id": "r1", "inputs": PROMPT})
            .to_string()
            .into_bytes(),
        known: false,
    };
    let short = PROMPT.get(..23).unwrap();
    let own = "HTTP 422: run r1 is not welcome here, for reasons of its own";
    for words in ["", "no", "ä — ö", own, short] {
        assert_eq!(without_echoes(words, &[&item]), words);
        assert_eq!(without_echoes(words, &[]), words);
    }
    assert_eq!(
        without_echoes(PROMPT.get(..24).unwrap(), &[&item]),
        LEFT_OUT
    );
    let two = format!("ä {0} ö {0} ü", PROMPT.get(..26).unwrap());
    assert_eq!(without_echoes(&two, &[&item]), "ä […] ö […] ü");
}
