use super::*;

#[test]
fn the_middle_gives_way() {
    let texts: Vec<Box<RawValue>> = (0..10).filter_map(|_| raw(&"x".repeat(97))).collect();
    let messages: Vec<&RawValue> = texts.iter().map(AsRef::as_ref).collect();
    let check = |head_limit, limit, expected| {
        assert_eq!(cut(&messages, head_limit, limit), expected);
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
    assert_eq!(input_limit(5000), 64 * 1024);
    let turn: usize = (0..500).map(input_limit).sum();
    assert!(turn < 40 * 1024 * 1024, "{turn}");
}

#[test]
fn long_texts_are_cut_in_the_middle_and_long_images_left_out() {
    let long = format!("begin{}end", "é".repeat(100_000));
    let mut message = json!({ "content": [
        { "type": "text", "text": long },
        { "type": "image_url", "image_url": { "url": format!("data:image/png;base64,{long}") } },
        { "type": "text", "text": "short" },
    ]});
    shorten(&mut message);
    let text = message["content"][0]["text"].as_str().expect("text");
    assert!(
        text.starts_with("beginé") && text.ends_with("éend"),
        "both ends stay"
    );
    assert!(text.len() < MAX_TEXT_BYTES + 200);
    let url = message["content"][1]["image_url"]["url"]
        .as_str()
        .expect("url");
    assert!(url.starts_with("[codex-tracing notice: 2000"), "{url}");
    assert_eq!(message["content"][2]["text"], "short");
}
