//! A backend and an outlet that live in memory, and what every backend is tested with.
//!
//! The backend makes one item per turn, model call, compaction and tool call. The outlet folds what it takes
//! by id, as the real services do, and answers by a script.

pub mod answers;
pub mod images;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use codex_tracing_redact::NOTICE;
use codex_tracing_transcript::{Content, ItemBody, ModelInput, Turn};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    Ancestor, Backend, Deadline, Destination, Facts, Item, Limits, Method, Mode, OnTrouble, Outlet,
    Outlets, Request, Response, SendReport, Step, Verdict, View, classify_status,
};

/// A backend that encodes turns as small JSON objects; a request's body holds one a line.
#[derive(Debug, Clone)]
pub struct MemoryBackend {
    destinations: Vec<Destination>,
    live: bool,
}

impl MemoryBackend {
    /// With destinations `names`, each with a key; `live` as [`Backend::is_live`].
    pub fn new(names: &[&str], live: bool) -> Self {
        let destinations = names
            .iter()
            .enumerate()
            .map(|(index, name)| Destination {
                id: (*name).to_owned(),
                index,
                label: format!("memory {name}"),
                has_key: true,
            })
            .collect();
        Self { destinations, live }
    }

    /// The same without any key.
    #[must_use]
    pub fn without_keys(mut self) -> Self {
        for destination in &mut self.destinations {
            destination.has_key = false;
        }
        self
    }
}

/// The turn and call that led on, as `turn/call`.
fn cause(ancestor: &Ancestor) -> String {
    let cause = &ancestor.cause;
    let call = cause.call.as_ref().map_or("", |call| call.id.as_str());
    format!("{}/{call}", cause.turn_id)
}

impl Backend for MemoryBackend {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn destinations(&self) -> &[Destination] {
        &self.destinations
    }

    fn is_live(&self) -> bool {
        self.live
    }

    fn map(&self, _: &Destination, view: &View<'_>) -> Vec<Item> {
        let turn = view.turn;
        let key = format!("{}/{}", turn.thread_id, turn.id);
        let path: Vec<&str> = view
            .lineage
            .iter()
            .map(|ancestor| ancestor.turn_id.as_str())
            .collect();
        let causes: Vec<String> = view.lineage.iter().map(cause).collect();
        let mut whole = json!({
            "root": view.root.thread_id, "number": turn.number, "path": path,
            "causes": causes,
            "status": turn.status, "answer": turn.answer.as_ref().map(|answer| &answer.text),
            "muted": view.mode == Mode::Metadata, "ended_at": turn.window.ended_at,
        });
        let error = turn.error.as_ref().map(|error| &error.message);
        if error.is_some() || view.was_cut_off {
            whole["error"] = json!(error);
        }
        let mut items = vec![item(&key, &whole)];
        for call in &turn.calls {
            let id = format!("{key}/call/{}", call.index);
            items.push(item(
                &id,
                &json!({"parent": key, "outputs": call.output.len(), "hidden": hidden(turn, call.input)}),
            ));
        }
        for compaction in &turn.compactions {
            let id = format!("{key}/compaction/{}", compaction.index);
            let body = json!({"parent": key, "after": compaction.after.len(),
                "hidden_after": notices(&compaction.after), "summary": compaction.summary,
                "hidden_before": hidden(turn, compaction.before)});
            items.push(item(&id, &body));
        }
        for tool in &turn.tools {
            let id = format!("{key}/tool/{}", tool.id);
            let body = json!({"parent": key, "name": tool.name, "status": tool.outcome.status});
            items.push(item(&id, &body));
        }
        items
    }

    fn handshake(&self, _: &Destination, _: &Facts, _: Timestamp) -> Option<Request> {
        None
    }

    fn learn(&self, _: &Destination, _: &mut Facts, _: &Response, _: Timestamp) -> Verdict {
        Verdict::Acknowledged
    }

    fn probe(&self, _: &Destination) -> Option<Request> {
        None
    }

    fn limits(&self, _: &Destination, _: &Facts) -> Limits {
        Limits {
            items: 100,
            bytes: 1 << 20,
        }
    }

    fn request(&self, _: &Destination, _: &Facts, items: &[&Item]) -> Request {
        let bodies: Vec<&[u8]> = items.iter().map(|item| item.body.as_slice()).collect();
        Request {
            method: Method::Post,
            url: "http://127.0.0.1:9/memory".to_owned(),
            headers: Vec::new(),
            secret_headers: Vec::new(),
            body: bodies.join(&b'\n'),
        }
    }

    fn settle(
        &self,
        _: &Destination,
        _: &mut Facts,
        _: &[&Item],
        _: usize,
        response: &Response,
    ) -> Step {
        Step::Done(classify_status(response))
    }

    /// `<rollout>.memory`, one turn id a line.
    fn sidecar(&self, rollout: &Path) -> Option<PathBuf> {
        let mut path = rollout.as_os_str().to_owned();
        path.push(".memory");
        Some(path.into())
    }

    fn sidecar_turns(&self, text: &str) -> BTreeSet<String> {
        text.lines().map(ToOwned::to_owned).collect()
    }
}

/// How often what a model was given says that something was left out.
fn hidden(turn: &Turn, input: ModelInput) -> usize {
    let items = turn.conversations.get(input.conversation);
    notices(
        items
            .and_then(|items| items.get(..input.len))
            .unwrap_or_default(),
    )
}

