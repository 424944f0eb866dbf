//! One turn while its records come in.

mod close;
mod delegation;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::compaction::{self, Replaced};
use super::conversation::Conversation;
use super::model_call::{Calls, Request};
use super::subagent::{self, Agents};
use super::tool_call::Tools;
use super::usage::Count;
use crate::record::{Entry, Side, Spent, TurnCompleted};
use crate::wire::Fields;
use crate::{
    Compaction, Content, Item, ItemBody, ModelInput, Role, Scrub, Subagent, Turn, TurnContext,
    TurnError, TurnKind, TurnStatus,
};

/// A turn under construction.
#[derive(Debug, Clone)]
pub(super) struct OpenTurn {
    pub(super) id: String,
    /// Whether the id is Codex's.
    pub(super) named: bool,
    pub(super) number: u32,
    pub(super) is_review: bool,
    /// A review's working turn, whose records Codex copies into the parent's file.
    pub(super) review_child: Option<String>,
    pub(super) last_at: Timestamp,
    thread_id: String,
    parent_turn_id: Option<String>,
    started_at: Timestamp,
    context: TurnContext,
    prompt: Vec<Content>,
    prompted: bool,
    calls: Calls,
    tools: Tools,
    agents: Agents,
    compactions: Vec<Compaction>,
    /// Conversations that ended within this turn.
    replaced: Vec<Vec<Arc<Item>>>,
    /// The last message of the model, and its phase.
    spoken: Option<String>,
    phase: Option<String>,
    trouble: Option<TurnError>,
}

/// How a turn ended.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    pub(super) at: Timestamp,
    pub(super) status: TurnStatus,
    pub(super) error: Option<TurnError>,
    pub(super) answer: Option<String>,
    pub(super) has_answer: bool,
    pub(super) time_to_first_token_ms: Option<u64>,
}

/// What is known of a turn when it begins.
pub(super) struct Beginning {
    pub(super) id: Option<String>,
    pub(super) number: u32,
    pub(super) thread_id: String,
    pub(super) parent_turn_id: Option<String>,
    pub(super) at: Timestamp,
    pub(super) model: Option<String>,
    pub(super) is_review: bool,
}

impl OpenTurn {
    pub(super) fn begin(beginning: Beginning) -> Self {
        let Beginning { id, number, at, .. } = beginning;
        let mut calls = Calls::default();
        calls.prepared(at);
        Self {
            named: id.is_some(),
            id: id.unwrap_or_else(|| format!("turn-{number}")),
            number,
            is_review: beginning.is_review,
            review_child: None,
            last_at: at,
            thread_id: beginning.thread_id,
            parent_turn_id: beginning.parent_turn_id,
            started_at: at,
            context: TurnContext {
                model: beginning.model,
                ..TurnContext::default()
            },
            prompt: Vec::new(),
            prompted: false,
            calls,
            tools: Tools::default(),
            agents: Agents::default(),
            compactions: Vec::new(),
            replaced: Vec::new(),
            spoken: None,
            phase: None,
            trouble: None,
        }
    }

    /// Whether its records come all at once at its end, as those of a review's parent do up to
    /// 0.140, which give it no id either. Its beginning is known only then.
    pub(super) fn is_told_at_its_end(&self) -> bool {
        self.is_review && !self.named
    }

    /// Whether an event that names a turn means this one.
    pub(super) fn is_meant(&self, turn_id: Option<&str>) -> bool {
        match turn_id {
            Some(id) if self.named => id == self.id,
            Some(id) => self.review_child.as_deref() != Some(id),
            None => true,
        }
    }

    pub(super) fn context(&mut self, settings: TurnContext, at: Timestamp) {
        let model = self.context.model.take();
        self.context = settings;
        self.context.model = self.context.model.take().or(model);
        self.calls.prepared(at);
    }

    fn request(&self, conversation: &Conversation) -> Request {
        Request {
            input: ModelInput {
                conversation: self.replaced.len(),
                len: conversation.len(),
            },
            model: self.context.model.clone(),
        }
    }

