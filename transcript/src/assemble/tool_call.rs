//! Tool calls: from the call record over end records and outputs to a status.
//!
//! A call is known by its `call_id`; what code-mode cells run is known by its end only ([`nested`]).

mod end;
mod kind;
mod nested;

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::turn::Ending;
use crate::record::{Asked, Going, Verdict};
use crate::wire::Fields;
use crate::{
    AgentCall, Approval, Arguments, Content, ItemBody, Outcome, Output, Scrub, ToolCall, ToolKind,
    ToolStatus, TurnStatus, Window,
};

/// The tool calls of one turn.
#[derive(Debug, Clone, Default)]
pub(super) struct Tools {
    list: Vec<Tracked>,
    by_id: HashMap<String, usize>,
    /// Process id as the model knows it → the call that started it.
    processes: HashMap<String, usize>,
    /// Cell id → the cell.
    cells: HashMap<String, usize>,
    /// Cells that may be running commands, the one most lately resumed last.
    running: Vec<usize>,
    /// Cells that have answered, the latest last; only a few.
    done: Vec<usize>,
    hosted: usize,
    /// The turn is over: it may have been delivered, and ids are made of starts.
    starts_are_final: bool,
}

#[derive(Debug, Clone)]
struct Tracked {
    call: ToolCall,
    /// When the model got its answer, while the process or cell goes on.
    returned_at: Option<Timestamp>,
    /// Its end record was seen.
    ended: bool,
    /// A hosted tool known by its end record only: the call record is still to come.
    announced: bool,
    asked: Asked,
}

impl Tools {
    /// A call record.
    pub(super) fn called(
        &mut self,
        body: &ItemBody,
        asked: &Asked,
        at: Timestamp,
        model_call: usize,
    ) {
        let ItemBody::ToolCall {
            call_id,
            kind,
            name,
            namespace,
            arguments,
        } = body
        else {
            return;
        };
        if self.by_id.contains_key(call_id) {
            return;
        }
        let kind = kind::of(kind, name, namespace.as_deref());
        let index = self.add(ToolCall {
            id: call_id.clone(),
            name: name.clone(),
            namespace: namespace.clone(),
            mcp_server: kind::mcp_server(name, namespace.as_deref()),
            kind,
            arguments: arguments.clone(),
            outcome: pending(),
            window: Window {
                started_at: at,
                ended_at: None,
            },
            model_call: Some(model_call),
            parent: None,
            approval: kind::approval(arguments),
            changes: Vec::new(),
            details: Map::new(),
        });
        if let Some(tool) = self.list.get_mut(index) {
            tool.asked = asked.clone();
        }
        let resumed = asked.cell.as_ref().and_then(|id| self.cells.get(id));
        let resumed = resumed.filter(|cell| self.running.contains(cell));
        if kind == ToolKind::Cell {
            self.running.push(index);
        } else if let Some(cell) = resumed.copied() {
            self.running.retain(|running| *running != cell);
            self.running.push(cell);
        }
    }

    /// A call of a hosted tool (`web_search_call`, …): the record is its end as well. The end
    /// event, where the version has one, came before it.
    pub(super) fn hosted(
        &mut self,
        item: (Option<&str>, &str, &Value),
        status: Option<&str>,
        at: Timestamp,
        model_call: usize,
    ) {
        let (id, wire_kind, value) = item;
        let name = wire_kind.trim_end_matches("_call");
        let kind = kind::of(wire_kind, name, None);
        let known = id.and_then(|id| self.by_id.get(id)).copied().or_else(|| {
            self.list
                .iter()
                .position(|known| known.announced && id.is_none() && known.call.kind == kind)
        });
        let index = known.unwrap_or_else(|| {
            self.hosted += 1;
            let id = id.map_or_else(|| format!("{name}-{}", self.hosted), ToOwned::to_owned);
            self.add(kind::nested(id, name, kind, at))
        });
        let Some(tool) = self.list.get_mut(index) else {
            return;
        };
        tool.announced = false;
        tool.ended = true;
        tool.call.model_call = Some(model_call);
        tool.call.parent = None;
        tool.call.arguments = Arguments::Json(kind::hosted_arguments(value));
        if let Some(image) = value.get("result").and_then(Value::as_str) {
            let image = Content::Image(kind::image_url(image));
            tool.call.outcome.output = Some(Output::Parts(vec![image]));
        }
        match status {
            Some("failed" | "incomplete") => {
                fail(&mut tool.call, ToolStatus::Failed, "the hosted tool failed");
            }
            _ => tool.call.outcome.status = ToolStatus::Completed,
        }
        tool.call.window.ended_at = tool.call.window.ended_at.or(Some(at));
    }

