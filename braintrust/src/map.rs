//! A view of a turn as rows. Pure.

mod compaction;
mod history;
mod messages;
mod metadata;
mod model_call;
mod session;
mod skills;
mod subagent;
mod tool;
mod turn;

use std::cell::OnceCell;

use codex_tracing_delivery::{Item, Mode, View};
use codex_tracing_transcript::Window;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::ids;
use crate::row::{Attributes, Row, SpanType, seconds};
use crate::settings::Target;
use history::Conversations;

/// All rows of one turn, parents first.
pub(crate) fn map(target: &Target, view: &View<'_>) -> Vec<Item> {
    let trace = Trace::new(target, view);
    let mut rows = vec![session::map(&trace)];
    rows.extend(subagent::map(&trace));
    let above = rows.len();
    rows.push(turn::map(&trace));
    rows.extend(model_call::map(&trace));
    rows.extend(compaction::map(&trace));
    rows.extend(tool::map(&trace));
    if view.was_cut_off && trace.is_full() {
        // What this write leaves out stays as the one before had it.
        for row in rows.iter_mut().skip(above) {
            row.error.get_or_insert(Value::Null);
        }
    }
    rows.into_iter().filter_map(Row::encode).collect()
}

/// What every room of the mapping looks at.
pub(crate) struct Trace<'a> {
    target: &'a Target,
    view: &'a View<'a>,
    /// Id of the trace.
    root_span_id: String,
    /// Span of the session.
    session_span: String,
    /// Span of the turn.
    turn_span: String,
    /// The turn's conversations, once a span needs them.
    conversations: OnceCell<Conversations>,
}

impl<'a> Trace<'a> {
    fn new(target: &'a Target, view: &'a View<'a>) -> Self {
        let session_span = ids::session(&view.root.thread_id);
        Self {
            target,
            view,
            root_span_id: match &target.join {
                Some(join) => join.root.clone(),
                None => session_span.clone(),
            },
            session_span,
            turn_span: ids::turn(&view.turn.thread_id, &view.turn.id),
            conversations: OnceCell::new(),
        }
    }

    /// The turn's conversations as messages, made once for all spans.
    fn conversations(&self) -> &Conversations {
        self.conversations
            .get_or_init(|| Conversations::new(self.view.turn))
    }

    /// Whether contents may leave.
    fn is_full(&self) -> bool {
        self.view.mode == Mode::Full
    }

    /// Whether the turn is over, so that everything in it is final.
    fn is_over(&self) -> bool {
        !self.view.turn.is_running()
    }

    /// A row with the fields that every span has.
    fn row(
        &self,
        id: String,
        parent: Option<String>,
        name: Option<String>,
        kind: SpanType,
        started_at: Timestamp,
    ) -> Row<'_> {
        let mut row = Row {
            span_id: id.clone(),
            id,
            root_span_id: &self.root_span_id,
            span_parents: parent.into_iter().collect(),
            created: started_at,
            span_attributes: Attributes { name, kind },
            input: None,
            output: None,
            error: None,
            metadata: Map::new(),
            tags: Vec::new(),
            metrics: Map::new(),
            context: &self.target.context,
            contributor: None,
            is_merge: true,
        };
        row.measure("start", seconds(started_at));
        row
    }

    /// `window` within the turn. Codex stamps some records after the end of their turn (a command
    /// that went on in the background); a span never leaves its parent, so it is cut there. A
    /// window without an end gets the turn's, once that is over.
    fn within_turn(&self, window: Window) -> Window {
        let turn = self.view.turn.window;
        let started_at = window.started_at.max(turn.started_at);
        let started_at = turn.ended_at.map_or(started_at, |end| started_at.min(end));
        let ended_at = match (window.ended_at, turn.ended_at) {
            (Some(own), Some(turn)) => Some(own.min(turn)),
            (own, turn) => own.or(turn),
        };
        Window {
            started_at,
            ended_at: ended_at.map(|end| end.max(started_at)),
        }
    }
}
