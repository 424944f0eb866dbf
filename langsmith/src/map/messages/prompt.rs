//! A prompt's images as the model was given them.

use codex_tracing_transcript::{Content, Item, ItemBody, Role, Turn};

/// The images of the message that brought the turn's prompt to the model, in order; none if there
/// is no such message with as many images as the prompt has.
pub(super) fn images_seen(turn: &Turn) -> Vec<&Content> {
    let wanted = images(&turn.prompt).count();
    if wanted == 0 {
        return Vec::new();
    }
    let seen = match turn.calls.first() {
        Some(call) => turn.input_of(call),
        None => turn
            .conversations
            .last()
            .map(Vec::as_slice)
            .unwrap_or_default(),
    };
    let messages = seen.iter().rev().filter_map(|item| users(item));
    let prompt = messages
        .filter(|content| images(content).count() == wanted)
        .find(|content| has_words_of(content, &turn.prompt));
    prompt
        .map(|content| images(content).collect())
        .unwrap_or_default()
}

fn users(item: &Item) -> Option<&[Content]> {
    match &item.body {
        ItemBody::Message {
            role: Role::User,
            content,
            ..
        } => Some(content),
        _ => None,
    }
}

fn images(content: &[Content]) -> impl Iterator<Item = &Content> {
    content
        .iter()
        .filter(|part| matches!(part, Content::Image(_)))
}

fn has_words_of(content: &[Content], prompt: &[Content]) -> bool {
    let texts = prompt
        .iter()
        .filter(|part| matches!(part, Content::Text(_)));
    texts.into_iter().all(|text| content.contains(text))
}
