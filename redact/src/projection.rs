//! Metadata only: what happened, when and at what cost, without what was said.
//!
//! Every struct is taken apart field by field, so that a new field of the model does not compile
//! here before somebody has decided about it; of open kinds nothing but the kind stays.

mod item;
mod tool_call;

use std::collections::HashMap;
use std::sync::Arc;

use codex_tracing_transcript::{
    Answer, CallError, Compaction, Content, Item, ModelCall, Origin, Session, Subagent, Turn,
    TurnContext, TurnError,
};
use serde_json::{Map, Value};

/// What stands in place of content in metadata-only mode.
pub const NOTICE: &str = "[codex-tracing notice: content omitted because tracing is muted.]";

/// Keys of a recorded `turn_context` that are settings and not content. Only short words stay
/// under them.
const SAFE_CONTEXT_KEYS: &[&str] = &[
    "turn_id",
    "model",
    "effort",
    "approval_policy",
    "summary",
    "service_tier",
];

/// The turn with its own content, but without that of the earlier items for which `is_hidden` (given
/// the first item of the conversation, and the item) in the conversations its calls saw and those its
/// compactions began: what was said while tracing was muted stays hidden when a later turn repeats it
/// to the model. Summaries are the model's own words, and stay.
pub fn project_history(turn: &Turn, is_hidden: &dyn Fn(&Item, &Item) -> bool) -> Turn {
    let mut items = Items::default();
    let mut project = |list: &Vec<Arc<Item>>| -> Vec<Arc<Item>> {
        let Some(first) = list.first() else {
            return Vec::new();
        };
        let seen = list.iter().map(|item| {
            if is_hidden(first, item) {
                items.project(item)
            } else {
                Arc::clone(item)
            }
        });
        seen.collect()
    };
    let conversations = turn.conversations.iter().map(&mut project).collect();
    let mut shorten = |compaction: &Compaction| Compaction {
        after: project(&compaction.after),
        ..compaction.clone()
    };
    let compactions = turn.compactions.iter().map(&mut shorten).collect();
    Turn {
        conversations,
        compactions,
        ..turn.clone()
    }
}

/// The turn without content: topology, times, names, usage, status and safe identifiers stay;
/// texts, arguments, outputs, patches, errors, paths and settings are replaced or dropped.
pub fn project_turn(turn: &Turn) -> Turn {
    let mut items = Items::default();
    let Turn {
        id,
        number,
        thread_id,
        kind,
        parent_turn_id,
        window,
        context,
        prompt,
        status,
        error,
        answer,
        time_to_first_token_ms,
        conversations,
        calls,
        tools,
        subagents,
        follow_ups,
        compactions,
        usage,
    } = turn;
    Turn {
        id: id.clone(),
        number: *number,
        thread_id: thread_id.clone(),
        kind: *kind,
        parent_turn_id: parent_turn_id.clone(),
        window: *window,
        context: project_context(context),
        prompt: project_parts(prompt),
        status: *status,
        error: error.as_ref().map(project_error),
        answer: answer.as_ref().map(|_| Answer {
            text: NOTICE.into(),
        }),
        time_to_first_token_ms: *time_to_first_token_ms,
        conversations: conversations
            .iter()
            .map(|list| items.project_all(list))
            .collect(),
        calls: calls
            .iter()
            .map(|call| project_call(call, &mut items))
            .collect(),
        tools: tools.iter().map(tool_call::project).collect(),
        subagents: subagents.iter().map(project_subagent).collect(),
        follow_ups: follow_ups.clone(),
        compactions: compactions
            .iter()
            .map(|compaction| project_compaction(compaction, &mut items))
            .collect(),
        usage: *usage,
    }
}

/// The header without paths, git and instructions.
pub fn project_session(session: &Session) -> Session {
    let Session {
        thread_id,
        session_id,
        parent_thread_id,
        forked_from_id,
        started_at,
        cwd: _,
        git: _,
        cli_version,
        originator,
        origin,
        model_provider,
        base_instructions: _,
    } = session;
    Session {
        thread_id: thread_id.clone(),
        session_id: session_id.clone(),
        parent_thread_id: parent_thread_id.clone(),
        forked_from_id: forked_from_id.clone(),
        started_at: *started_at,
        cwd: None,
        git: None,
        cli_version: cli_version.clone(),
        originator: originator.clone(),
        origin: project_origin(origin),
        model_provider: model_provider.clone(),
        base_instructions: None,
    }
}