    pub(super) fn prompt(&mut self, content: Vec<Content>, at: Timestamp) {
        self.calls.prepared(at);
        if self.is_review {
            return;
        }
        if !std::mem::replace(&mut self.prompted, true) {
            self.prompt.clear();
        }
        self.prompt.extend(content);
    }

    /// What a review is asked to look at.
    pub(super) fn review_target(&mut self, hint: Option<String>) {
        self.prompt.extend(hint.map(Content::Text));
    }

    pub(super) fn prepared(&mut self, at: Timestamp) {
        self.calls.prepared(at);
    }

    pub(super) fn arrived(&mut self, at: Timestamp) {
        self.calls.arrived(at);
    }

    pub(super) fn trouble(&mut self, at: Timestamp, message: String, code: Option<String>) {
        self.calls.trouble(at, message.clone());
        self.trouble = Some(TurnError { message, code });
    }

    /// An entry of the conversation, which is about to be pushed to it.
    pub(super) fn entry(&mut self, entry: &Entry, at: Timestamp, conversation: &Conversation) {
        let item = &entry.item;
        match entry.side {
            Side::Output if self.is_review => self.listen(&item.body),
            Side::Output => {
                let request = self.request(conversation);
                let call = self.calls.output(Arc::clone(item), at, request);
                self.listen(&item.body);
                match &item.body {
                    ItemBody::Other { kind, value } => {
                        let hosted = (item.id.as_deref(), kind.as_str(), value);
                        self.tools.hosted(hosted, entry.status.as_deref(), at, call);
                    }
                    body => {
                        self.tools.called(body, &entry.asked, at, call);
                        self.agents.called(body, entry.asked.agent.as_ref());
                    }
                }
            }
            Side::Answer => {
                self.calls.answered(true);
                self.calls.prepared(at);
                self.answer(entry, &item.body, at);
            }
            Side::Input => {
                self.calls.answered(false);
                self.calls.prepared(at);
                self.task(&item.body);
            }
        }
    }

    fn answer(&mut self, entry: &Entry, body: &ItemBody, at: Timestamp) {
        let (ItemBody::ToolOutput { call_id, output }, Some(verdict)) = (body, &entry.verdict)
        else {
            return;
        };
        self.tools.answered(call_id, output, verdict, at);
        self.agents.answered(call_id, verdict.submission.as_ref());
        if let Some((thread_id, nickname)) = verdict.agent.clone() {
            self.agents.learn(Subagent {
                thread_id,
                role: self.tools.role_asked(call_id),
                spawned_by: Some(call_id.clone()),
                path: None,
                nickname,
                spawned_at: at,
            });
        }
    }

    /// A v2 agent's task comes as a message of its parent, not as a prompt.
    fn task(&mut self, body: &ItemBody) {
        if let ItemBody::AgentMessage { content, .. } = body
            && !self.prompted
            && self.prompt.is_empty()
            && self.calls.is_empty()
        {
            let readable = |part: &&Content| !matches!(part, Content::Other { .. });
            self.prompt = content.iter().filter(readable).cloned().collect();
        }
    }

    fn listen(&mut self, body: &ItemBody) {
        if let ItemBody::Message {
            role: Role::Assistant,
            content,
            phase,
        } = body
        {
            let texts = content.iter().filter_map(|part| match part {
                Content::Text(text) => Some(text.as_str()),
                _ => None,
            });
            self.spoken = Some(texts.collect::<Vec<_>>().join("\n"));
            self.phase.clone_from(phase);
        }
    }

    pub(super) fn spent(&mut self, spent: Spent, at: Timestamp, conversation: &Conversation) {
        let request = self.request(conversation);
        self.calls
            .spent(spent.usage, spent.response_id, at, request);
    }

    pub(super) fn counted(&mut self, count: Count, at: Timestamp, conversation: &Conversation) {
        match count {
            Count::Spent(usage) => {
                let request = self.request(conversation);
                self.calls.spent(usage, None, at, request);
                self.calls.prepared(at);
            }
            Count::Confirmed => self.calls.prepared(at),
            Count::Repeated => self.calls.repeated(),
        }
    }

