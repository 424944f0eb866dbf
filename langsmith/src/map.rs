//! A turn as runs.
//!
//! ```text
//! openai.codex                 chain   the turn
//! ├─ openai.codex.turn         llm     each model call
//! ├─ <tool name>               tool    each tool call
//! │  ├─ <tool name>            tool    what a code-mode cell ran, where it ended within the cell
//! │  └─ openai.codex           chain   a subagent's turn that the call led to
//! └─ openai.codex.compaction   llm     each compaction
//! ```

mod children;
mod compaction;
mod git;
mod messages;
mod metadata;
mod model_call;
mod subagent;
mod tool;
mod turn;

use std::collections::HashMap;

use codex_tracing_delivery::{Mode, View};
use codex_tracing_redact::Redactor;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::parent::Parent;
use crate::run::{Json, Run};

use children::{Child, What, children};
use messages::Messages;
use metadata::Stamp;

/// All that mapping depends on.
pub(crate) struct Scene<'a> {
    /// The turn.
    pub(crate) view: View<'a>,
    /// A caller's run.
    pub(crate) parent: Option<&'a Parent>,
    /// Custom metadata, redacted.
    pub(crate) custom: &'a Map<String, Value>,
    /// For git URLs.
    pub(crate) redactor: &'a Redactor,
    /// Version of this program.
    pub(crate) version: &'a str,
    /// Whether runs that are not over are opened now and closed later.
    pub(crate) live: bool,
}

impl Scene<'_> {
    /// Whether contents may leave.
    pub(crate) fn is_full(&self) -> bool {
        self.view.mode == Mode::Full
    }

    /// An error text, where errors may leave. A turn that was sent as cut off and goes on takes
    /// back the errors which that brought.
    pub(crate) fn error(&self, text: Option<String>) -> Option<Json> {
        let told = match text {
            None if self.view.was_cut_off => Some(Json::of(&Value::Null)),
            text => text.map(|text| Json::of(&text)),
        };
        told.filter(|_| self.is_full())
    }

    /// The end of something: its own, else the turn's, else (the turn is running) none.
    pub(crate) fn end(&self, ended_at: Option<Timestamp>) -> Option<Timestamp> {
        ended_at.or(self.view.turn.window.ended_at)
    }
}

/// The runs of a turn, parents before children.
///
/// A live turn gives the opening of its own run at once and each run below when that is over; when
/// the turn is over, the closing too. The server takes only one update of a run, so it "grows" by
/// what appears below it.
pub(crate) fn runs(scene: &Scene<'_>) -> Vec<Run> {
    let place = subagent::place(scene);
    let stamp = Stamp::new(scene);
    let mut messages = Messages::new(scene);
    let mut runs = turn::runs(scene, &stamp, &mut messages, &place);
    for Child { at, what } in children(scene, place.at()) {
        match what {
            What::ModelCall(call) => {
                runs.push(model_call::run(
                    scene,
                    &stamp,
                    &mut messages,
                    &place,
                    at,
                    call,
                ));
            }
            What::Compaction(it) => {
                runs.push(compaction::run(
                    scene,
                    &stamp,
                    &mut messages,
                    &place,
                    at,
                    it,
                ));
            }
            What::Tool(tool, nested) => {
                let run = tool::run(scene, &stamp, &place, at, tool);
                let cell = run.place.clone();
                runs.push(run);
                let nested = nested.into_iter();
                runs.extend(nested.map(|(at, tool)| tool::run(scene, &stamp, &cell, at, tool)));
            }
        }
    }
    cover(&mut runs);
    runs
}

/// Ends runs no earlier than what is below them, where the difference is only the microseconds
/// that set siblings apart. What really goes on for longer is left alone.
fn cover(runs: &mut [Run]) {
    // Of a run that is opened and closed the second counts: it has the end.
    let by_id: HashMap<Uuid, usize> = runs
        .iter()
        .enumerate()
        .map(|(index, run)| (run.place.id(), index))
        .collect();
    let tick = SignedDuration::from_millis(1);
    for index in (0..runs.len()).rev() {
        let Some((end, parent)) = runs.get(index).and_then(|run| {
            let end = run.ended_at?.max(run.place.at());
            Some((end, *by_id.get(&run.place.parent_id()?)?))
        }) else {
            continue;
        };
        let own = runs
            .get_mut(parent)
            .and_then(|parent| parent.ended_at.as_mut());
        if let Some(own) = own.filter(|own| end > **own && end.duration_since(**own) < tick) {
            *own = end;
        }
    }
}
