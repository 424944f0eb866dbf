//! Conversations in the message format of the JavaScript plugin.
//!
//! Messages are `{role, content: [block, …]}` with the roles `system`, `user`, `ai` and `tool`;
//! neighbours of one role (but `tool`) are one message. Each item of a conversation is encoded
//! once per turn and spliced into every run that repeats it.

mod block;
mod bound;
mod prompt;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use codex_tracing_transcript::{
    Compaction, Content, Item, ItemBody, ModelInput, Output, Role, Turn,
};
use serde_json::{Value, json};

use super::Scene;
use crate::run::Json;

use block::{Block, output_blocks, text};
use bound::{RUN_BYTES, TURN_BYTES, TURN_REST_BYTES, select};

/// Items among which a conversation's own copy of the base instructions is looked for.
const BEGINNING: usize = 4;

/// One message, or a part of one that its neighbours complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    role: Cow<'static, str>,
    /// Author, where it is not the role's usual one.
    name: Option<String>,
    /// The call that a tool message answers.
    tool_call_id: Option<String>,
    /// Whether it stays apart from neighbours of its role.
    apart: bool,
    /// Encoded content blocks, joined by commas.
    blocks: String,
}

impl Message {
    fn new(role: impl Into<Cow<'static, str>>, blocks: &[Block<'_>]) -> Self {
        let blocks: Vec<_> = blocks.iter().map(|block| Json::of(block).0).collect();
        Self {
            role: role.into(),
            name: None,
            tool_call_id: None,
            apart: false,
            blocks: blocks.join(","),
        }
    }

    fn joins(&self, next: &Self) -> bool {
        let merges = |message: &Self| !message.apart && message.name.is_none();
        self.role == next.role && self.role != "tool" && merges(self) && merges(next)
    }

    /// About how much it adds to a run.
    fn size(&self) -> usize {
        self.blocks.len() + 32
    }
}

/// The messages of one turn.
pub(super) struct Messages<'a> {
    turn: &'a Turn,
    /// Base instructions, and the message made of them.
    instructions: Option<&'a str>,
    lead: Option<Rc<Message>>,
    /// By address: items are shared between the turn's conversations and calls.
    known: HashMap<*const Item, Rc<Message>>,
    /// Bytes of inputs given out so far.
    spent: usize,
}

impl<'a> Messages<'a> {
    pub(super) fn new(scene: &Scene<'a>) -> Self {
        let instructions = scene.view.session.base_instructions.as_deref();
        let lead = instructions.map(|instructions| {
            Rc::new(Message {
                apart: true,
                ..Message::new("system", &[text(instructions)])
            })
        });
        Self {
            turn: scene.view.turn,
            instructions,
            lead,
            known: HashMap::new(),
            spent: 0,
        }
    }

    /// What the human wrote. Of images the prompt may have no more than the path; the model was
    /// given what is there.
    pub(super) fn prompt(&self) -> Json {
        let mut images = prompt::images_seen(self.turn).into_iter();
        let seen = |part: &'a Content| match part {
            Content::Image(_) => images.next().unwrap_or(part),
            Content::Text(_) | Content::Other { .. } => part,
        };
        let blocks: Vec<_> = self.turn.prompt.iter().map(seen).map(Block::of).collect();
        let message = (!blocks.is_empty()).then(|| Rc::new(Message::new("user", &blocks)));
        object(message.as_slice(), RUN_BYTES)
    }

    /// What a model call or compaction saw, base instructions first. Bounded for each run, and
    /// more tightly once the turn's runs together have repeated a great deal.
    pub(super) fn conversation(&mut self, input: &ModelInput) -> Json {
        let turn = self.turn;
        let items = turn.conversations.get(input.conversation);
        let items = items
            .and_then(|items| items.get(..input.len))
            .unwrap_or_default();
        let lead = self
            .lead
            .iter()
            .filter(|_| !has_instructions(items, self.instructions));
        let mut messages: Vec<_> = lead.cloned().collect();
        messages.extend(items.iter().map(|item| self.message(item)));
        let bound = if self.spent > TURN_BYTES {
            TURN_REST_BYTES
        } else {
            RUN_BYTES
        };
        let json = object(&messages, bound);
        self.spent += json.0.len();
        json
    }

    /// What a model answered: one message, whatever its parts.
    pub(super) fn response(&mut self, output: &[Arc<Item>]) -> Json {
        let messages: Vec<_> = output.iter().map(|item| self.message(item)).collect();
        object(&messages, RUN_BYTES)
    }

    /// What replaced a conversation; the summary, where the rollout has nothing else.
    pub(super) fn compacted(&mut self, compaction: &Compaction) -> Json {
        let mut messages: Vec<_> = compaction
            .after
            .iter()
            .map(|item| self.message(item))
            .collect();
        if messages.is_empty() {
            let summary = compaction.summary.as_deref();
            messages.extend(summary.map(|it| Rc::new(Message::new("ai", &[text(it)]))));
        }
        object(&messages, RUN_BYTES)
    }

    /// All that came after the prompt: answers, tool outputs, further words of the user.
    pub(super) fn answers(&mut self) -> Json {
        let turn = self.turn;
        let mut items: Vec<&Arc<Item>> = Vec::new();
        let mut seen = HashSet::new();
        let mut add = |item| {
            if seen.insert(Arc::as_ptr(item)) {
                items.push(item);
            }
        };
        // Up to where a conversation has been taken; what its first call saw is from before.
        let mut taken: Option<ModelInput> = None;
        let rest = |taken: Option<ModelInput>| {
            let conversation = turn.conversations.get(taken?.conversation)?;
            conversation.get(taken?.len..)
        };
        for call in &turn.calls {
            let input = turn.input_of(call);
            match taken.filter(|taken| taken.conversation == call.input.conversation) {
                Some(taken) => input
                    .get(taken.len..)
                    .into_iter()
                    .flatten()
                    .for_each(&mut add),
                None => rest(taken).into_iter().flatten().for_each(&mut add),
            }
            call.output.iter().for_each(&mut add);
            taken = Some(call.input);
        }
        rest(taken).into_iter().flatten().for_each(&mut add);
        let mut messages: Vec<_> = items.into_iter().map(|item| self.message(item)).collect();
        if messages.is_empty() {
            let answer = turn.answer.as_ref();
            messages.extend(answer.map(|it| Rc::new(Message::new("ai", &[text(&it.text)]))));
        }
        // A turn that does nothing but compact has the new beginning to show.
        if let ([], Some(compaction)) = (messages.as_slice(), turn.compactions.last()) {
            return self.compacted(compaction);
        }
        object(&messages, RUN_BYTES)
    }

    fn message(&mut self, item: &Arc<Item>) -> Rc<Message> {
        let known = self.known.entry(Arc::as_ptr(item));
        Rc::clone(known.or_insert_with(|| Rc::new(convert(&item.body))))
    }
}