/// How often items say that something was left out.
fn notices(items: &[Arc<codex_tracing_transcript::Item>]) -> usize {
    let is_notice = |part: &Content| matches!(part, Content::Text(text) if text == NOTICE);
    let messages = items.iter().filter_map(|item| match &item.body {
        ItemBody::Message { content, .. } => Some(content),
        _ => None,
    });
    messages.flatten().filter(|part| is_notice(part)).count()
}

fn item(id: &str, body: &Value) -> Item {
    let mut body = body.clone();
    body["id"] = id.into();
    Item {
        id: id.to_owned(),
        body: body.to_string().into_bytes(),
        known: false,
    }
}

/// How a destination answers the next batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Takes everything.
    Take,
    /// Takes the first items of the batch, then fails.
    TakeSome(usize),
    /// Cannot be reached; names how long to wait.
    Down(Option<Duration>),
    /// Takes everything, but the answer is lost on the way.
    LoseAnswer,
    /// Takes this many items; time is up for the others.
    TakeInTime(usize),
    /// Refuses items whose id contains this, takes the others.
    RejectContaining(String),
    /// Refuses the key.
    Stop,
    /// Never answers before the deadline.
    Hang,
    /// Takes everything, after this time.
    TakeLate(Duration),
    /// A mistake in the program: sending panics.
    Panic,
}

/// What one destination holds, shared by every outlet opened to it.
#[derive(Debug, Default)]
pub struct Store {
    /// Latest body by id.
    pub items: BTreeMap<String, Value>,
    /// How often each id came.
    pub arrivals: BTreeMap<String, u32>,
    /// Batches that arrived.
    pub batches: u32,
    /// Answers to come; when they run out, everything is taken.
    pub script: VecDeque<Answer>,
    /// Answer to everything the script does not cover.
    pub otherwise: Option<Answer>,
}

/// Destinations in memory.
#[derive(Debug, Clone, Default)]
pub struct Stores {
    by_id: Rc<RefCell<BTreeMap<String, Rc<RefCell<Store>>>>>,
}

impl Stores {
    /// The store of a destination, made at first use.
    pub fn of(&self, destination: &str) -> Rc<RefCell<Store>> {
        Rc::clone(
            self.by_id
                .borrow_mut()
                .entry(destination.to_owned())
                .or_default(),
        )
    }

    /// Opens outlets to these stores.
    pub fn outlets(&self) -> Outlets {
        let stores = self.clone();
        Rc::new(move |destination: &Destination| {
            Box::new(MemoryOutlet {
                store: stores.of(&destination.id),
            }) as Box<dyn Outlet>
        })
    }
}

struct MemoryOutlet {
    store: Rc<RefCell<Store>>,
}

impl Outlet for MemoryOutlet {
    fn send<'a>(
        &'a mut self,
        items: Vec<Item>,
        deadline: Deadline,
        _: &'a mut OnTrouble<'a>,
    ) -> Pin<Box<dyn Future<Output = SendReport> + 'a>> {
        Box::pin(async move {
            // A real sender always gives others a turn.
            tokio::task::yield_now().await;
            let answer = self.store.borrow_mut().next_answer();
            assert_ne!(answer, Answer::Panic, "a mistake");
            if answer == Answer::Hang {
                tokio::time::sleep_until(deadline.until).await;
            }
            if let Answer::TakeLate(after) = answer {
                tokio::time::sleep(after).await;
            }
            self.store.borrow_mut().take(items, &answer)
        })
    }
}

impl Store {
    fn next_answer(&mut self) -> Answer {
        self.batches += 1;
        self.script
            .pop_front()
            .or_else(|| self.otherwise.clone())
            .unwrap_or(Answer::Take)
    }

    fn take(&mut self, items: Vec<Item>, answer: &Answer) -> SendReport {
        let mut report = SendReport::default();
        let mut left = match answer {
            Answer::TakeSome(count) | Answer::TakeInTime(count) => *count,
            Answer::Down(_) | Answer::Stop | Answer::Hang => 0,
            _ => usize::MAX,
        };
        for item in items {
            if let Answer::RejectContaining(word) = answer
                && item.id.contains(word)
            {
                report.rejected.push((item.id, "HTTP 422: no".to_owned()));
            } else if left == 0 {
                report.unsent.push(item);
            } else {
                left -= 1;
                self.store(&item);
                if *answer == Answer::LoseAnswer {
                    report.unsent.push(item);
                } else {
                    report.acknowledged.push(item.id);
                }
            }
        }
        match answer {
            Answer::Down(wait) => report.retry_after = *wait,
            Answer::Stop => report.stopped = Some("HTTP 401: no".to_owned()),
            Answer::TakeInTime(_) => return report,
            _ => {}
        }
        if !report.unsent.is_empty() && report.stopped.is_none() {
            report.last_error = Some("connection refused".to_owned());
        }
        report
    }

    fn store(&mut self, item: &Item) {
        let mut body = serde_json::from_slice(&item.body).unwrap_or(Value::Null);
        let former = self.items.get(&item.id).and_then(|item| item.get("error"));
        if let (Some(error), None) = (former, body.get("error")) {
            // What is left out stays as it was.
            body["error"] = error.clone();
        }
        self.items.insert(item.id.clone(), body);
        *self.arrivals.entry(item.id.clone()).or_default() += 1;
    }
}
