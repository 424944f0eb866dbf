//! How much of a conversation one run repeats.

use std::rc::Rc;

use super::Message;
use super::block::text;

/// Most bytes of messages in one run: 4 MiB, several times what fits a model's context as text.
pub(super) const RUN_BYTES: usize = 4 * 1024 * 1024;
/// Most bytes of inputs that the model calls of one turn repeat in full: 64 MiB.
pub(super) const TURN_BYTES: usize = 64 * 1024 * 1024;
/// Most bytes of inputs of each further call of such a turn: 256 KiB.
pub(super) const TURN_REST_BYTES: usize = 256 * 1024;

/// The messages that stay under `bound` bytes: all, or else the base instructions, the user's
/// first message and as many of the newest as fit, with a note of how many are missing between.
pub(super) fn select(messages: &[Rc<Message>], bound: usize) -> Vec<Rc<Message>> {
    if messages.iter().map(|message| message.size()).sum::<usize>() <= bound {
        return messages.to_vec();
    }
    let head = head(messages, bound / 2);
    let mut room = bound;
    for index in &head {
        room = room.saturating_sub(messages.get(*index).map_or(0, |message| message.size()));
    }
    let first_tail = head.last().map_or(0, |index| index + 1);
    let tail = messages.get(first_tail..).unwrap_or_default();
    let mut newest = 0;
    for message in tail.iter().rev() {
        let Some(left) = room.checked_sub(message.size()) else {
            break;
        };
        room = left;
        newest += 1;
    }
    let kept = tail.get(tail.len() - newest..).unwrap_or_default();
    let mut selected: Vec<_> = head
        .iter()
        .filter_map(|index| messages.get(*index).cloned())
        .collect();
    let missing = messages.len() - selected.len() - kept.len();
    selected.push(Rc::new(note(missing, bound)));
    selected.extend(kept.iter().cloned());
    selected
}

/// The base instructions (they stand apart, first) and the first message of the user, each if it
/// leaves room for others.
fn head(messages: &[Rc<Message>], bound: usize) -> Vec<usize> {
    let lead = messages.first().filter(|message| message.apart).map(|_| 0);
    let user = messages.iter().position(|message| message.role == "user");
    let mut room = bound;
    let mut head: Vec<usize> = lead.into_iter().chain(user).collect();
    head.retain(|index| {
        let size = messages
            .get(*index)
            .map_or(usize::MAX, |message| message.size());
        let left = room.checked_sub(size);
        room = left.unwrap_or(room);
        left.is_some()
    });
    head
}

fn note(missing: usize, bound: usize) -> Message {
    let notice = format!(
        "[codex-tracing notice: {missing} earlier items of this conversation left out to keep the \
         run under {} KiB; the runs before have them.]",
        bound / 1024
    );
    Message {
        apart: true,
        ..Message::new("system", &[text(&notice)])
    }
}
