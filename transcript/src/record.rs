//! What a rollout record means, whatever version wrote it: the one conversion from [`crate::wire`]
//! to values the assembler acts on.
//!
//! Every text that will enter the model passes [`Scrub`] here or, for values that are only needed
//! in some situations, when the assembler reads them. What is derived from texts (exit codes,
//! process ids, refusals) is derived from the original, before scrubbing.

mod event;
mod instant;
mod item;
mod session;
mod verdict;

use jiff::Timestamp;
use serde_json::{Map, Value};

pub(crate) use item::{Asked, Entry, Side, structured};
pub(crate) use verdict::{Going, Verdict};

use crate::wire::{self, Fields, Payload, Tokens};
use crate::{Content, Item, Scrub, Session, TurnContext, Usage};

/// One record.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    pub(crate) at: Timestamp,
    pub(crate) body: Body<'a>,
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Body<'a> {
    /// The header; a second one marks records copied from another thread.
    Session(Box<Session>),
    /// Settings of a turn.
    Context {
        turn_id: Option<String>,
        settings: Box<TurnContext>,
    },
    /// An entry of the conversation.
    Entry(Box<Entry>),
    /// Tokens of one response (0.153 and later).
    Spent(Spent),
    /// Running totals; `None` while Codex knows none.
    Counted(Option<Counted>),
    /// The conversation was replaced.
    Compacted(Box<Compacted>),
    /// A turn began.
    TurnStarted {
        id: Option<String>,
        parent_turn_id: Option<String>,
    },
    /// A turn ended by itself.
    TurnCompleted(Box<TurnCompleted>),
    /// A turn was stopped.
    TurnAborted { id: Option<String>, reason: String },
    /// What a human wrote.
    Prompt { from: Source, content: Vec<Content> },
    /// The model's output arrives; the item itself follows.
    Arrived { from: Source },
    /// A tool's execution ended.
    ToolEnded {
        from: Source,
        id: String,
        end: Box<Fields<'a>>,
    },
    /// A review began in this thread.
    ReviewStarted {
        turn_id: Option<String>,
        hint: Option<String>,
    },
    /// An error met while asking the model.
    Trouble {
        message: String,
        code: Option<String>,
    },
    /// The last turns were taken out of the conversation.
    RolledBack(usize),
    /// A record without content we need, written where Codex prepares the next request.
    Ambient,
    /// Known, and without any bearing.
    Nothing,
    /// Not known: what to count it as.
    Unknown(String),
}

/// Which thread and turn an event names; either may be missing.
#[derive(Debug, Default, Clone)]
pub(crate) struct Source {
    pub(crate) thread_id: Option<String>,
    pub(crate) turn_id: Option<String>,
}

/// `token_usage_record`.
#[derive(Debug)]
pub(crate) struct Spent {
    pub(crate) thread_id: Option<String>,
    pub(crate) turn_id: Option<String>,
    pub(crate) response_id: Option<String>,
    pub(crate) usage: Usage,
    pub(crate) thread_total: Option<Usage>,
}

/// `token_count`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) total: Usage,
    pub(crate) last: Usage,
}

/// `compacted`.
#[derive(Debug)]
pub(crate) struct Compacted {
    pub(crate) message: String,
    pub(crate) after: Vec<Item>,
    pub(crate) window_id: Option<String>,
    pub(crate) response_id: Option<String>,
}

/// `task_complete`.
#[derive(Debug)]
pub(crate) struct TurnCompleted {
    pub(crate) id: Option<String>,
    /// Read only where no assistant message was seen: it repeats the answer, however long.
    pub(crate) has_answer: bool,
    pub(crate) answer: Option<String>,
    pub(crate) error: Option<(String, Option<String>)>,
    /// Whether this version would have recorded an error (0.147 and later).
    pub(crate) tells_errors: bool,
    pub(crate) time_to_first_token_ms: Option<u64>,
    pub(crate) duration_ms: Option<i64>,
}

/// Reads one line; the error is the reason to count it under.
pub(crate) fn read<'a>(line: &'a str, scrub: &dyn Scrub) -> Result<Record<'a>, &'static str> {
    let parsed = wire::parse(line).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => "odd_record",
        _ => "not_json",
    })?;
    let at = instant::instant(parsed.timestamp.as_str()).ok_or("no_timestamp")?;
    let body = match parsed.payload {
        Payload::SessionMeta(meta) => Body::Session(Box::new(session::session(*meta, at, scrub))),
        Payload::TurnContext(raw) => context(raw, scrub),
        Payload::Event(event) => event::event(*event.0, scrub),
        Payload::Item(item) => item::entry(*item, at, line, scrub),
        Payload::Usage(record) => Body::Spent(Spent {
            thread_id: record.thread_id.owned(),
            turn_id: record.turn_id.owned(),
            response_id: record.response_id.owned(),
            usage: usage(record.usage),
            thread_total: record.thread_token_usage.map(usage),
        }),
        Payload::Compacted(compacted) => Body::Compacted(Box::new(Compacted {
            message: scrub.text(compacted.message.0),
            after: compacted
                .replacement_history
                .unwrap_or_default()
                .into_iter()
                .filter_map(|raw| item::replacement(raw, at, scrub))
                .collect(),
            window_id: compacted.window_id.owned(),
            response_id: compacted.compaction_response_id.owned(),
        })),
        Payload::Ambient => Body::Ambient,
        Payload::Unknown(kind) => Body::Unknown(format!("unknown_record:{kind}")),
    };
    Ok(Record { at, body })
}

fn context(raw: Map<String, Value>, scrub: &dyn Scrub) -> Body<'static> {
    let text = |name: &str| {
        let value = raw.get(name)?;
        let text = value.as_str().or_else(|| value.get("type")?.as_str())?;
        Some(text.to_owned())
    };
    let turn_id = text("turn_id");
    let mut settings = TurnContext {
        model: text("model"),
        effort: text("effort"),
        approval_policy: text("approval_policy"),
        sandbox_policy: text("sandbox_policy"),
        cwd: text("cwd").map(|cwd| scrub.text(cwd.into())),
        raw: Map::new(),
    };
    if let Value::Object(raw) = structured(Value::Object(raw), scrub) {
        settings.raw = raw;
    }
    Body::Context {
        turn_id,
        settings: Box::new(settings),
    }
}

pub(crate) fn usage(tokens: Tokens) -> Usage {
    Usage {
        input: tokens.input_tokens.count(),
        cached: tokens.cached_input_tokens.count(),
        cache_write: tokens.cache_write_input_tokens.count(),
        output: tokens.output_tokens.count(),
        reasoning: tokens.reasoning_output_tokens.count(),
        total: tokens.total_tokens.count(),
    }
}