/// Whether the conversation itself has the base instructions, as that of newer models does.
fn has_instructions(items: &[Arc<Item>], instructions: Option<&str>) -> bool {
    let is_client = |role: &Role| matches!(role, Role::Developer | Role::System);
    let is_same =
        |part: &Content| matches!(part, Content::Text(it) if Some(it.as_str()) == instructions);
    items.iter().take(BEGINNING).any(|item| match &item.body {
        ItemBody::Message { role, content, .. } => is_client(role) && content.iter().any(is_same),
        _ => false,
    })
}

/// The message that holds a tool's output.
pub(super) fn tool_message(call_id: &str, output: &Output) -> Value {
    json!({ "role": "tool", "content": output_blocks(output), "tool_call_id": call_id })
}

fn convert(body: &ItemBody) -> Message {
    match body {
        ItemBody::Message { role, content, .. } => Message::new(role_of(role), &blocks(content)),
        ItemBody::Reasoning { .. } | ItemBody::ToolCall { .. } => {
            Message::new("ai", &[Block::of_item(body)])
        }
        ItemBody::ToolOutput { call_id, output } => Message {
            tool_call_id: Some(call_id.clone()),
            ..Message::new("tool", &output_blocks(output))
        },
        ItemBody::AgentMessage {
            author, content, ..
        } => Message {
            name: author.clone(),
            ..Message::new("user", &blocks(content))
        },
        ItemBody::Other { kind, .. } => Message::new(other_role(kind), &[Block::of_item(body)]),
    }
}

fn blocks(content: &[Content]) -> Vec<Block<'_>> {
    content.iter().map(Block::of).collect()
}

fn role_of(role: &Role) -> Cow<'static, str> {
    match role {
        Role::User => "user".into(),
        Role::Assistant => "ai".into(),
        Role::Developer | Role::System => "system".into(),
        Role::Other(name) => name.clone().into(),
    }
}

/// Calls of hosted tools are the model's words; all else is the client's.
fn other_role(kind: &str) -> &'static str {
    if kind.ends_with("_call") {
        "ai"
    } else {
        "system"
    }
}

/// `{"messages":[…]}`, of at most about `bound` bytes.
fn object(messages: &[Rc<Message>], bound: usize) -> Json {
    let messages = select(messages, bound);
    let size: usize = messages.iter().map(|message| message.size() + 32).sum();
    let mut text = String::with_capacity(size + 16);
    text.push_str(r#"{"messages":["#);
    let mut last: Option<&Message> = None;
    for message in messages.iter().map(Rc::as_ref) {
        match last {
            Some(last) if last.joins(message) => join(&mut text, &message.blocks),
            last => {
                text.push_str(if last.is_some() { "]}," } else { "" });
                open(&mut text, message);
            }
        }
        last = Some(message);
    }
    text.push_str(if last.is_some() { "]}]}" } else { "]}" });
    Json(text)
}

/// Everything of a message up to the end of its blocks.
fn open(text: &mut String, message: &Message) {
    text.push_str(r#"{"role":"#);
    text.push_str(&Json::of(&message.role).0);
    for (key, value) in [
        ("name", &message.name),
        ("tool_call_id", &message.tool_call_id),
    ] {
        if let Some(value) = value {
            // Writing to a string cannot fail.
            let _ = write!(text, r#","{key}":{}"#, Json::of(value).0);
        }
    }
    text.push_str(r#","content":["#);
    text.push_str(&message.blocks);
}

fn join(text: &mut String, blocks: &str) {
    if !blocks.is_empty() && !text.ends_with('[') {
        text.push(',');
    }
    text.push_str(blocks);
}