    fn add(&mut self, call: ToolCall) -> usize {
        let index = self.list.len();
        self.by_id.insert(call.id.clone(), index);
        self.list.push(Tracked {
            call,
            returned_at: None,
            ended: false,
            announced: false,
            asked: Asked::default(),
        });
        index
    }

    /// The answer the model got.
    pub(super) fn answered(
        &mut self,
        call_id: &str,
        output: &Output,
        verdict: &Verdict,
        at: Timestamp,
    ) {
        let Some(&index) = self.by_id.get(call_id) else {
            return;
        };
        let continued = self.continued(index);
        let Some(tool) = self.list.get_mut(index) else {
            return;
        };
        tool.call.outcome.output = Some(output.clone());
        match (&verdict.going, continued) {
            (Some(going), None) if !tool.ended => {
                tool.returned_at = Some(at);
                match going {
                    Going::Process(id) => self.processes.insert(id.clone(), index),
                    Going::Cell(id) => self.cells.insert(id.clone(), index),
                };
                return;
            }
            _ => tool.settle(verdict, at),
        }
        // The commands of a cell that was cut short end after it.
        if !verdict.aborted {
            self.no_longer_runs(index);
        }
        if let Some(first) = continued
            && verdict.going.is_none()
        {
            if !verdict.aborted {
                self.no_longer_runs(first);
            }
            if let Some(tool) = self.list.get_mut(first)
                && !tool.ended
            {
                tool.settle(verdict, at);
            }
        }
    }

    /// The call whose process or cell this one continues (`write_stdin`, `wait`).
    fn continued(&self, index: usize) -> Option<usize> {
        let asked = &self.list.get(index)?.asked;
        let process = asked.process.as_ref().and_then(|id| self.processes.get(id));
        let script = || asked.cell.as_ref().and_then(|id| self.cells.get(id));
        process
            .or_else(script)
            .copied()
            .filter(|first| *first != index)
    }

    /// An end record. One whose id was never called belongs to a code-mode cell, or is that of a
    /// hosted tool whose call record is still to come.
    pub(super) fn ended(
        &mut self,
        id: &str,
        end: &Fields<'_>,
        at: Timestamp,
        scrub: &dyn Scrub,
    ) -> bool {
        if id.is_empty() || !end::is_execution(end) {
            return false;
        }
        let (index, latest) = match self.by_id.get(id) {
            Some(&index) => (index, at),
            None => self.discover(id, end, at, scrub),
        };
        let Some(tool) = self.list.get_mut(index) else {
            return false;
        };
        let nested = tool.call.parent.is_some() || tool.announced;
        let recorded = end::ended_at(end, tool.call.window.started_at, at);
        let ended_at = recorded.min(latest);
        let is_final = self.starts_are_final || tool.call.window.ended_at.is_some();
        if !is_final && let Some(started_at) = end::exact_start(end, ended_at) {
            let called_at = tool.call.window.started_at;
            tool.call.window.started_at = started_at.max(called_at).min(ended_at);
        }
        tool.ended = true;
        end::apply(&mut tool.call, end, nested, scrub);
        let is_late = tool.call.window.ended_at.is_some();
        if is_late || recorded > ended_at {
            let details = &mut tool.call.details;
            details.insert("process_ended_at".to_owned(), recorded.to_string().into());
        }
        tool.call.window.ended_at.get_or_insert(ended_at);
        true
    }

