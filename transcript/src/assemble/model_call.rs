//! Model calls: which output items belong to one response, when it was asked for, what it cost.
//!
//! No version records the beginning of a request. A response is the run of output items between
//! two pieces of input; it was asked for at the last record that prepared the request.

use std::sync::Arc;

use jiff::Timestamp;

use super::turn::Ending;
use crate::{CallError, Item, ItemBody, ModelCall, ModelInput, TurnStatus, Usage, Window};

/// The calls of one turn.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    list: Vec<ModelCall>,
    /// Whether the last call may get more output.
    open: bool,
    /// Whether its stream broke before it was complete.
    broken: bool,
    /// Whether nothing was added to the conversation since its last output.
    latest: bool,
    asked_at: Option<Timestamp>,
    arrived_at: Option<Timestamp>,
    last_output_at: Option<Timestamp>,
    troubles: Vec<CallError>,
}

/// What a call is asked with.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) input: ModelInput,
    pub(super) model: Option<String>,
}

impl Calls {
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// A record that precedes the next request.
    pub(super) fn prepared(&mut self, at: Timestamp) {
        self.asked_at = Some(at);
    }

    /// Output is arriving; its item follows in the next record.
    pub(super) fn arrived(&mut self, at: Timestamp) {
        self.arrived_at.get_or_insert(at);
    }

    /// An output item. Gives the index of the call it belongs to.
    pub(super) fn output(&mut self, item: Arc<Item>, at: Timestamp, request: Request) -> usize {
        if !self.open {
            let first = self.arrived_at.unwrap_or(at);
            self.begin(first, request);
            if let Some(call) = self.list.last_mut() {
                call.first_output_at = Some(first);
            }
        }
        self.open = true;
        self.latest = true;
        let announced = self.arrived_at.take().is_some();
        self.last_output_at = Some(at);
        if let Some(call) = self.list.last_mut() {
            call.announced |= announced;
            call.output.push(item);
        }
        self.list.len().saturating_sub(1)
    }

    fn begin(&mut self, first: Timestamp, request: Request) {
        let mut errors = std::mem::take(&mut self.troubles);
        let mut retries = u32::try_from(errors.len()).unwrap_or(u32::MAX);
        if self.broken
            && let Some(previous) = self.list.last_mut()
        {
            retries = retries.max(1).saturating_add(previous.retries);
            previous.errors.append(&mut errors);
            if previous.errors.is_empty() {
                previous.errors.push(CallError {
                    at: previous.window.ended_at.unwrap_or(first),
                    message: BROKEN.to_owned(),
                });
            }
        }
        self.broken = false;
        let asked_at = self.asked_at.unwrap_or(first).min(first);
        self.list.push(ModelCall {
            index: self.list.len(),
            window: Window {
                started_at: asked_at,
                ended_at: None,
            },
            model: request.model,
            input: request.input,
            output: Vec::new(),
            first_output_at: None,
            usage: None,
            response_id: None,
            retries,
            errors,
            completed: false,
            announced: false,
        });
    }

    /// Something else than output was added to the conversation, so the response is over. A
    /// tool's answer also tells that it was complete.
    pub(super) fn answered(&mut self, by_tool: bool) {
        self.latest = false;
        let at = self.last_output_at;
        let open = std::mem::take(&mut self.open);
        if open && let Some(call) = self.list.last_mut() {
            call.window.ended_at = call.window.ended_at.or(at);
            call.completed |= by_tool;
        }
    }

    /// Tokens of a response: of the last one if it has none yet, else of one without output.
    pub(super) fn spent(
        &mut self,
        usage: Usage,
        response_id: Option<String>,
        at: Timestamp,
        request: Request,
    ) {
        let told = |call: &ModelCall| response_id.is_some() && call.response_id == response_id;
        if self.list.last().is_some_and(told) {
            return;
        }
        let pending = !self.broken && self.list.last().is_some_and(|call| call.usage.is_none());
        if !pending {
            self.begin(at, request);
            self.open = true;
            self.latest = true;
        }
        let open = std::mem::take(&mut self.open);
        self.arrived_at = None;
        if let Some(call) = self.list.last_mut() {
            call.usage = Some(usage);
            call.response_id = response_id;
            call.completed = true;
            if open || call.window.ended_at.is_none() {
                call.window.ended_at = Some(at);
            }
        }
    }

    /// Totals repeated without new tokens while output was arriving: the stream broke.
    pub(super) fn repeated(&mut self) {
        let unpaid = self.list.last().is_some_and(|call| call.usage.is_none());
        if self.open && unpaid {
            self.open = false;
            self.broken = true;
            // 0.128 repeats the totals only when the next response has begun.
            self.asked_at = self.last_output_at;
            if let Some(call) = self.list.last_mut() {
                call.window.ended_at = self.last_output_at;
            }
        }
    }

    pub(super) fn trouble(&mut self, at: Timestamp, message: String) {
        self.troubles.push(CallError { at, message });
    }

    /// Takes the call that wrote the summary of a compaction out of the list: the one with that
    /// response id, or a paid one without tools right before the `compacted` record that the user
    /// was not told of.
    pub(super) fn take_summary(&mut self, response_id: Option<&str>) -> Option<ModelCall> {
        let last = self.list.last()?;
        let ids = (response_id, last.response_id.as_deref());
        let named = ids.0.is_some() && ids.0 == ids.1;
        let other = ids.0.is_some() && ids.1.is_some() && !named;
        let calls_tools = |item: &Arc<Item>| matches!(item.body, ItemBody::ToolCall { .. });
        if last.output.iter().any(calls_tools) {
            return None;
        }
        let silent = !last.output.iter().any(|item| is_final(&item.body)) && !last.announced;
        if named || (self.latest && silent && last.usage.is_some() && !other) {
            self.open = false;
            return self.list.pop();
        }
        None
    }

    /// When the request now being prepared or answered was made.
    pub(super) fn asked_at(&self) -> Option<Timestamp> {
        self.asked_at
    }

    /// The calls as the turn leaves them.
    pub(super) fn close(mut self, ending: Option<&Ending>, request: Request) -> Vec<ModelCall> {
        let Some(ending) = ending else {
            return self.list;
        };
        if ending.status == TurnStatus::Failed && self.list.last().is_none_or(|call| call.completed)
        {
            self.begin(ending.at, request);
        }
        let troubles = std::mem::take(&mut self.troubles);
        let last_output_at = self.last_output_at;
        if let Some(call) = self.list.last_mut() {
            call.errors.extend(troubles);
            if ending.status == TurnStatus::Completed && !self.broken {
                call.completed = true;
                call.window.ended_at = call.window.ended_at.or(last_output_at);
            }
            if !call.completed
                && let Some(error) = &ending.error
                && call
                    .errors
                    .iter()
                    .all(|known| known.message != error.message)
            {
                call.errors.push(CallError {
                    at: ending.at,
                    message: error.message.clone(),
                });
            }
            if !call.completed {
                call.window.ended_at = Some(ending.at);
            }
        }
        for call in &mut self.list {
            call.window.ended_at = call.window.ended_at.or(Some(ending.at));
        }
        self.list
    }
}

const BROKEN: &str = "the stream broke before the response was complete; Codex asked again";

fn is_final(body: &ItemBody) -> bool {
    matches!(body, ItemBody::Message { phase: Some(phase), .. } if phase == "final_answer")
}