/// What started a thread, unless this version does not know what that is. The path of an agent is
/// the model's name for its task, and a nickname may be: neither stays.
fn project_origin(origin: &Origin) -> Origin {
    match origin {
        Origin::Spawned {
            depth,
            path: _,
            nickname: _,
            role,
        } => Origin::Spawned {
            depth: *depth,
            path: None,
            nickname: None,
            role: word(role.as_ref()),
        },
        Origin::Other(name) if !is_word(name) => Origin::Other("other".into()),
        origin => origin.clone(),
    }
}

/// See [`project_origin`].
fn project_subagent(subagent: &Subagent) -> Subagent {
    let Subagent {
        thread_id,
        spawned_by,
        path: _,
        nickname: _,
        role,
        spawned_at,
    } = subagent;
    Subagent {
        thread_id: thread_id.clone(),
        spawned_by: spawned_by.clone(),
        path: None,
        nickname: None,
        role: word(role.as_ref()),
        spawned_at: *spawned_at,
    }
}

/// Items already projected: a conversation and the calls in it share theirs, and still do so.
#[derive(Default)]
struct Items(HashMap<*const Item, Arc<Item>>);

impl Items {
    fn project_all(&mut self, items: &[Arc<Item>]) -> Vec<Arc<Item>> {
        items.iter().map(|item| self.project(item)).collect()
    }

    fn project(&mut self, item: &Arc<Item>) -> Arc<Item> {
        let known = self.0.entry(Arc::as_ptr(item));
        Arc::clone(known.or_insert_with(|| Arc::new(item::project(item))))
    }
}

fn project_call(call: &ModelCall, items: &mut Items) -> ModelCall {
    let ModelCall {
        index,
        window,
        model,
        input,
        output,
        first_output_at,
        usage,
        response_id,
        retries,
        errors,
        completed,
        announced,
    } = call;
    ModelCall {
        index: *index,
        window: *window,
        model: model.clone(),
        input: *input,
        output: items.project_all(output),
        first_output_at: *first_output_at,
        usage: *usage,
        response_id: response_id.clone(),
        retries: *retries,
        errors: errors
            .iter()
            .map(|CallError { at, message: _ }| CallError {
                at: *at,
                message: NOTICE.into(),
            })
            .collect(),
        completed: *completed,
        announced: *announced,
    }
}

fn project_compaction(compaction: &Compaction, items: &mut Items) -> Compaction {
    let Compaction {
        index,
        window,
        trigger,
        model,
        before,
        after,
        summary,
        window_id,
        usage,
        response_id,
    } = compaction;
    Compaction {
        index: *index,
        window: *window,
        trigger: trigger.clone(),
        model: model.clone(),
        before: *before,
        after: items.project_all(after),
        summary: notice_for(summary.as_ref()),
        window_id: window_id.clone(),
        usage: *usage,
        response_id: response_id.clone(),
    }
}

fn project_context(context: &TurnContext) -> TurnContext {
    let TurnContext {
        model,
        effort,
        approval_policy,
        sandbox_policy,
        cwd: _,
        raw,
    } = context;
    let raw: Map<String, Value> = SAFE_CONTEXT_KEYS
        .iter()
        .filter_map(|key| {
            let word = raw.get(*key)?.as_str().filter(|word| is_word(word))?;
            Some(((*key).to_owned(), Value::from(word)))
        })
        .collect();
    TurnContext {
        model: model.clone(),
        effort: effort.clone(),
        approval_policy: approval_policy.clone(),
        sandbox_policy: sandbox_policy.clone(),
        cwd: None,
        raw,
    }
}

fn project_error(error: &TurnError) -> TurnError {
    let TurnError { message: _, code } = error;
    TurnError {
        message: NOTICE.into(),
        code: word(code.as_ref()),
    }
}

/// One notice for all parts: how many there were is content too.
fn project_parts(parts: &[Content]) -> Vec<Content> {
    notices(parts.is_empty())
        .into_iter()
        .map(Content::Text)
        .collect()
}

/// One notice, or none where nothing was.
fn notices(nothing_was: bool) -> Vec<String> {
    if nothing_was {
        Vec::new()
    } else {
        vec![NOTICE.to_owned()]
    }
}

fn notice_for<T>(content: Option<&T>) -> Option<String> {
    content.map(|_| NOTICE.to_owned())
}

/// The value, if it is a word of a protocol and not a text.
fn word(value: Option<&String>) -> Option<String> {
    value.filter(|value| is_word(value)).cloned()
}

fn is_word(value: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    !value.is_empty() && value.len() <= 64 && value.bytes().all(is_plain)
}
