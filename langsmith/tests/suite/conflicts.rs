//! Runs that arrive twice, at servers of both kinds: those that take the rest of a request with a
//! known run, and those that refuse all of it.

use std::collections::BTreeMap;

use codex_tracing_delivery::{Backend, Facts, Item, Request, Response, Step, Verdict};
use codex_tracing_langsmith::LangSmith;
use codex_tracing_transcript::{ToolStatus, TurnStatus};
use serde_json::{Map, Value};

use crate::multipart::parts;
use crate::support::{Given, at, turn};

/// A server that takes one creation and one update of each run.
struct Server {
    takes_the_rest: bool,
    created: BTreeMap<String, Map<String, Value>>,
    updated: BTreeMap<String, Map<String, Value>>,
    requests: usize,
}

impl Server {
    fn new(takes_the_rest: bool) -> Self {
        Self {
            takes_the_rest,
            created: BTreeMap::new(),
            updated: BTreeMap::new(),
            requests: 0,
        }
    }

    fn answer(&mut self, request: &Request) -> Response {
        self.requests += 1;
        let kind = request
            .headers
            .iter()
            .find(|(name, _)| *name == "content-type")
            .unwrap();
        let mut runs: BTreeMap<(String, String), Map<String, Value>> = BTreeMap::new();
        for part in parts(&kind.1, &request.body) {
            let names: Vec<_> = part.name.splitn(3, '.').map(str::to_owned).collect();
            let value: Value = serde_json::from_slice(&part.body).unwrap();
            let run = runs
                .entry((names[0].clone(), names[1].clone()))
                .or_default();
            match names.get(2) {
                Some(field) => drop(run.insert(field.clone(), value)),
                None => run.extend(value.as_object().unwrap().clone()),
            }
        }
        let is_known = |verb: &str, id: &String| match verb {
            "post" => self.created.contains_key(id),
            _ => self.updated.contains_key(id),
        };
        let conflict = runs.keys().any(|(verb, id)| is_known(verb, id));
        if !conflict || self.takes_the_rest {
            for ((verb, id), run) in runs {
                let store = if verb == "post" {
                    &mut self.created
                } else {
                    &mut self.updated
                };
                store.entry(id).or_insert(run);
            }
        }
        Response {
            status: if conflict { 409 } else { 202 },
            retry_after: None,
            content_type: None,
            body: Vec::new(),
        }
    }

    /// A run as it would be shown.
    fn shown(&self, id: &str) -> Value {
        let mut run = self.created[id].clone();
        run.extend(self.updated.get(id).cloned().unwrap_or_default());
        Value::Object(run)
    }
}

/// Sends as the delivery engine does: what is refused is halved until it stands alone.
fn deliver(backend: &LangSmith, server: &mut Server, items: &[Item]) {
    let refs: Vec<_> = items.iter().collect();
    let destination = &backend.destinations()[0];
    let mut facts = Facts::default();
    let mut request = backend.request(destination, &facts, &refs);
    for step in 0..4 {
        let response = server.answer(&request);
        match backend.settle(destination, &mut facts, &refs, step, &response) {
            Step::Next(next) => request = next,
            Step::Done(Verdict::Acknowledged) => return,
            Step::Done(Verdict::Reject(_)) if items.len() > 1 => {
                let (first, second) = items.split_at(items.len() / 2);
                deliver(backend, server, first);
                return deliver(backend, server, second);
            }
            Step::Done(verdict) => panic!("{verdict:?}"),
        }
    }
    panic!("no end of requests");
}

#[test]
fn a_turn_that_was_cut_off_and_goes_on_loses_its_error() {
    let mut cut_off = Given::new(turn());
    cut_off.turn.status = TurnStatus::CutOff;
    cut_off.turn.answer = None;
    cut_off.turn.tools[0].outcome.status = ToolStatus::Interrupted;
    let mut whole = Given::new(turn());
    let as_if_first = whole.runs();
    whole.was_cut_off = true;
    let backend = whole.backend();
    let mut server = Server::new(true);
    deliver(&backend, &mut server, &cut_off.items(0));
    let failed = |server: &Server| {
        let ids = whole.runs().into_iter().map(|run| run["id"].clone());
        let shown = ids.map(|id| server.shown(id.as_str().unwrap()));
        shown.filter(|run| !run["error"].is_null()).count()
    };
    assert!(failed(&server) >= 2, "the turn and its tool call");
    deliver(&backend, &mut server, &whole.items(0));
    assert_eq!(failed(&server), 0);
    assert!(as_if_first.iter().all(|run| run.get("error").is_none()));
}

#[test]
fn nothing_is_lost_or_doubled_when_a_part_arrives_again() {
    for takes_the_rest in [true, false] {
        let mut early = Given::new(turn());
        early.turn.window.ended_at = Some(at(206));
        let late = Given::new(turn());
        let backend = late.backend();
        let mut server = Server::new(takes_the_rest);
        // What was delivered before the turn's last record: all but the last run.
        deliver(&backend, &mut server, &early.items(0)[..3]);
        assert_eq!(server.requests, 1);
        // Twice, as after a crash between delivery and its note.
        for _ in 0..2 {
            deliver(&backend, &mut server, &late.items(0));
        }
        assert_eq!(server.created.len(), 4);
        for run in late.runs() {
            assert_eq!(server.shown(run["id"].as_str().unwrap()), run);
        }
        assert!(
            server
                .updated
                .keys()
                .all(|id| server.created.contains_key(id))
        );
    }
}

#[test]
fn a_run_that_is_known_to_have_arrived_is_updated_and_not_created_again() {
    let mut early = Given::new(turn());
    early.turn.window.ended_at = Some(at(206));
    let late = Given::new(turn());
    let backend = late.backend();
    let mut server = Server::new(false);
    deliver(&backend, &mut server, &early.items(0)[..3]);
    let mut items = late.items(0);
    for item in &mut items[..3] {
        item.known = true;
    }
    deliver(&backend, &mut server, &items);
    assert_eq!(server.requests, 2, "no conflict");
    assert_eq!((server.created.len(), server.updated.len()), (4, 3));
    for run in late.runs() {
        assert_eq!(server.shown(run["id"].as_str().unwrap()), run);
    }
}