    /// From now on no call's start changes.
    pub(super) fn keep_starts(&mut self) {
        self.starts_are_final = true;
    }

    /// Whether an end record may still come for a call of this turn.
    pub(super) fn awaits(&self) -> bool {
        self.list.iter().any(|tool| {
            !tool.ended
                && matches!(
                    tool.call.kind,
                    ToolKind::Shell | ToolKind::Cell | ToolKind::Patch | ToolKind::Mcp
                )
                && (tool.returned_at.is_some()
                    || tool.call.outcome.status == ToolStatus::Interrupted
                    || tool.call.window.ended_at.is_none())
        })
    }

    pub(super) fn knows(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// The role a spawn asked for.
    pub(super) fn role_asked(&self, id: &str) -> Option<String> {
        self.list.get(*self.by_id.get(id)?)?.asked.role.clone()
    }

    /// The calls that control agents in the order of their starts, none of which counts as earlier
    /// than that of the turn: as [`Turn::agent_call`](crate::Turn::agent_call) will have them.
    pub(super) fn agent_calls(&self, from: Timestamp) -> impl Iterator<Item = (&str, AgentCall)> {
        let calls = self.list.iter().map(|tool| &tool.call);
        let mut calls: Vec<&ToolCall> = calls.filter(|it| it.kind == ToolKind::Agent).collect();
        calls.sort_by_key(|call| call.window.started_at);
        AgentCall::places(
            calls
                .into_iter()
                .map(move |call| (call.id.as_str(), call.window.started_at.max(from))),
        )
    }

    /// The calls as the turn leaves them: none stays running when the turn is over.
    pub(super) fn close(self, ending: Option<&Ending>) -> Vec<ToolCall> {
        let close = |mut tool: Tracked| {
            if let (Some(ending), ToolStatus::Running) = (ending, tool.call.outcome.status) {
                tool.leave(ending);
            }
            let status = tool.call.outcome.status;
            if let Some(approval) = &mut tool.call.approval {
                approval.granted = match status {
                    ToolStatus::Declined => Some(false),
                    ToolStatus::Completed | ToolStatus::Failed => Some(true),
                    ToolStatus::Running | ToolStatus::Interrupted => None,
                };
            }
            tool.call
        };
        let mut calls: Vec<ToolCall> = self.list.into_iter().map(close).collect();
        calls.sort_by_key(|call| call.window.started_at);
        calls
    }
}

impl Tracked {
    /// Draws the conclusion from an answer; an end record that said worse is not overruled.
    fn settle(&mut self, verdict: &Verdict, at: Timestamp) {
        let outcome = &mut self.call.outcome;
        outcome.exit_code = outcome.exit_code.or(verdict.exit_code);
        let (status, reason) = kind::judge(verdict, outcome.exit_code, outcome.output.as_ref());
        if matches!(outcome.status, ToolStatus::Running | ToolStatus::Completed) {
            outcome.status = status;
            outcome.error = reason;
        }
        self.call.window.ended_at = self.call.window.ended_at.or(Some(at));
    }

    /// The turn ends without this call's end.
    fn leave(&mut self, ending: &Ending) {
        if let Some(returned_at) = self.returned_at {
            self.call.outcome.status = ToolStatus::Completed;
            self.call.window.ended_at = Some(returned_at);
            return;
        }
        let reason = match ending.status {
            TurnStatus::Interrupted => "interrupted with its turn",
            TurnStatus::CutOff => "Codex went away before it ended",
            _ => "the rollout has no result of this call",
        };
        fail(&mut self.call, ToolStatus::Interrupted, reason);
        self.call.window.ended_at = self.call.window.ended_at.or(Some(ending.at));
    }
}

fn pending() -> Outcome {
    Outcome {
        status: ToolStatus::Running,
        output: None,
        exit_code: None,
        error: None,
    }
}

fn fail(call: &mut ToolCall, status: ToolStatus, reason: &str) {
    call.outcome.status = status;
    call.outcome.error.get_or_insert_with(|| reason.to_owned());
}