    pub(super) fn tool_ended(
        &mut self,
        id: &str,
        end: &Fields<'_>,
        at: Timestamp,
        scrub: &dyn Scrub,
    ) -> bool {
        let known = self.tools.ended(id, end, at, scrub);
        for mut agent in subagent::spawned(end, id, at) {
            agent.role = agent.role.or_else(|| self.tools.role_asked(id));
            self.agents.learn(agent);
        }
        if let Some(thread_id) = subagent::spoken_to(end) {
            self.agents.follow_up(thread_id, id);
        }
        known
    }

    /// Whether the turn has that tool call.
    pub(super) fn knows_tool(&self, id: &str) -> bool {
        self.tools.knows(id)
    }

    /// From now on records may add to it, but not change when anything began.
    pub(super) fn keep_starts(&mut self) {
        self.tools.keep_starts();
    }

    /// Whether records may still come for it after its end.
    pub(super) fn awaits_records(&self) -> bool {
        self.tools.awaits()
    }

    /// The working thread of a review, where the copied records name it.
    pub(super) fn review_thread(&mut self, thread_id: String, at: Timestamp) {
        self.agents.learn(Subagent {
            thread_id,
            spawned_by: None,
            path: None,
            nickname: None,
            role: Some("review".to_owned()),
            spawned_at: at,
        });
    }

    /// The conversation is replaced; `before` is its length, the summary itself left out.
    pub(super) fn compacted(&mut self, mut replaced: Replaced, conversation: &Conversation) {
        let call = self.calls.take_summary(replaced.response_id.as_deref());
        replaced.before = call
            .as_ref()
            .map_or_else(|| self.request(conversation).input, |call| call.input);
        replaced.asked_at = self.calls.asked_at();
        replaced.model.clone_from(&self.context.model);
        let at = replaced.at;
        let index = self.compactions.len();
        self.compactions
            .push(compaction::compaction(index, replaced, call));
        self.calls.prepared(at);
        self.spoken = None;
    }

    /// Keeps the conversation that was replaced.
    pub(super) fn keep_replaced(&mut self, items: Vec<Arc<Item>>) {
        self.replaced.push(items);
    }

    /// How `task_complete` ends it.
    pub(super) fn completion(&mut self, completed: TurnCompleted, at: Timestamp) -> Ending {
        // Nothing was written before the end; only the duration tells.
        if self.is_told_at_its_end()
            && let Some(ms) = completed.duration_ms
            && let Ok(begun) = at.checked_sub(SignedDuration::from_millis(ms.max(0)))
        {
            self.started_at = self.started_at.min(begun);
        }
        let silent = !completed.has_answer && !completed.tells_errors;
        let failed_silently = silent && self.kind() == TurnKind::Prompt;
        let error = match completed.error {
            Some((message, code)) => Some(TurnError { message, code }),
            None if failed_silently => Some(self.trouble.clone().unwrap_or_else(|| {
                TurnError {
                    message: "the turn ended without an answer; this version of Codex records no \
                          reason, which is most often an error of the model"
                        .to_owned(),
                    code: None,
                }
            })),
            None => None,
        };
        Ending {
            at,
            status: if error.is_some() {
                TurnStatus::Failed
            } else {
                TurnStatus::Completed
            },
            error,
            answer: completed.answer,
            has_answer: completed.has_answer,
            time_to_first_token_ms: completed.time_to_first_token_ms,
        }
    }

    fn kind(&self) -> TurnKind {
        if self.is_review {
            TurnKind::Review
        } else if !self.compactions.is_empty() && self.calls.is_empty() && !self.prompted {
            TurnKind::Compact
        } else {
            TurnKind::Prompt
        }
    }

    /// The turn as it stands, or as `ending` leaves it; `current` is the conversation by then.
    pub(super) fn close(self, current: Vec<Arc<Item>>, ending: Option<&Ending>) -> Turn {
        close::close(self, current, ending)
    }
}

impl Ending {
    /// An end that Codex did not record as completion.
    pub(super) fn stopped(at: Timestamp, status: TurnStatus, error: TurnError) -> Self {
        Self {
            at,
            status,
            error: Some(error),
            answer: None,
            has_answer: false,
            time_to_first_token_ms: None,
        }
    }
}
